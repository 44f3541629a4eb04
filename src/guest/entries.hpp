// SPDX-License-Identifier: Apache-2.0
//
// What the shared maps say of one guest.
#pragma once

#include <cstdint>
#include <vector>

#include <beeline/result.hpp>

#include "guest/objects.hpp"
#include "guest/record.hpp"

namespace beeline::guest {

[[nodiscard]] Result<> list_guest(const Objects &objects, const Record &record, bool up);
[[nodiscard]] Result<> list_addresses(const Objects &objects, const Record &record);
/// Makes the guest's published ports these.
[[nodiscard]] Result<> list_ports(const Objects &objects, const Record &record);
[[nodiscard]] Result<bool> is_listed_up(const Objects &objects, std::uint32_t slot);

/// Nothing leads to the guest and nothing of it passes from now on.
[[nodiscard]] Result<> unlist(const Objects &objects, std::uint32_t slot);
/// Rules, the entries in the list and flows go: others may have the slots.
[[nodiscard]] Result<> clear_slots(const Objects &objects, const std::vector<std::uint32_t> &slots);

} // namespace beeline::guest
