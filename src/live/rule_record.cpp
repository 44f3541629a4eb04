// SPDX-License-Identifier: Apache-2.0
#include "live/rule_record.hpp"

#include <nlohmann/json.hpp>

namespace beeline::live {

using nlohmann::json;

bool is_named(const SetPlace &set) {
    return !set.name.starts_with('$');
}

Result<SetPlace> find_set(const std::vector<SetPlace> &sets, const std::string &name) {
    std::string names;
    for (const SetPlace &set : sets) {
        if (set.name == name)
            return set;
        if (is_named(set))
            names += (names.empty() ? "" : ", ") + set.name;
    }
    return fail(Kind::usage, 0, "no set @" + name + " is live",
                names.empty() ? "the live config has no sets" : "there are: " + names);
}

void add_rules(const RuleRecord &rules, json &to) {
    json sets = json::array();
    for (const SetPlace &set : rules.sets)
        sets.push_back(
            {{"name", set.name}, {"type", static_cast<int>(set.type)}, {"index", set.index}, {"digest", set.digest}});
    to["texts"] = rules.texts;
    to["lines"] = rules.lines;
    to["counter_of_rule"] = rules.counter_of_rule;
    to["counters"] = rules.counters;
    to["sets"] = std::move(sets);
}

void read_rules(RuleRecord &rules, const json &from) {
    from.at("texts").get_to(rules.texts);
    from.at("lines").get_to(rules.lines);
    from.at("counter_of_rule").get_to(rules.counter_of_rule);
    from.at("counters").get_to(rules.counters);
    for (const json &set : from.at("sets"))
        rules.sets.push_back({.name = set.at("name"),
                              .type = static_cast<policy::SetType>(set.at("type").get<int>()),
                              .index = set.at("index"),
                              .digest = set.at("digest")});
    if (rules.lines.size() != rules.texts.size() || rules.counter_of_rule.size() != rules.texts.size())
        throw json::other_error::create(501, "the lists of rules have different lengths", &from);
}

Result<bl_hits> read_hits(const HitsMap &hits, std::uint32_t counter) {
    return hits.sum(counter, [](bl_hits &total, const bl_hits &value) {
        total.packets += value.packets;
        total.bytes += value.bytes;
    });
}

Result<std::vector<RuleStatus>> rule_status(const RuleRecord &rules, const HitsMap &hits) {
    std::vector<RuleStatus> status;
    for (std::size_t i = 0; i < rules.texts.size(); ++i) {
        BL_TRY(const bl_hits sum, read_hits(hits, rules.counter_of_rule.at(i)));
        status.push_back({rules.texts[i], rules.lines.at(i), sum.packets, sum.bytes});
    }
    return status;
}

} // namespace beeline::live
