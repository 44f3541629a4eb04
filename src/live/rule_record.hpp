// SPDX-License-Identifier: Apache-2.0
//
// What those who come later have to know of rules that are live: their texts, counters and sets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/live/status.hpp>
#include <beeline/match.h>
#include <beeline/result.hpp>

namespace beeline::live {

/// Where a set stands in the maps.
struct SetPlace {
    std::string name;
    policy::SetType type = policy::SetType::prefix;
    std::uint32_t index = 0;
    std::uint64_t digest = 0; ///< Of what the config says is in it: tells a changed set.
    bool operator==(const SetPlace &) const = default;
};

/// Named sets only: those of long lists in rules are no business of the user's.
[[nodiscard]] bool is_named(const SetPlace &set);
/// Kind::usage, with the names that there are, when there is none of that name.
[[nodiscard]] Result<SetPlace> find_set(const std::vector<SetPlace> &sets, const std::string &name);

struct RuleRecord {
    std::vector<std::string> texts;
    std::vector<std::uint32_t> lines, counter_of_rule;
    std::map<std::string, std::uint32_t> counters; ///< Counter slots by the rules' identities.
    std::vector<SetPlace> sets;
    bool operator==(const RuleRecord &) const = default;
};

/// Writes into, and reads from, an object that may hold more. read_rules() throws json::exception on anything that is
/// not as add_rules() makes it.
void add_rules(const RuleRecord &rules, nlohmann::json &to);
void read_rules(RuleRecord &rules, const nlohmann::json &from);

using HitsMap = kernel::PerCpuMap<std::uint32_t, bl_hits>;
[[nodiscard]] Result<bl_hits> read_hits(const HitsMap &hits, std::uint32_t counter);
[[nodiscard]] Result<std::vector<RuleStatus>> rule_status(const RuleRecord &rules, const HitsMap &hits);

} // namespace beeline::live
