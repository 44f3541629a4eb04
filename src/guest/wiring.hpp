// SPDX-License-Identifier: Apache-2.0
//
// The devices of guests: made, given their addresses and programs, and removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <beeline/kernel/netns.hpp>
#include <beeline/result.hpp>

#include "guest/objects.hpp"
#include "guest/record.hpp"

namespace beeline::guest {

inline constexpr const char *kLinkOut = "link_out";
inline constexpr const char *kLinkIn = "link_in";
inline constexpr const char *kLinkAcross = "link_across"; ///< netkit only.

/// What can be told to be wrong before anything is made: devices that are taken or missing.
[[nodiscard]] Result<> check_free(const Asked &asked, const kernel::NetNs *netns);

/// The pair, both ends down; of a tap: finds it. netns: the guest's, none for a tap. mtu: unless asked for another.
/// wired has what became of it, as far as it came.
[[nodiscard]] Result<> make_device(const Asked &asked, const kernel::NetNs *netns, std::uint32_t mtu, Wired &wired);
/// Attaches the guest's programs to its device and pins the links in directory. across: descriptor of guest_across.
[[nodiscard]] Result<> attach(const Stubs &stubs, int across, const Wired &wired,
                              const std::filesystem::path &directory);
/// Addresses and routes at both ends; from now on packets flow, as far as the programs let them.
[[nodiscard]] Result<> connect(const Asked &asked, const Wired &wired, const kernel::NetNs &netns);

/// Until both ends carry packets and the guest takes those to its addresses, or the kernel takes too long to say so (a
/// second is usual for some pairs): nothing depends on it but the first packets, and the guest may have set its end
/// down.
void wait_until_running(const Asked &asked, const Wired &wired);

/// Removes the devices of guests, and with them all that make_device() and connect() did; from taps the programs go.
/// What is gone already is no error. live: the directory that the guests' own are in.
[[nodiscard]] Result<> remove_devices(const std::vector<Record> &guests, const std::filesystem::path &live);

/// All links are there and so is their device, which goes with the guest's namespace.
[[nodiscard]] bool is_whole(const Wired &wired, const std::filesystem::path &directory);

} // namespace beeline::guest
