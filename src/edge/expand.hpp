// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <beeline/edge/tables.hpp>

namespace beeline::edge {

/// One table entry with its rare conditions; the numbers of rule, extra and rate are the caller's to fill in.
struct Expanded {
    bl_entry entry{};
    bl_extra extra{};
};

/// The entries of one rule, in any order: the rule matches when one of them does. At most BL_EDGE_MAX_ENTRIES.
[[nodiscard]] Result<std::vector<Expanded>>
expand(const Rule &rule, const std::vector<SetTable> &sets,
       const std::function<Result<std::uint32_t>(const std::string &)> &ifindex);

/// A set's entries as map keys.
[[nodiscard]] SetTable set_table(const Set &set, std::uint32_t index);

} // namespace beeline::edge
