// SPDX-License-Identifier: Apache-2.0
//
// Making a guest, and changing one that is up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <beeline/result.hpp>

#include "guest/live.hpp"
#include "guest/rule_maps.hpp"

namespace beeline::guest {

/// A guest to be.
struct Wanted {
    std::string name;
    bool runtime = false;
    Asked asked;
    bool masquerade = false;
    std::vector<Publish> publish;
    Prepared rules;
};

/// Makes it up to the point where nothing but its rules' place, put_rules(), and BL_GUEST_UP is missing: no packet
/// passes. mtu: unless it asks for another. On an error nothing of it is left, besides its rules' sets and counters,
/// which are the caller's.
[[nodiscard]] Result<Record> make(const Live &live, const Wanted &wanted, std::uint32_t mtu);
/// From now on packets pass as its rules say, which have been put. The caller has the generation counted.
[[nodiscard]] Result<> start(Live &live, const Record &record);
/// All of it for one guest.
[[nodiscard]] Result<> make_and_start(Live &live, const Wanted &wanted, std::uint32_t mtu);

/// A guest that is up gets other rules, ports or flags, its device staying as it is: first everything is pinned beside
/// what is live, then it takes its place. Whoever finds it half done finishes it, or drops it when it was not begun.
[[nodiscard]] Result<> stage_change(const Live &live, const Record &next, const Prepared &rules);
[[nodiscard]] Result<> commit_change(Live &live, std::uint32_t slot);
/// rules: those that were prepared for it.
void drop_change(Live &live, std::uint32_t slot, const Ruled &rules);
[[nodiscard]] Result<> finish_change(Live &live, std::uint32_t slot);

} // namespace beeline::guest
