// SPDX-License-Identifier: Apache-2.0
#include "edge/devices.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/features.hpp>
#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/prog.hpp>

#include "live/hook_list.hpp"

namespace beeline::edge {
namespace {

using kernel::XdpMode;

Mode as_mode(XdpMode mode) {
    return mode == XdpMode::native ? Mode::native : mode == XdpMode::generic ? Mode::generic : Mode::offload;
}

std::uint32_t mode_flag(const kernel::XdpState &xdp, std::uint32_t prog_id) {
    return xdp.native_id == prog_id    ? XDP_FLAGS_DRV_MODE
           : xdp.generic_id == prog_id ? XDP_FLAGS_SKB_MODE
                                       : XDP_FLAGS_HW_MODE;
}

/// Detaches somebody's XDP program: his link where there is one, else the program that was attached by netlink.
Result<Evicted> evict(const kernel::Device &device, std::uint32_t prog_id) {
    Evicted evicted{.program = {}, .ifindex = device.ifindex, .mode = mode_flag(device.xdp, prog_id)};
    BL_TRY(evicted.program, kernel::prog_by_id(prog_id));
    for (std::uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
        kernel::UniqueFd fd(bpf_link_get_fd_by_id(id));
        if (!fd.valid())
            continue;
        const auto info = kernel::link_info(fd.get());
        if (!info || info->prog_id != prog_id || info->ifindex != static_cast<std::uint32_t>(device.ifindex))
            continue;
        BL_TRY(auto link, kernel::Link::adopt(std::move(fd)));
        BL_CHECK(link.detach());
        return evicted;
    }
    bpf_xdp_attach_opts options{};
    options.sz = sizeof options;
    if (const int error = bpf_xdp_detach(device.ifindex, evicted.mode, &options))
        return fail_errno(-error, "detach " + kernel::describe_prog(prog_id) + " from " + device.name);
    return evicted;
}

void put_back(const std::vector<Evicted> &evicted) {
    for (const Evicted &one : evicted)
        one.put_back();
}

bool is_edge_program(std::uint32_t prog_id) {
    const auto fd = kernel::prog_by_id(prog_id);
    const auto info = fd ? kernel::prog_info(fd->get()) : std::unexpected(fd.error());
    return info && (info->name == "edge_root" || info->name == "edge_hold" || info->name.starts_with("edge_policy"));
}

std::vector<std::uint32_t> ids_of(const kernel::XdpState &xdp) {
    std::vector<std::uint32_t> ids;
    for (const std::uint32_t id : {xdp.native_id, xdp.generic_id, xdp.offload_id})
        if (id != 0)
            ids.push_back(id);
    return ids;
}

/// What is on the device. A link whose last pin went a moment ago, when the leftovers of a process that died were
/// removed, holds its hook until the kernel comes round to freeing it (kernel/bpf/syscall.c bpf_link_put defers that):
/// a program of an edge is given a second to go.
Result<kernel::XdpState> settled(const kernel::Device &device) {
    kernel::XdpState xdp = device.xdp;
    for (int tries = 0; tries < 100; ++tries) {
        const std::vector<std::uint32_t> ids = ids_of(xdp);
        if (std::none_of(ids.begin(), ids.end(), is_edge_program))
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        BL_TRY(xdp, kernel::xdp_query(device.ifindex));
    }
    return xdp;
}

Result<std::vector<Evicted>> make_room(kernel::Device device, bool replace) {
    BL_TRY(device.xdp, settled(device));
    std::vector<Evicted> evicted;
    for (const std::uint32_t id : ids_of(device.xdp)) {
        if (!replace)
            return fail(Kind::conflict, 0, device.name + " has an XDP program already: " + kernel::describe_prog(id),
                        "detach it (bpftool net detach xdp dev " + device.name + "), or say replace = true in [edge]");
        auto one = evict(device, id);
        if (!one) {
            put_back(evicted);
            return std::unexpected(std::move(one).error());
        }
        evicted.push_back(*std::move(one));
    }
    return evicted;
}

std::string first_line(const Error &error) {
    const std::string text = error.message();
    return text.substr(0, text.find('\n'));
}

/// Why a veth cannot take frames that XDP sends: its peer polls no ring (drivers/net/veth.c veth_xdp_xmit).
std::string no_xmit_remedy(const kernel::Device &device) {
    return device.kind == "veth" ? "give its peer NAPI: attach an XDP program there, or `ethtool -K PEER gro on`"
                                 : "use a device whose driver implements ndo_xdp_xmit, or mode = \"generic\"";
}

/// On Linux 6.9 and later generic XDP copies a frame that has not the room it wants, nearly every one, and the copy has
/// lost its mac_len (net/core/skbuff.c skb_pp_cow_data), by which kernel/bpf/cpumap.c finds the IP header: the other
/// CPU gets headers that begin 14 bytes early and drops them all. Seen on 6.18.
Result<> check_cpus(const Policy &policy, const std::vector<DeviceStatus> &devices) {
    const auto hands_over = [&policy](const DeviceStatus &device) {
        return std::any_of(policy.rules.begin(), policy.rules.end(), [&device](const Rule &rule) {
            const auto &only = rule.match.device;
            const bool listed = only && std::ranges::count(only->any_of, device.name) != 0;
            return rule.action.verdict == Verdict::cpu && (!only || listed != only->negated);
        });
    };
    const auto lost = std::find_if(devices.begin(), devices.end(), [&](const DeviceStatus &device) {
        return device.mode == Mode::generic && hands_over(device);
    });
    if (lost == devices.end() || kernel::version_less(kernel::kernel_version(), "6.9"))
        return {};
    return fail(Kind::unsupported, 0,
                "cpu on " + lost->name + ": this kernel loses what generic XDP hands to another CPU",
                "mode = \"native\", or say `device` in the rule, without " + lost->name);
}

/// What takes the tag off before XDP sees it, and what to do about it.
std::string tag_remedy(const kernel::Device &device) {
    return device.kind == "veth"
               ? "its peer puts tags beside the frame, where XDP does not see them; ethtool -K PEER txvlan off"
               : "the device takes the tags off before XDP sees them; ethtool -K " + device.name + " rxvlan off";
}

/// Generic XDP comes behind GRO and sees what TSO of a veth's peer has left whole; a redirect of more than the target's
/// MTU is refused (include/linux/filter.h __xdp_ok_fwd_dev), so TCP crawls from one retransmission to the next. Native
/// XDP on a veth switches segmentation of the peer off. Whether the peer segments cannot be seen from another
/// namespace.
std::string large_remedy(const kernel::Device &device, const kernel::Ethtool &ethtool) {
    if (device.kind == "veth")
        return "ethtool -K PEER tso off";
    const auto gro = ethtool.offload(device.name, kernel::Offload::gro);
    return gro && gro->on ? "ethtool -K " + device.name + " gro off" : std::string();
}

} // namespace

void Evicted::put_back() const {
    (void)bpf_xdp_attach(ifindex, program.get(), mode, nullptr);
}

std::string link_pin(std::uint32_t ifindex) {
    return "link_" + std::to_string(ifindex);
}

Result<Attached> attach(int prog_fd, const kernel::Device &device, Mode mode, bool replace) {
    BL_TRY(std::vector<Evicted> evicted, make_room(device, replace));
    DeviceStatus status{.name = device.name, .ifindex = static_cast<std::uint32_t>(device.ifindex)};
    std::vector<XdpMode> wanted;
    if (mode == Mode::automatic)
        wanted = {XdpMode::native, XdpMode::generic};
    else
        wanted = {mode == Mode::native ? XdpMode::native : mode == Mode::generic ? XdpMode::generic : XdpMode::offload};
    for (const XdpMode one : wanted) {
        auto link = kernel::Link::attach_xdp(prog_fd, device.ifindex, one);
        if (link) {
            status.mode = as_mode(one);
            return Attached{std::move(status), std::move(*link), std::move(evicted)};
        }
        if (one == wanted.back() || link.error().kind == Kind::conflict || link.error().kind == Kind::permission) {
            put_back(evicted);
            return std::unexpected(std::move(link).error());
        }
        status.why = first_line(link.error());
    }
    std::abort();
}

Result<std::vector<std::string>> foresee(const Policy &policy, kernel::RtNetlink &netlink,
                                         const std::vector<DeviceStatus> &devices) {
    std::vector<std::string> warnings;
    const bool native =
        std::any_of(devices.begin(), devices.end(), [](const DeviceStatus &d) { return d.mode == Mode::native; });
    bool sends_back = false, reads_vlan = false, redirects = false;
    for (const Rule &rule : policy.rules) {
        const Match &match = rule.match;
        sends_back |= rule.action.verdict == Verdict::tx;
        reads_vlan |= match.vlan || match.inner_vlan || match.tagged;
        redirects |= rule.action.verdict == Verdict::redirect;
        if (rule.action.verdict != Verdict::redirect || !native)
            continue;
        BL_TRY(const kernel::Device target, netlink.device(rule.action.target));
        BL_TRY(const auto features, kernel::xdp_features(target.ifindex));
        if (features && !features->xmit())
            return fail(Kind::unsupported, 0,
                        "redirect to " + target.name + ": it takes no frames from native XDP now, all would be lost",
                        no_xmit_remedy(target));
    }
    BL_CHECK(check_cpus(policy, devices));
    BL_TRY(const auto ethtool, kernel::Ethtool::open());
    for (const DeviceStatus &device : devices) {
        BL_TRY(const auto features, kernel::xdp_features(static_cast<int>(device.ifindex)));
        if (sends_back && device.mode == Mode::native && features && !features->xmit())
            warnings.push_back("tx on " + device.name +
                               ": it sends no XDP frames now; for a veth attach an XDP program to its peer");
        const auto stripped = ethtool.offload(device.name, kernel::Offload::rx_vlan);
        if (reads_vlan && stripped && stripped->on) {
            BL_TRY(const kernel::Device known, netlink.device(device.name));
            warnings.push_back("vlan on " + device.name + ": " + tag_remedy(known));
        }
        if (redirects && device.mode == Mode::generic) {
            BL_TRY(const kernel::Device known, netlink.device(device.name));
            if (const std::string remedy = large_remedy(known, ethtool); !remedy.empty())
                warnings.push_back("redirect on " + device.name +
                                   ": generic XDP loses packets that are put together to more than the MTU; " + remedy);
        }
    }
    return warnings;
}

Result<std::vector<HookProgram>> programs_on(const std::vector<DeviceStatus> &devices, std::span<const int> own_fds) {
    std::set<std::uint32_t> own;
    for (const int fd : own_fds) {
        BL_TRY(const kernel::ProgInfo info, kernel::prog_info(fd));
        own.insert(info.id);
    }
    live::HookList list(std::move(own));
    for (const DeviceStatus &device : devices) {
        list.add_xdp(device.name, static_cast<int>(device.ifindex));
        list.add_tcx(device.name, static_cast<int>(device.ifindex));
    }
    return list.programs;
}

} // namespace beeline::edge
