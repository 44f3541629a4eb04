// SPDX-License-Identifier: Apache-2.0
//
// The rules of [local] in the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/object_set.hpp>
#include <beeline/local/tables.hpp>

#include "live/rule_record.hpp"

namespace beeline::local {

/// Rules in the kernel, judging nothing yet. Their sets stand where the ones before have none.
struct Prepared {
    live::RuleRecord rules;
    std::uint64_t digest = 0; ///< Of all rows.
    std::map<std::string, std::uint64_t> cgroups;
    kernel::UniqueFd table;
};

/// before: rules that are live, whose counters go on where the rule is the same; null: none are.
[[nodiscard]] Result<Prepared> prepare_rules(const Policy &policy, const live::RuleRecord *before,
                                             const kernel::ObjectSet &objects);
/// From now on these judge.
[[nodiscard]] Result<> put_rules(const Prepared &rules, const kernel::ObjectSet &objects);
/// Empties the places of sets that no rule names any more.
void clear_sets(const live::RuleRecord &rules, const kernel::ObjectSet &objects);

} // namespace beeline::local
