// SPDX-License-Identifier: Apache-2.0
//
// A guest's rules as the rows that the programs look through. abi/beeline/guest.h says what is done with them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <beeline/guest.h>
#include <beeline/guest/policy.hpp>
#include <beeline/policy/expand.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

/// What is known of one rule besides its rows.
struct RuleInfo {
    std::string text;
    std::string identity; ///< policy::identities(): who keeps counters over a change finds them by it.
    std::uint32_t counter = 0;
};

struct Tables {
    /// By direction; in order, the last one matches every packet. entry.extra is 0: the row has its own extra.
    std::vector<bl_guest_row> in, out;
    std::vector<RuleInfo> rules; ///< By rule number, as in Policy::rules and bl_entry::rule.
    std::vector<policy::SetTable> sets;
    bool open = false; ///< Every packet passes both ways, none is logged, no port is published (BL_GUEST_OPEN).
};

/// Numbers that are unique among all guests, so that the caller gives them out.
struct Binding {
    /// Slot in guest_hits for the rule with this identity. None: 1, 2, 3...
    std::function<Result<std::uint32_t>(const std::string &identity)> counter;
    /// Index of a set in guest_sets4 and guest_sets6, at most 254 (255 is BL_SET_NONE). None: 0, 1, 2...
    std::function<Result<std::uint32_t>(const policy::Set &set)> set;
};

/// Fails when the rules do not fit the limits in abi/beeline/guest.h; the error names the rule and the limit.
[[nodiscard]] Result<Tables> compile(const Policy &policy, const Binding &binding = {});

} // namespace beeline::guest
