// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <vector>

#include <beeline/live/rule_plan.hpp>
#include <beeline/policy/rule.hpp>

#include "live/rule_record.hpp"

namespace beeline::live {

/// Items of list that other has not, or has less often; in the order of list.
template <class T>
[[nodiscard]] std::vector<T> missing_in(const std::vector<T> &list, const std::vector<T> &other) {
    std::multiset<T> left(other.begin(), other.end());
    std::vector<T> missing;
    for (const T &item : list) {
        if (const auto found = left.find(item); found != left.end())
            left.erase(found);
        else
            missing.push_back(item);
    }
    return missing;
}

/// What would become of the rules of `before` (empty: nothing is live) and of its named sets.
[[nodiscard]] RulePlan plan_rules(const RuleRecord &before, const std::vector<policy::Rule> &rules,
                                  const std::vector<policy::Set> &sets);

} // namespace beeline::live
