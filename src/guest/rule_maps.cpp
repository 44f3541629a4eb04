// SPDX-License-Identifier: Apache-2.0
#include "guest/rule_maps.hpp"

#include <algorithm>

#include <beeline/kernel/map_in_map.hpp>

namespace beeline::guest {
namespace {

constexpr std::uint32_t kMaxSet = BL_SET_NONE - 1; ///< bl_extra names sets by a byte.

/// The place may hold members of a set of somebody who died. What was added to the set at run time comes along from
/// where the set was before its file changed.
Result<> fill_set(const policy::SetTable &set, const Numbers &numbers, const Objects &objects) {
    const live::SetMaps maps = set_maps(objects);
    BL_CHECK(live::clear_set({.name = set.name, .type = set.type, .index = set.index, .digest = 0}, maps));
    BL_CHECK(live::fill_set(set, maps));
    std::vector<live::SetPlace> before = numbers.sets();
    std::erase_if(before, [&set](const live::SetPlace &one) { return one.index == set.index; });
    return live::carry_runtime_entries(before, maps, {set}, maps);
}

Result<> clear_counters(const std::vector<std::uint32_t> &slots, const Objects &objects) {
    BL_TRY(auto hits, objects.map<live::HitsMap>("guest_hits"));
    for (const std::uint32_t slot : slots)
        BL_CHECK(hits.fill(slot, bl_hits{}));
    return {};
}

/// Gives out the numbers for one guest, and remembers them for drop_rules().
class Giver {
public:
    Giver(const Ruled *before, Numbers &numbers) : before_(before), numbers_(numbers) {}

    Binding binding() {
        return {.counter = [this](const std::string &identity) { return counter(identity); },
                .set = [this](const policy::Set &set) { return place(set); }};
    }

    Ruled ruled;
    std::vector<std::uint32_t> new_counters, new_sets;

private:
    Result<std::uint32_t> counter(const std::string &identity) {
        if (before_)
            if (const auto known = before_->counters.find(identity); known != before_->counters.end())
                return ruled.counters[identity] = known->second;
        BL_TRY(const std::uint32_t slot, numbers_.take_counter());
        new_counters.push_back(slot);
        return ruled.counters[identity] = slot;
    }

    Result<std::uint32_t> place(const policy::Set &set) {
        const std::uint64_t digest = policy::digest(policy::set_table(set, 0));
        BL_TRY(const auto taken, numbers_.take_set(set.name, set.type, digest));
        ruled.sets.push_back({.name = set.name, .type = set.type, .index = taken.first, .digest = digest});
        if (taken.second)
            new_sets.push_back(taken.first);
        return taken.first;
    }

    const Ruled *before_;
    Numbers &numbers_;
};

void describe(const Policy &policy, const Tables &tables, Ruled &ruled) {
    for (std::size_t i = 0; i < tables.rules.size(); ++i) {
        ruled.texts.push_back(tables.rules[i].text);
        ruled.lines.push_back(policy.rules[i].where.line);
        ruled.counter_of_rule.push_back(tables.rules[i].counter);
    }
    ruled.digest = policy::digest(std::as_bytes(std::span(tables.in)));
    ruled.digest = policy::digest(std::as_bytes(std::span(tables.out)), ruled.digest);
    ruled.open = tables.open;
    ruled.out_counter = tables.out.back().entry.counter;
    ruled.in_counter = tables.in.back().entry.counter;
}

} // namespace

void Numbers::add(const Ruled &ruled) {
    for (const auto &[identity, slot] : ruled.counters)
        counters_.insert(slot);
    for (const live::SetPlace &set : ruled.sets) {
        Use &use = sets_[set.index];
        use.set = set;
        ++use.guests;
    }
}

Result<std::uint32_t> Numbers::take_counter() {
    std::uint32_t slot = 1; // 0 is nobody's
    for (const std::uint32_t taken : counters_) {
        if (taken != slot)
            break;
        ++slot;
    }
    if (slot >= BL_GUEST_MAX_COUNTERS)
        return fail(Kind::config, 0,
                    "all guests together have more than " + std::to_string(BL_GUEST_MAX_COUNTERS - 1) + " rules");
    counters_.insert(slot);
    return slot;
}

Result<std::pair<std::uint32_t, bool>> Numbers::take_set(const std::string &name, policy::SetType type,
                                                         std::uint64_t digest) {
    std::uint32_t free = 0;
    for (auto &[index, use] : sets_) {
        if (use.set.name == name && use.set.type == type && use.set.digest == digest) {
            ++use.guests;
            return std::pair(index, false);
        }
        free += free == index ? 1 : 0;
    }
    if (free > kMaxSet)
        return fail(Kind::config, 0,
                    "all guests together have more than " + std::to_string(kMaxSet + 1) + " sets that differ");
    sets_[free] = {.set = {.name = name, .type = type, .index = free, .digest = digest}, .guests = 1};
    return std::pair(free, true);
}

std::vector<live::SetPlace> Numbers::sets() const {
    std::vector<live::SetPlace> places;
    for (const auto &[index, use] : sets_)
        places.push_back(use.set);
    return places;
}

bool Numbers::free_set(std::uint32_t index) {
    const auto use = sets_.find(index);
    if (use == sets_.end() || --use->second.guests != 0)
        return false;
    sets_.erase(use);
    return true;
}

Result<Prepared> prepare_rules(const Policy &policy, const Ruled *before, Numbers &numbers, const Objects &objects) {
    Giver giver(before, numbers);
    auto prepared = [&]() -> Result<Prepared> {
        BL_TRY(const Tables tables, compile(policy, giver.binding()));
        BL_CHECK(clear_counters(giver.new_counters, objects));
        for (const policy::SetTable &set : tables.sets)
            if (std::ranges::count(giver.new_sets, set.index) != 0)
                BL_CHECK(fill_set(set, numbers, objects));
        describe(policy, tables, giver.ruled);
        Prepared made;
        BL_TRY(made.in, kernel::make_table("guest_table", tables.in));
        BL_TRY(made.out, kernel::make_table("guest_table", tables.out));
        made.ruled = giver.ruled;
        return made;
    }();
    if (!prepared) {
        drop_rules(giver.ruled, before, numbers, objects);
        return std::unexpected(std::move(prepared).error().within("guest " + policy.name));
    }
    return prepared;
}

live::SetMaps set_maps(const Objects &objects) {
    return {.name = "guest_set",
            .sets4 = objects.fd("guest_sets4"),
            .sets6 = objects.fd("guest_sets6"),
            .members = objects.fd("guest_members"),
            .timed = objects.fd("guest_timed")};
}

Result<> put_rules(const std::vector<std::pair<std::uint32_t, const Prepared *>> &rules, const Objects &objects) {
    std::vector<std::uint32_t> indexes;
    std::vector<int> fds;
    for (const auto &[slot, prepared] : rules) {
        indexes.insert(indexes.end(), {slot * 2 + BL_GUEST_IN, slot * 2 + BL_GUEST_OUT});
        fds.insert(fds.end(), {prepared->in.get(), prepared->out.get()});
    }
    BL_TRY(auto tables, kernel::MapInMap::share(objects.fd("guest_tables")));
    return tables.update_all(indexes, fds);
}

Result<> put_rules(std::uint32_t slot, const Prepared &rules, const Objects &objects) {
    return put_rules({{slot, &rules}}, objects);
}

/// By a table that drops, for emptying a slot waits for programs, each one by itself.
Result<> forget_rules(const std::vector<std::uint32_t> &slots, const Objects &objects) {
    bl_guest_row drop{};
    drop.entry.verdict = BL_GUEST_DROP;
    Prepared nobodys;
    BL_TRY(nobodys.in, kernel::make_table("guest_table", std::vector{drop}));
    BL_TRY(nobodys.out, nobodys.in.duplicate());
    std::vector<std::pair<std::uint32_t, const Prepared *>> rules;
    for (const std::uint32_t slot : slots)
        rules.emplace_back(slot, &nobodys);
    return put_rules(rules, objects);
}

void drop_rules(const Ruled &rules, const Ruled *keep, Numbers &numbers, const Objects &objects) {
    for (const auto &[identity, slot] : rules.counters)
        if (!keep || !keep->counters.contains(identity))
            numbers.free_counter(slot);
    for (const live::SetPlace &set : rules.sets)
        if (numbers.free_set(set.index))
            (void)live::clear_set(set, set_maps(objects));
}

} // namespace beeline::guest
