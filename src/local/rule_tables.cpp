// SPDX-License-Identifier: Apache-2.0
#include "local/rule_tables.hpp"

#include <algorithm>
#include <set>
#include <span>

#include <beeline/kernel/map_in_map.hpp>

#include "local/objects.hpp"

namespace beeline::local {
namespace {

using kernel::ObjectSet;

/// Sets of rules that are live and sets of those that come after them never share a place: two halves take turns.
constexpr std::uint32_t kHalf = BL_LOCAL_MAX_SETS / 2;

std::uint32_t first_place(const live::RuleRecord *before) {
    const auto low = [](const live::SetPlace &set) { return set.index < kHalf; };
    return before && std::ranges::any_of(before->sets, low) ? kHalf : 0;
}

void move_sets(Tables &tables, std::uint32_t first) {
    for (policy::SetTable &set : tables.sets)
        set.index += first;
    for (bl_local_row &row : tables.rows)
        for (__u8 &index : row.extra.sets)
            if (index != BL_SET_NONE)
                index = static_cast<__u8>(index + first);
}

/// Counters of rules that stay, and free ones, cleared, for the others.
class Counters {
public:
    Counters(const live::RuleRecord *before, const ObjectSet &objects) : before_(before), objects_(objects) {
        if (before)
            for (const auto &[identity, slot] : before->counters)
                taken_.insert(slot);
    }

    Result<std::uint32_t> of(const std::string &identity) {
        if (before_)
            if (const auto known = before_->counters.find(identity); known != before_->counters.end())
                return given[identity] = known->second;
        std::uint32_t slot = 1; // 0 is nobody's
        while (taken_.contains(slot))
            ++slot;
        if (slot >= BL_LOCAL_MAX_COUNTERS)
            return fail(Kind::config, 0, "no counter is free for this rule", "`beeline down`, then up");
        taken_.insert(slot);
        BL_TRY(auto hits, objects_.map<live::HitsMap>("local_hits"));
        BL_TRY(auto chosen, objects_.map<ChosenMap>("local_chosen"));
        BL_CHECK(hits.fill(slot, bl_hits{}));
        BL_CHECK(chosen.fill(slot, bl_local_chosen{}));
        return given[identity] = slot;
    }

    std::map<std::string, std::uint32_t> given;

private:
    const live::RuleRecord *before_;
    const ObjectSet &objects_;
    std::set<std::uint32_t> taken_;
};

} // namespace

Result<Prepared> prepare_rules(const Policy &policy, const live::RuleRecord *before, const ObjectSet &objects) {
    Counters counters(before, objects);
    BL_TRY(
        Tables tables,
        compile(policy, {.counter = [&](const std::string &identity) { return counters.of(identity); }, .cgroup = {}}));
    if (tables.sets.size() > kHalf)
        return fail(Kind::config, 0, std::to_string(tables.sets.size()) + " sets in [local]",
                    "at most " + std::to_string(kHalf) + ", those of long lists in rules included");
    Prepared made;
    made.cgroups = tables.cgroups;
    made.digest = policy::digest(std::as_bytes(std::span(tables.rows)));
    for (const policy::SetTable &set : tables.sets)
        made.digest ^= policy::digest(set);
    move_sets(tables, first_place(before));
    for (const policy::SetTable &set : tables.sets) {
        const live::SetPlace place{
            .name = set.name, .type = set.type, .index = set.index, .digest = policy::digest(set)};
        (void)live::clear_set(place, set_maps(objects)); // what somebody who died has left there
        BL_CHECK(live::fill_set(set, set_maps(objects)));
        made.rules.sets.push_back(place);
    }
    for (std::size_t i = 0; i < tables.rules.size(); ++i) {
        made.rules.texts.push_back(tables.rules[i].text);
        made.rules.lines.push_back(policy.rules[i].where.line);
        made.rules.counter_of_rule.push_back(tables.rules[i].counter);
    }
    made.rules.counters = std::move(counters.given);
    BL_TRY(made.table, kernel::make_table("local_table", tables.rows));
    return made;
}

Result<> put_rules(const Prepared &rules, const ObjectSet &objects) {
    BL_TRY(auto tables, objects.map<kernel::MapInMap>("local_tables"));
    return tables.update(0, rules.table.get());
}

void clear_sets(const live::RuleRecord &rules, const ObjectSet &objects) {
    for (const live::SetPlace &set : rules.sets)
        (void)live::clear_set(set, set_maps(objects));
}

} // namespace beeline::local
