// SPDX-License-Identifier: Apache-2.0
//
// The hooks of the devices: found out beforehand, taken, given back.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <beeline/kernel/link.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

/// Somebody else's XDP program that had to make room.
struct Evicted {
    kernel::UniqueFd program;
    int ifindex = 0;
    std::uint32_t mode = 0; ///< XDP_FLAGS_*_MODE.

    /// Attaches it again, by netlink: a link that was detached cannot be revived, but packets meet what they met.
    void put_back() const;
};

/// A device with our link on it. The link is pinned as "link_IFINDEX".
struct Attached {
    DeviceStatus status;
    kernel::Link link;
    std::vector<Evicted> evicted = {};
};

[[nodiscard]] std::string link_pin(std::uint32_t ifindex);

/// Attaches prog_fd to a device. mode automatic: native, else generic, and status.why says why not native. Somebody
/// else's program is a conflict that names it, unless replace.
[[nodiscard]] Result<Attached> attach(int prog_fd, const kernel::Device &device, Mode mode, bool replace);

/// Things that would lose frames once the policy is live: each a line with its remedy. An error when a redirect cannot
/// work at all.
[[nodiscard]] Result<std::vector<std::string>> foresee(const Policy &policy, kernel::RtNetlink &netlink,
                                                       const std::vector<DeviceStatus> &devices);

/// All XDP and tcx programs on these devices; own_fds: those that are ours.
[[nodiscard]] Result<std::vector<HookProgram>> programs_on(const std::vector<DeviceStatus> &devices,
                                                           std::span<const int> own_fds);

} // namespace beeline::edge
