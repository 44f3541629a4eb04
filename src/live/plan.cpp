// SPDX-License-Identifier: Apache-2.0
#include "live/plan.hpp"

#include <map>

#include <beeline/policy/expand.hpp>

namespace beeline::live {
namespace {

void plan_sets(const std::vector<SetPlace> &before, const std::vector<policy::Set> &sets, RulePlan &plan) {
    std::map<std::string, std::uint64_t> was;
    for (const SetPlace &set : before)
        if (is_named(set))
            was[set.name] = set.digest;
    for (const policy::Set &set : sets) {
        if (set.name.starts_with('$'))
            continue;
        const auto found = was.find(set.name);
        if (found == was.end())
            plan.sets_added.push_back(set.name);
        else if (found->second != policy::digest(policy::set_table(set, 0)))
            plan.sets_changed.push_back(set.name);
        was.erase(set.name);
    }
    for (const auto &[name, digest_was] : was)
        plan.sets_removed.push_back(name);
}

} // namespace

RulePlan plan_rules(const RuleRecord &before, const std::vector<policy::Rule> &rules,
                    const std::vector<policy::Set> &sets) {
    std::vector<std::string> texts;
    for (const policy::Rule &rule : rules)
        texts.push_back(rule.text);
    RulePlan plan;
    plan.rules_added = missing_in(texts, before.texts);
    plan.rules_removed = missing_in(before.texts, texts);
    plan.reordered = missing_in(texts, plan.rules_added) != missing_in(before.texts, plan.rules_removed);
    plan_sets(before.sets, sets, plan);
    return plan;
}

} // namespace beeline::live
