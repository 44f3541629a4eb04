// SPDX-License-Identifier: Apache-2.0
#include "cli/top_view.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <beeline/edge/judge.hpp>

#include "cli/duration.hpp"
#include "cli/output.hpp"

namespace beeline::cli {
namespace {

struct Rate {
    double packets = 0; ///< A second.
    double bits = 0;
};

using Rules = std::vector<live::RuleStatus>;

double seconds_between(const TopView &view) {
    return std::chrono::duration<double>(view.now.time - view.before.time).count();
}

/// Rates by rule; a rule is known by its text and which of equal texts it is, as its counters are.
std::vector<Rate> rates(const Rules &before, const Rules &now, double seconds) {
    using Key = std::pair<std::string, unsigned>;
    std::map<Key, live::RuleStatus> old;
    std::map<std::string, unsigned> seen;
    for (const live::RuleStatus &rule : before)
        old[{rule.text, ++seen[rule.text]}] = rule;
    seen.clear();
    std::vector<Rate> all;
    for (const live::RuleStatus &rule : now) {
        Rate rate;
        const auto was = old.find({rule.text, ++seen[rule.text]});
        // Fewer than before: down and up happened in between.
        if (was != old.end() && seconds > 0 && rule.packets >= was->second.packets && rule.bytes >= was->second.bytes) {
            rate.packets = static_cast<double>(rule.packets - was->second.packets) / seconds;
            rate.bits = 8 * static_cast<double>(rule.bytes - was->second.bytes) / seconds;
        }
        all.push_back(rate);
    }
    return all;
}

std::string devices_line(const edge::Status &status) {
    std::string text;
    for (const edge::DeviceStatus &device : status.devices)
        text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", device.name, edge::mode_name(device.mode),
                            device.attached ? "" : " (gone)");
    return text.empty() ? "no device" : text;
}

Table rules_table(const edge::Status &status, const std::vector<Rate> &rule_rates) {
    Table table{{{"#", true}, {"pps", true}, {"bit/s", true}, {"packets", true}, {"rule"}}, {}};
    for (std::size_t i = 0; i < status.rules.size(); ++i)
        table.rows.push_back({std::to_string(i + 1), scaled(rule_rates[i].packets), scaled(rule_rates[i].bits),
                              grouped(status.rules[i].packets), status.rules[i].text});
    return table;
}

std::string odd_line(std::string_view head, const std::vector<std::pair<std::string, std::uint64_t>> &odd) {
    std::string text;
    for (const auto &[name, count] : odd)
        if (count != 0)
            text += fmt::format("{}{} {}", text.empty() ? head : ", ", name, grouped(count));
    return text;
}

bool is_drop(const live::RuleStatus &rule) {
    return rule.text.ends_with("drop"); // the action ends a rule: "in -> log drop"
}

/// What a guest's rules let pass, and what they dropped.
std::vector<std::string> guest_row(const guest::GuestStatus *before, const guest::GuestStatus &now, double seconds) {
    const std::vector<Rate> by_rule = rates(before ? before->rules : Rules{}, now.rules, seconds);
    Rate passed, dropped;
    std::uint64_t packets = 0, drops = 0;
    for (std::size_t i = 0; i < now.rules.size(); ++i) {
        const bool drop = is_drop(now.rules[i]);
        (drop ? drops : packets) += now.rules[i].packets;
        (drop ? dropped : passed).packets += by_rule[i].packets;
        (drop ? dropped : passed).bits += by_rule[i].bits;
    }
    return {now.name + (now.attached ? "" : " (gone)"),
            std::string(guest::name(now.wiring)),
            scaled(passed.packets),
            scaled(passed.bits),
            grouped(packets),
            scaled(dropped.packets),
            grouped(drops),
            grouped(now.flows)};
}

/// A table, a line below it if it is not empty, and a blank one: at most height lines (0: as many as there are).
std::vector<std::string> section(const Table &table, const std::string &below, const char *more, std::size_t height) {
    std::vector<std::string> lines = table_lines(table);
    const std::size_t after = below.empty() ? 1 : 2;
    const std::size_t room = height == 0 ? lines.size() : height > after ? height - after : 1;
    if (lines.size() > room) {
        lines.resize(room);
        lines.back() = more;
    }
    if (!below.empty())
        lines.push_back(below);
    lines.emplace_back();
    if (height != 0 && lines.size() > height)
        lines.resize(height);
    return lines;
}

/// At most height lines (0: as many as there are); nothing when there are no guests.
std::vector<std::string> guest_lines(const TopView &view, std::size_t height) {
    if (!view.now.guests)
        return {};
    const guest::Status &now = *view.now.guests;
    Table table{{{"guest"},
                 {"by"},
                 {"pps", true},
                 {"bit/s", true},
                 {"packets", true},
                 {"drops/s", true},
                 {"drops", true},
                 {"flows", true}},
                {}};
    for (const guest::GuestStatus &guest : now.guests) {
        const guest::GuestStatus *before = nullptr;
        if (view.before.guests)
            for (const guest::GuestStatus &old : view.before.guests->guests)
                before = old.name == guest.name ? &old : before;
        table.rows.push_back(guest_row(before, guest, seconds_between(view)));
    }
    return section(table, odd_line("guests, odd: ", now.odd), "  ... more guests: beeline status", height);
}

/// What a rule's connections sent by one way, as if it were packets.
Rules by_way(const std::vector<local::Rule> &rules, std::uint64_t local::Rule::*messages,
             std::uint64_t local::Rule::*bytes) {
    Rules as_packets;
    for (const local::Rule &rule : rules)
        as_packets.push_back({.text = rule.text, .packets = rule.*messages, .bytes = rule.*bytes});
    return as_packets;
}

/// At most height lines (0: as many as there are); nothing when [local] is not up.
std::vector<std::string> local_lines(const TopView &view, std::size_t height) {
    if (!view.now.local)
        return {};
    const std::vector<local::Rule> &now = view.now.local->rules;
    const std::vector<local::Rule> before = view.before.local ? view.before.local->rules : std::vector<local::Rule>();
    const auto rates_of = [&](auto messages, auto bytes) {
        return rates(by_way(before, messages, bytes), by_way(now, messages, bytes), seconds_between(view));
    };
    const std::vector<Rate> by_short = rates_of(&local::Rule::short_messages, &local::Rule::short_bytes);
    const std::vector<Rate> by_tcp = rates_of(&local::Rule::tcp_messages, &local::Rule::tcp_bytes);
    Table table{{{"connections", true},
                 {"short msg/s", true},
                 {"bit/s", true},
                 {"TCP msg/s", true},
                 {"bit/s", true},
                 {"rule of [local]"}},
                {}};
    for (std::size_t i = 0; i < now.size(); ++i)
        table.rows.push_back({grouped(now[i].connections), scaled(by_short[i].packets), scaled(by_short[i].bits),
                              scaled(by_tcp[i].packets), scaled(by_tcp[i].bits), now[i].text});
    return section(table, odd_line("on TCP: ", view.now.local->reasons), "  ... more rules: beeline status", height);
}

/// The edge in one line and its devices.
std::vector<std::string> edge_head(const edge::Status &status, const std::vector<Rate> &rule_rates) {
    Rate total;
    std::uint64_t packets = 0;
    for (std::size_t i = 0; i < rule_rates.size(); ++i) {
        total.packets += rule_rates[i].packets;
        total.bits += rule_rates[i].bits;
        packets += status.rules[i].packets;
    }
    std::vector<std::string> lines;
    lines.push_back(fmt::format("beeline  generation {}  {} pps  {}bit/s  {} packets", status.generation,
                                scaled(total.packets), scaled(total.bits), grouped(packets)));
    lines.push_back(devices_line(status));
    if (status.rollback_in)
        lines.push_back(fmt::format("rolls back in {} unless: beeline confirm", to_text(*status.rollback_in)));
    lines.emplace_back();
    return lines;
}

std::vector<std::string> without_edge(const TopView &view, std::size_t height) {
    if (!view.now.guests && !view.now.local)
        return {"nothing is up"};
    const std::size_t half = height == 0 ? 0 : std::max<std::size_t>(1, height / 2);
    std::vector<std::string> lines = guest_lines(view, view.now.local ? half : height);
    if (height != 0 && lines.size() >= height)
        return lines;
    const std::vector<std::string> local = local_lines(view, height == 0 ? 0 : height - lines.size());
    lines.insert(lines.end(), local.begin(), local.end());
    return lines;
}

} // namespace

std::vector<std::string> top_lines(const TopView &view, std::size_t height) {
    constexpr std::size_t kLeast = 3; // of a section: the head, one row, that there are more
    if (!view.now.status)
        return without_edge(view, height);
    const edge::Status &status = *view.now.status;
    const std::vector<Rate> rule_rates =
        rates(view.before.status ? view.before.status->rules : Rules{}, status.rules, seconds_between(view));
    std::vector<std::string> lines = edge_head(status, rule_rates);
    // Half of the screen is theirs.
    const std::size_t share = height == 0 ? 0 : std::max(kLeast, height / (view.now.guests && view.now.local ? 4 : 3));
    for (const auto &part : {guest_lines(view, share), local_lines(view, share)})
        lines.insert(lines.end(), part.begin(), part.end());

    std::vector<std::string> rules = table_lines(rules_table(status, rule_rates));
    std::vector<std::string> below;
    if (const std::string odd = odd_line("odd: ", status.odd); !odd.empty())
        below.push_back(odd);
    below.push_back(view.note);
    std::vector<std::string> events;
    for (const edge::LogEvent &event : view.events)
        events.push_back(edge::one_line(event));

    if (height != 0) {
        // Events get a third of what is left, more when the rules need less; the newest are shown.
        const std::size_t fixed = lines.size() + below.size() + 1;
        const std::size_t room = height > fixed ? height - fixed : 0;
        const std::size_t for_events =
            std::min(events.size(), std::max(room / 3, room > rules.size() ? room - rules.size() : 0));
        events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(for_events));
        if (rules.size() > room - for_events) {
            rules.resize(std::max<std::size_t>(1, room - for_events));
            rules.back() = "  ... more rules: beeline status";
        }
    }
    lines.insert(lines.end(), rules.begin(), rules.end());
    lines.emplace_back();
    lines.insert(lines.end(), below.begin(), below.end());
    lines.insert(lines.end(), events.begin(), events.end());
    if (height != 0 && lines.size() > height)
        lines.resize(height);
    return lines;
}

} // namespace beeline::cli
