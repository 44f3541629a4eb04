// SPDX-License-Identifier: Apache-2.0
#include "cli/top_view.hpp"

#include <algorithm>
#include <map>

#include <beeline/edge/judge.hpp>

#include "cli/duration.hpp"
#include "cli/output.hpp"

namespace beeline::cli {
namespace {

struct Rate {
    double packets = 0; ///< A second.
    double bits = 0;
};

/// Rates by rule; a rule is known by its text and which of equal texts it is, as its counters are.
std::vector<Rate> rates(const Sample &before, const Sample &now) {
    using Key = std::pair<std::string, unsigned>;
    std::map<Key, edge::RuleStatus> old;
    std::map<std::string, unsigned> seen;
    if (before.status)
        for (const edge::RuleStatus &rule : before.status->rules)
            old[{rule.text, ++seen[rule.text]}] = rule;
    seen.clear();
    const double seconds = std::chrono::duration<double>(now.time - before.time).count();
    std::vector<Rate> all;
    for (const edge::RuleStatus &rule : now.status->rules) {
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

std::string odd_line(const edge::Status &status) {
    std::string text;
    for (const auto &[name, count] : status.odd)
        if (count != 0)
            text += fmt::format("{}{} {}", text.empty() ? "odd: " : ", ", name, grouped(count));
    return text;
}

} // namespace

std::vector<std::string> top_lines(const TopView &view, std::size_t height) {
    if (!view.now.status)
        return {"no edge is up"};
    const edge::Status &status = *view.now.status;
    const std::vector<Rate> rule_rates = rates(view.before, view.now);
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

    std::vector<std::string> rules = table_lines(rules_table(status, rule_rates));
    std::vector<std::string> below;
    if (const std::string odd = odd_line(status); !odd.empty())
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
