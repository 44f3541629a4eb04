// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <beeline/local/local.hpp>

#include "local/objects.hpp"
#include "local/record.hpp"

namespace beeline::local {
namespace {

using kernel::ObjectSet;

constexpr const char *kReasonNames[] = BL_LOCAL_REASON_NAMES;
static_assert(std::size(kReasonNames) == BL_LOCAL_REASONS);

std::string reason_name(std::uint32_t reason) {
    return reason < BL_LOCAL_REASONS ? kReasonNames[reason] : "unknown";
}

kernel::IpAddress address_of(const __u32 (&words)[4], bool v6) {
    kernel::IpAddress address{.v6 = v6};
    std::memcpy(address.bytes.data(), words, address.size());
    return address;
}

End end_of(const bl_local_end &raw) {
    const bool v6 = (raw.flags & BL_END_V6) != 0;
    return {.here = (raw.flags & BL_END_HERE) != 0,
            .active = (raw.flags & BL_END_ACTIVE) != 0,
            .filed = (raw.flags & BL_END_FILED) != 0,
            .cookie = raw.cookie,
            .local = address_of(raw.local, v6),
            .remote = address_of(raw.remote, v6),
            .local_port = raw.local_port,
            .remote_port = raw.remote_port,
            .uid = raw.uid,
            .pid = raw.tgid,
            .process = std::string(raw.comm, strnlen(raw.comm, sizeof raw.comm)),
            .rule = raw.rule,
            .short_bytes = raw.short_bytes,
            .short_messages = raw.short_messages,
            .tcp_bytes = raw.tcp_bytes,
            .tcp_messages = raw.tcp_messages};
}

std::uint32_t rule_of(const bl_local_pair &raw) {
    for (const bl_local_end &end : raw.end)
        if (end.judged == BL_LOCAL_ACCELERATE)
            return end.rule;
    return BL_LOCAL_NO_RULE;
}

Result<std::vector<Connection>> connections_of(const ObjectSet &objects) {
    BL_TRY(const auto map, objects.map<PairMap>("local_pairs"));
    BL_TRY(const auto entries, map.entries());
    std::vector<Connection> connections;
    for (const auto &[key, raw] : entries)
        connections.push_back({.state = static_cast<State>(raw.state),
                               .reason = raw.state == BL_PAIR_TCP ? reason_name(raw.reason) : "",
                               .rule = rule_of(raw),
                               .since = std::chrono::nanoseconds(raw.since_ns),
                               .ends = {end_of(raw.end[0]), end_of(raw.end[1])}});
    return connections;
}

void add_live(const Connection &connection, Rule &rule) {
    for (const End &end : connection.ends) {
        rule.short_bytes += end.short_bytes;
        rule.short_messages += end.short_messages;
        rule.tcp_bytes += end.tcp_bytes;
        rule.tcp_messages += end.tcp_messages;
    }
}

/// What closed connections have sent; add_live() adds the others.
Result<std::vector<Rule>> rules_of(const live::RuleRecord &record, const ObjectSet &objects) {
    BL_TRY(const auto hits, objects.map<live::HitsMap>("local_hits"));
    BL_TRY(const auto chosen, objects.map<ChosenMap>("local_chosen"));
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < record.texts.size(); ++i) {
        const std::uint32_t counter = record.counter_of_rule[i];
        BL_TRY(const bl_hits by_short, live::read_hits(hits, counter));
        BL_TRY(const bl_local_chosen other, chosen.sum(counter, [](bl_local_chosen &sum, const bl_local_chosen &one) {
            sum.connections += one.connections;
            sum.tcp_bytes += one.tcp_bytes;
            sum.tcp_messages += one.tcp_messages;
        }));
        rules.push_back({.text = record.texts[i],
                         .line = record.lines[i],
                         .connections = other.connections,
                         .short_bytes = by_short.bytes,
                         .short_messages = by_short.packets,
                         .tcp_bytes = other.tcp_bytes,
                         .tcp_messages = other.tcp_messages});
    }
    return rules;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> reasons_of(const ObjectSet &objects) {
    BL_TRY(const auto map, objects.map<ReasonMap>("local_reasons"));
    std::vector<std::pair<std::string, std::uint64_t>> reasons;
    for (std::uint32_t reason = 1; reason < BL_LOCAL_REASONS; ++reason) {
        BL_TRY(const std::uint64_t count, map.sum(reason));
        if (count != 0)
            reasons.emplace_back(reason_name(reason), count);
    }
    return reasons;
}

} // namespace

std::string_view name(State state) {
    constexpr std::string_view kNames[] = {"half", "watched", "wanted", "on", "tcp"};
    return kNames[static_cast<std::size_t>(state)];
}

Result<Status> Local::status() const {
    const std::filesystem::path directory = pins_ / kLive;
    BL_TRY(const Record record, read_record(directory));
    BL_TRY(const ObjectSet objects, open_pinned(directory));
    BL_TRY(const auto settings_map, objects.map<SettingsMap>("local_settings"));
    BL_TRY(const auto settings, settings_map.lookup(0));
    Status status{.file = record.file, .since = std::chrono::system_clock::from_time_t(record.since)};
    if (settings) {
        status.draining = settings->draining != 0;
        status.limit = settings->limit;
        status.lowat = settings->lowat;
        status.thresholds = {.run_length = settings->run_length,
                             .min_mean = settings->min_mean,
                             .min_turns = settings->min_turns,
                             .min_receives = settings->min_receives};
    }
    BL_TRY(status.rules, rules_of(record.rules, objects));
    BL_TRY(status.reasons, reasons_of(objects));
    BL_TRY(status.connections, connections_of(objects));
    for (const Connection &connection : status.connections) {
        ++status.by_state.at(static_cast<std::size_t>(connection.state));
        if (connection.rule < status.rules.size())
            add_live(connection, status.rules[connection.rule]);
    }
    return status;
}

} // namespace beeline::local
