// SPDX-License-Identifier: Apache-2.0
//
// Which programs sit at a hook, whoever put them there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::kernel {

enum class XdpMode : std::uint8_t { native, generic, offload };
[[nodiscard]] std::string_view name(XdpMode mode);

/// The XDP programs of a device, by mode; 0: none. At most one of native and generic is set, offload may come on top.
struct XdpState {
    std::uint32_t native_id = 0;
    std::uint32_t generic_id = 0;
    std::uint32_t offload_id = 0;
    [[nodiscard]] bool empty() const { return native_id == 0 && generic_id == 0 && offload_id == 0; }
    [[nodiscard]] std::uint32_t id(XdpMode mode) const {
        return mode == XdpMode::native ? native_id : mode == XdpMode::generic ? generic_id : offload_id;
    }
};

/// By rtnetlink, in the network namespace of the calling thread.
[[nodiscard]] Result<XdpState> xdp_query(int ifindex);

enum class TcxHook : std::uint8_t { ingress, egress };
/// primary: packets host -> guest; peer: guest -> host. Both are asked of the primary's ifindex.
enum class NetkitHook : std::uint8_t { primary, peer };
[[nodiscard]] std::string_view name(TcxHook hook);
[[nodiscard]] std::string_view name(NetkitHook hook);

/// The ordered programs of one tcx, netkit or cgroup hook.
struct HookState {
    struct Entry {
        std::uint32_t prog_id = 0;
        std::uint32_t link_id = 0; ///< 0: attached without a link.
    };
    std::vector<Entry> entries = {}; ///< In the order they run.
    std::uint64_t revision = 0;      ///< Changes with every attach and detach; 0 where the hook has none.
};

/// Kind::unsupported with the kernel version when the running kernel has no tcx or netkit.
[[nodiscard]] Result<HookState> tcx_query(int ifindex, TcxHook hook);
[[nodiscard]] Result<HookState> netkit_query(int ifindex, NetkitHook hook);
/// Programs attached to this very cgroup (not its ancestors). attach_type: BPF_CGROUP_*.
[[nodiscard]] Result<HookState> cgroup_query(int cgroup_fd, std::uint32_t attach_type);

} // namespace beeline::kernel
