// SPDX-License-Identifier: Apache-2.0
//
// The table of flows, looked at and swept.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include <beeline/result.hpp>

#include "guest/objects.hpp"

namespace beeline::guest {

/// Directions of flows of each guest, by slot, and of all.
struct FlowCount {
    std::map<std::uint32_t, std::uint64_t> by_slot;
    std::uint32_t all = 0;
};
[[nodiscard]] Result<FlowCount> count_flows(const Objects &objects);
/// Removes the flows that these guests began or that were begun to them.
[[nodiscard]] Result<> forget_flows(const Objects &objects, const std::set<std::uint32_t> &slots);
/// Removes those that are over: idle both ways for longer than abi/beeline/guest.h says. Returns how many.
[[nodiscard]] Result<std::uint64_t> end_flows(const Objects &objects);

/// Seconds without a packet after which such a flow is over; flags: BL_FLOW_* of both directions.
[[nodiscard]] std::uint64_t flow_seconds(std::uint8_t proto, std::uint8_t flags);

} // namespace beeline::guest
