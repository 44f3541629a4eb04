// SPDX-License-Identifier: Apache-2.0
//
// From the guests that are live to those that shall be, all or nothing.
#pragma once

#include <string>
#include <vector>

#include <beeline/guest/guest.hpp>
#include <beeline/result.hpp>

#include "guest/change.hpp"
#include "guest/live.hpp"
#include "guest/uplinks.hpp"

namespace beeline::guest {

/// What has to be done. Pointers are into the policies that it was made of.
struct Difference {
    std::vector<const Policy *> added;
    std::vector<const Policy *> rewired; ///< Live, but its device has to be made anew.
    std::vector<const Policy *> kept;    ///< Live; rules, ports or flags may change.
    std::vector<std::uint32_t> removed;  ///< Slots.
};

/// Guests of add() stay. Kind::config when two of policies, or one of them and one that stays, want the same.
[[nodiscard]] Result<Difference> difference(const Live &live, const std::vector<Policy> &policies);
/// Does the guest change, besides its rules? rules: those that it would have.
[[nodiscard]] bool changes(const Record &record, const Policy &policy, const Ruled &rules);
/// Fails when another guest has its name, an address, a published port or a device.
[[nodiscard]] Result<> check_alone(const Policy &policy, const std::vector<Policy> &others);
/// Fails when these are more guests or published ports than there is room for.
[[nodiscard]] Result<> check_most(const std::vector<Policy> &policies);
[[nodiscard]] Policy policy_of(const Record &record);

[[nodiscard]] Result<> reconcile(Live &live, const Difference &difference, const std::vector<Uplink> &uplinks,
                                 UpReport &report);

} // namespace beeline::guest
