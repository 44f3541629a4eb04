// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/hooks.hpp>

#include <cerrno>

#include <fmt/format.h>
#include <net/if.h>

#include "kernel/device_name.hpp"
#include "kernel/uapi_bpf.hpp"

#include <beeline/kernel/features.hpp>

namespace beeline::kernel {

std::string device_name(int ifindex) {
    char name[IF_NAMESIZE] = {};
    if (::if_indextoname(static_cast<unsigned>(ifindex), name) == nullptr)
        return fmt::format("ifindex {}", ifindex);
    return name;
}

std::string_view name(XdpMode mode) {
    switch (mode) {
    case XdpMode::native:
        return "native";
    case XdpMode::generic:
        return "generic";
    case XdpMode::offload:
        return "offload";
    }
    return "?";
}

std::string_view name(TcxHook hook) {
    return hook == TcxHook::ingress ? "ingress" : "egress";
}
std::string_view name(NetkitHook hook) {
    return hook == NetkitHook::primary ? "primary" : "peer";
}

namespace {

Result<HookState> query(std::uint32_t target, std::uint32_t attach_type, const std::string &what) {
    HookState state;
    std::vector<std::uint32_t> progs(uapi::kMprogMax);
    std::vector<std::uint32_t> links(uapi::kMprogMax);
    uapi::ProgQuery query{.target = target,
                          .attach_type = attach_type,
                          .prog_ids = reinterpret_cast<std::uintptr_t>(progs.data()),
                          .count = uapi::kMprogMax,
                          .link_ids = reinterpret_cast<std::uintptr_t>(links.data())};
    if (uapi::call(BPF_PROG_QUERY, query) != 0)
        return fail_errno(errno, what);
    for (std::uint32_t i = 0; i < query.count; ++i)
        state.entries.push_back({.prog_id = progs[i], .link_id = links[i]});
    state.revision = query.revision;
    return state;
}

/// EINVAL of a query means that the kernel does not know the attach type.
Result<HookState> unless_unsupported(Result<HookState> state, FeatureId feature) {
    if (!state && state.error().code == EINVAL)
        if (Result<> available = require(feature); !available)
            return std::unexpected(std::move(available).error().within(state.error().what));
    return state;
}

} // namespace

Result<HookState> tcx_query(int ifindex, TcxHook hook) {
    return unless_unsupported(query(static_cast<std::uint32_t>(ifindex),
                                    hook == TcxHook::ingress ? uapi::kTcxIngress : uapi::kTcxEgress,
                                    fmt::format("query tcx {} of {}", name(hook), device_name(ifindex))),
                              FeatureId::tcx);
}

Result<HookState> netkit_query(int ifindex, NetkitHook hook) {
    return unless_unsupported(query(static_cast<std::uint32_t>(ifindex),
                                    hook == NetkitHook::primary ? uapi::kNetkitPrimary : uapi::kNetkitPeer,
                                    fmt::format("query netkit {} of {}", name(hook), device_name(ifindex))),
                              FeatureId::netkit);
}

Result<HookState> cgroup_query(int cgroup_fd, std::uint32_t attach_type) {
    HookState state;
    std::vector<std::uint32_t> progs(uapi::kMprogMax);
    // Cgroup hooks know neither link ids nor a revision here, and refuse the pointers.
    uapi::ProgQuery query{.target = static_cast<std::uint32_t>(cgroup_fd),
                          .attach_type = attach_type,
                          .prog_ids = reinterpret_cast<std::uintptr_t>(progs.data()),
                          .count = uapi::kMprogMax};
    if (uapi::call(BPF_PROG_QUERY, query) != 0)
        return fail_errno(errno, fmt::format("query cgroup hook {}", attach_type));
    for (std::uint32_t i = 0; i < query.count; ++i)
        state.entries.push_back({.prog_id = progs[i]});
    return state;
}

} // namespace beeline::kernel
