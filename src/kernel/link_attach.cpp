// SPDX-License-Identifier: Apache-2.0
//
// One maker per hook, and the errors of each in words.
#include <beeline/kernel/link.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/features.hpp>
#include <beeline/kernel/prog.hpp>

#include "kernel/device_name.hpp"
#include "kernel/uapi_bpf.hpp"

namespace beeline::kernel {

namespace {

/// The new link, or an errno.
std::expected<UniqueFd, int> create(const uapi::LinkCreate &request) {
    uapi::LinkCreate copy = request;
    const int fd = uapi::call(BPF_LINK_CREATE, copy);
    if (fd < 0)
        return std::unexpected(errno);
    return UniqueFd(fd);
}

std::unexpected<Error> no_device(int code, const std::string &what) {
    return fail_errno(code, what, "the device is not in this network namespace or went away");
}

/// EINVAL is also what a kernel without the hook says.
std::unexpected<Error> refused(int code, std::string what, FeatureId feature) {
    if (code == EINVAL || code == EOPNOTSUPP)
        if (Result<> available = require(feature); !available)
            return std::unexpected(std::move(available).error().within(what));
    return fail_errno(code, std::move(what));
}

} // namespace

/// "program xdp_pass (id 3), link id 5".
std::string describe_xdp_holder(const XdpState &state, int ifindex) {
    const std::uint32_t id = state.native_id != 0    ? state.native_id
                             : state.generic_id != 0 ? state.generic_id
                                                     : state.offload_id;
    std::string holder = describe_prog(id);
    if (const auto ids = link_ids())
        for (const std::uint32_t link_id : *ids)
            if (const auto fd = link_by_id(link_id))
                if (const auto info = link_info(fd->get()); info && info->type == uapi::kLinkTypeXdp &&
                                                            info->prog_id == id &&
                                                            info->ifindex == static_cast<std::uint32_t>(ifindex))
                    holder += fmt::format(", link id {}", link_id);
    return holder;
}

namespace {

std::unexpected<Error> xdp_held(int code, const std::string &what, int ifindex) {
    const Result<XdpState> state = xdp_query(ifindex);
    if (!state || state->empty())
        return fail(Kind::conflict, code, what, "another XDP program holds the device");
    const std::string holder = describe_xdp_holder(*state, ifindex);
    const std::string remedy = holder.find("link id") != std::string::npos
                                   ? "stop the program that owns the link, or bpftool link detach id ID"
                                   : fmt::format("ip link set dev {} xdp{} off", device_name(ifindex),
                                                 state->generic_id != 0 ? "generic" : "drv");
    return fail(Kind::conflict, code, fmt::format("{}: the device has {} already", what, holder), remedy);
}

/// Of what may stand in the way natively, the thing the kernel's words are about, or without words the likeliest.
std::optional<XdpObstacle> likely_obstacle(int ifindex, std::string words) {
    std::transform(words.begin(), words.end(), words.begin(), [](unsigned char c) { return std::tolower(c); });
    auto links = RtNetlink::open();
    if (!links)
        return std::nullopt;
    const auto device = links->device(ifindex);
    if (!device)
        return std::nullopt;
    const auto obstacles = native_xdp_obstacles(*device, false);
    if (!obstacles)
        return std::nullopt;
    for (const XdpObstacle &obstacle : *obstacles)
        if (words.empty() || words.find(obstacle.about) != std::string::npos)
            return obstacle;
    return std::nullopt;
}

/// What the kernel says, else what the device's state suggests.
std::unexpected<Error> xdp_refused(int code, const std::string &what, int prog_fd, int ifindex, XdpMode mode) {
    std::string why = xdp_refusal(prog_fd, ifindex, mode);
    std::string remedy = mode == XdpMode::generic ? "" : "use generic mode";
    if (mode == XdpMode::native)
        if (const auto obstacle = likely_obstacle(ifindex, why)) {
            if (why.empty())
                why = obstacle->why;
            else if (obstacle->about != "native") // that says no more than the kernel does
                why += " (" + obstacle->why + ")";
            remedy = obstacle->remedy;
        }
    if (!why.empty())
        return fail(Kind::unsupported, code, fmt::format("{}: {}", what, why), remedy);
    if (Result<> available = require(FeatureId::xdp_link); !available)
        return std::unexpected(std::move(available).error().within(what));
    return fail(Kind::unsupported, code, what, remedy);
}

} // namespace

Result<Link> Link::attach_xdp(int prog_fd, int ifindex, XdpMode mode) {
    const std::uint32_t flags = mode == XdpMode::native    ? XDP_FLAGS_DRV_MODE
                                : mode == XdpMode::generic ? XDP_FLAGS_SKB_MODE
                                                           : XDP_FLAGS_HW_MODE;
    auto fd = create({.prog_fd = static_cast<std::uint32_t>(prog_fd),
                      .target = static_cast<std::uint32_t>(ifindex),
                      .attach_type = BPF_XDP,
                      .flags = flags});
    if (fd)
        return Link(*std::move(fd));
    const int code = fd.error();
    const std::string what = fmt::format("attach XDP to {} ({})", device_name(ifindex), name(mode));
    switch (code) {
    case EBUSY:
    case EEXIST:
        return xdp_held(code, what, ifindex);
    case EPERM:
    case EACCES:
    case ENOMEM:
        return fail_errno(code, what);
    default:
        break;
    }
    // net/core/dev.c bpf_xdp_link_attach() answers EINVAL, not ENODEV, to an ifindex that is not there.
    if (auto links = RtNetlink::open())
        if (const auto device = links->device(ifindex); !device && device.error().code == ENODEV)
            return no_device(ENODEV, what);
    return xdp_refused(code, what, prog_fd, ifindex, mode);
}

namespace {

uapi::LinkCreate in_order(int prog_fd, int ifindex, std::uint32_t attach_type, const Order &order) {
    uapi::LinkCreate request{.prog_fd = static_cast<std::uint32_t>(prog_fd),
                             .target = static_cast<std::uint32_t>(ifindex),
                             .attach_type = attach_type,
                             .expected_revision = order.expected_revision};
    const bool front = order.place == Order::Place::first || order.place == Order::Place::before;
    request.flags = front ? uapi::kBefore : uapi::kAfter;
    if (order.place == Order::Place::before || order.place == Order::Place::after) {
        request.flags |= uapi::kId | (order.of == Order::Of::link ? uapi::kLink : 0);
        request.relative = order.id;
    }
    return request;
}

/// What both multi-program hooks say.
std::unexpected<Error> order_refused(int code, std::string what, const Order &order, FeatureId feature) {
    switch (code) {
    case ENODEV:
        return no_device(code, what);
    case EEXIST:
        return fail(Kind::conflict, code, what + ": this very program is at the hook already");
    case ESTALE:
        return fail(Kind::conflict, code, what + ": the programs at the hook changed meanwhile", "query and try again");
    case ENOENT:
        return fail(Kind::conflict, code,
                    fmt::format("{}: {} id {} is not at the hook", what,
                                order.of == Order::Of::link ? "link" : "program", order.id));
    case ERANGE:
        return fail(Kind::conflict, code,
                    fmt::format("{}: {} programs are there, it takes no more", what, uapi::kMprogMax - 1));
    default:
        return refused(code, std::move(what), feature);
    }
}

} // namespace

Result<Link> Link::attach_tcx(int prog_fd, int ifindex, TcxHook hook, const Order &order) {
    auto fd =
        create(in_order(prog_fd, ifindex, hook == TcxHook::ingress ? uapi::kTcxIngress : uapi::kTcxEgress, order));
    if (fd)
        return Link(*std::move(fd));
    return order_refused(fd.error(), fmt::format("attach tcx {} to {}", name(hook), device_name(ifindex)), order,
                         FeatureId::tcx);
}

Result<Link> Link::attach_netkit(int prog_fd, int ifindex, NetkitHook hook, const Order &order) {
    auto fd = create(
        in_order(prog_fd, ifindex, hook == NetkitHook::primary ? uapi::kNetkitPrimary : uapi::kNetkitPeer, order));
    if (fd)
        return Link(*std::move(fd));
    std::string what = fmt::format("attach netkit {} to {}", name(hook), device_name(ifindex));
    if (fd.error() == ENXIO)
        return fail(Kind::host, fd.error(), what + ": the device is no netkit");
    if (fd.error() == EACCES)
        return fail(Kind::host, 0, what + ": the device is the peer end, programs attach through the primary",
                    "name the primary (host) end for both hooks");
    return order_refused(fd.error(), std::move(what), order, FeatureId::netkit);
}

Result<Link> Link::attach_cgroup(int prog_fd, int cgroup_fd, std::uint32_t attach_type) {
    auto fd = create({.prog_fd = static_cast<std::uint32_t>(prog_fd),
                      .target = static_cast<std::uint32_t>(cgroup_fd),
                      .attach_type = attach_type});
    if (fd)
        return Link(*std::move(fd));
    const std::string what = fmt::format("attach a program to a cgroup (hook {})", attach_type);
    if (fd.error() == EPERM) // also: a program attached without BPF_F_ALLOW_MULTI here or above
        return fail_errno(EPERM, what,
                          "run as root; a program attached exclusively (bpftool cgroup tree) refuses others");
    return refused(fd.error(), what, FeatureId::cgroup_link);
}

Result<Link> Link::attach_sockmap(int prog_fd, int map_fd, std::uint32_t attach_type) {
    auto fd = create({.prog_fd = static_cast<std::uint32_t>(prog_fd),
                      .target = static_cast<std::uint32_t>(map_fd),
                      .attach_type = attach_type});
    if (fd)
        return Link(*std::move(fd));
    const std::string what = fmt::format("attach a program to a sockmap (hook {})", attach_type);
    if (fd.error() == EBUSY)
        return fail(Kind::conflict, EBUSY, what + ": the map has a program of this kind already");
    return refused(fd.error(), what, FeatureId::sockmap_link);
}

Result<Link> Link::attach_tracepoint(int prog_fd) {
    const int fd = ::bpf_raw_tracepoint_open(nullptr, prog_fd);
    if (fd < 0)
        return refused(errno, "attach a tracepoint program", FeatureId::tp_btf);
    return Link(UniqueFd(fd));
}

Result<Link> Link::attach_iterator(int prog_fd, int map_fd) {
    bpf_iter_link_info info{};
    info.map.map_fd = static_cast<__u32>(map_fd);
    LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof info);
    const int fd = ::bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, &options);
    if (fd < 0)
        return fail_errno(errno, "attach an iterator");
    return Link(UniqueFd(fd));
}

} // namespace beeline::kernel
