// SPDX-License-Identifier: Apache-2.0
//
// Ranges of a condition as those that a field must be in one of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <beeline/policy/rule.hpp>

namespace beeline::policy {

/// What is between 0 and highest and in none of the ranges, ascending.
template <class T>
std::vector<Range<T>> complement(std::vector<Range<T>> ranges, T highest) {
    std::sort(ranges.begin(), ranges.end(), [](const auto &a, const auto &b) { return a.low < b.low; });
    std::vector<Range<T>> gaps;
    std::uint64_t next = 0;
    for (const Range<T> &range : ranges) {
        if (range.low > next)
            gaps.push_back({static_cast<T>(next), static_cast<T>(range.low - 1)});
        next = std::max<std::uint64_t>(next, std::uint64_t{range.high} + 1);
    }
    if (next <= highest)
        gaps.push_back({static_cast<T>(next), highest});
    return gaps;
}

/// The condition without a negation. Its values are literals.
template <class T>
std::vector<Range<T>> ranges_of(const OneOf<Range<T>> &condition, T highest) {
    return condition.negated ? complement(condition.any_of, highest) : condition.any_of;
}

} // namespace beeline::policy
