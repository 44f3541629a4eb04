// SPDX-License-Identifier: Apache-2.0
//
// The difference between the rules and sets of a config and those that are live.
#pragma once

#include <string>
#include <vector>

namespace beeline::live {

/// Empty vectors: no change.
struct RulePlan {
    std::vector<std::string> rules_added, rules_removed; ///< Texts.
    bool reordered = false;                              ///< Rules that stay change places.
    std::vector<std::string> sets_added, sets_removed, sets_changed;
    [[nodiscard]] bool no_change() const {
        return rules_added.empty() && rules_removed.empty() && !reordered && sets_added.empty() &&
               sets_removed.empty() && sets_changed.empty();
    }
};

} // namespace beeline::live
