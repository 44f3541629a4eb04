// SPDX-License-Identifier: Apache-2.0
//
// The devices to the world: the program at their ingress, and what the programs know of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/result.hpp>

#include "guest/objects.hpp"

namespace beeline::guest {

struct Uplink {
    std::string name;
    std::uint32_t ifindex = 0;
    bl_uplink facts{};
};

/// The devices of that name; none: those that default routes lead to. own: the guests' devices, which never are.
/// missing: names that are no devices are left out and told here; nullptr: they are an error.
[[nodiscard]] Result<std::vector<Uplink>> find_uplinks(kernel::RtNetlink &links, const std::vector<std::string> &names,
                                                       const std::vector<std::uint32_t> &own,
                                                       std::vector<std::string> *missing);
/// Uplinks that are attached, by their pins in directory.
[[nodiscard]] std::vector<std::uint32_t> attached_uplinks(const std::filesystem::path &directory);
/// Makes the live uplinks these; returns the names of those that came, went or changed. The program goes behind all
/// others at tcx ingress: who guards an uplink there goes on guarding what is for guests, too. Packets that another
/// program takes for the host (TC_ACT_OK) go by the host's stack to the guest, and are judged at its device.
[[nodiscard]] Result<std::vector<std::string>> set_uplinks(const std::vector<Uplink> &wanted, const Objects &objects,
                                                           const std::filesystem::path &directory);
/// MTU of a guest that asks for none.
[[nodiscard]] std::uint32_t guest_mtu(const std::vector<Uplink> &uplinks);

[[nodiscard]] std::string uplink_pin(std::uint32_t ifindex);

} // namespace beeline::guest
