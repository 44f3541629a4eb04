// SPDX-License-Identifier: Apache-2.0
#include "cost/cases.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "cost/edge.hpp"
#include "cost/local.hpp"
#include "lab/conversation.hpp"
#include "lab/guest_programs.hpp"
#include "lab/receivers.hpp"

namespace beeline::cost {
namespace {

constexpr unsigned kRuns = 5;

using Rows = std::vector<lab::Row>;

/// What is set up once and yields one row or more.
struct Entry {
    std::string part;
    std::string subject;
    std::vector<std::string> cases; ///< Of the rows, in the order of what measure returns.
    std::function<Result<std::vector<std::vector<double>>>()> measure; ///< The runs of each row.
};

/// A TCP connection over a path.
Entry over(std::string part, std::string subject, std::function<Result<lab::Path>(lab::Lab &)> make) {
    return {.part = std::move(part),
            .subject = std::move(subject),
            .cases = {"rr-64B", "stream-KiB", "connection"},
            .measure = [make = std::move(make)]() -> Result<std::vector<std::vector<double>>> {
                BL_TRY(lab::Lab lab, lab::Lab::create("cost"));
                BL_TRY(const lab::Path path, make(lab));
                BL_TRY(lab::Costs costs, lab::converse(path, kRuns));
                return std::vector{std::move(costs.transaction), std::move(costs.kib), std::move(costs.connection)};
            }};
}

/// The edge's program alone, dropping.
Entry dropped(std::string name, std::vector<std::string> rules) {
    return {.part = "edge",
            .subject = "beeline",
            .cases = {std::move(name)},
            .measure = [rules = std::move(rules)]() -> Result<std::vector<std::vector<double>>> {
                BL_TRY(auto costs, drop(rules, kRuns));
                return std::vector<std::vector<double>>{std::move(costs)};
            }};
}

/// The guests' programs alone.
Entry programs(std::string subject, unsigned rules) {
    std::vector<std::string> names;
    for (const std::string &name : lab::GuestLab::names())
        names.push_back("testrun-" + name);
    return {.part = "guest",
            .subject = std::move(subject),
            .cases = std::move(names),
            .measure = [rules]() -> Result<std::vector<std::vector<double>>> {
                BL_TRY(lab::Lab lab, lab::Lab::create("cost"));
                BL_TRY(const auto guests, lab::GuestLab::create(lab, rules));
                BL_TRY(lab::GuestCosts costs, guests->measure(kRuns));
                std::vector<std::vector<double>> figures;
                for (lab::ProgramCost &program : costs.programs)
                    figures.push_back(std::move(program.runs));
                return figures;
            }};
}

/// Guests of Beeline, wired so, with these rules.
Entry through(std::string subject, guest::Mode mode, std::vector<std::string> rules,
              std::optional<std::uint32_t> mtu = {}) {
    return over("guest", std::move(subject),
                [mode, mtu, rules = std::move(rules)](lab::Lab &lab) { return guest_path(lab, mode, rules, mtu); });
}

std::vector<Entry> table() {
    return {over("guest", "limit:loopback", lab::loopback),
            over("guest", "stock:veth-routed", lab::routed_veth),
            over("guest", "stock:netkit-routed", lab::routed_netkit),
            through("beeline", guest::Mode::netkit_l3, {}),
            through("beeline:100-rules", guest::Mode::netkit_l3, lab::hundred_rules()),
            through("beeline:mtu-65535", guest::Mode::netkit_l3, {}, 65535),
            through("beeline:l2", guest::Mode::netkit_l2, {}),
            through("beeline:veth", guest::Mode::veth, {}),
            through("beeline:veth-100-rules", guest::Mode::veth, lab::hundred_rules()),
            programs("beeline", 1),
            programs("beeline:100-rules", 100),
            dropped("testrun-drop-1-rule", lab::one_rule()),
            dropped("testrun-drop-10-rules", lab::ten_rules()),
            over("local", "beeline:not-chosen", beside_the_short_cut)};
}

std::vector<std::string> names_of(const Entry &entry) {
    std::vector<std::string> names;
    for (const std::string &name : entry.cases)
        names.push_back(name + " " + entry.subject);
    return names;
}

bool wanted(const std::string &name, std::span<const std::string> words) {
    return words.empty() || std::ranges::any_of(words, [&](const auto &word) { return name.contains(word); });
}

Result<> check_words(const std::vector<Entry> &entries, const std::vector<std::string> &words) {
    std::string all;
    for (const Entry &entry : entries)
        for (const std::string &name : names_of(entry))
            all.append(all.empty() ? "" : ", ").append(name);
    for (const std::string &word : words)
        if (!all.contains(word))
            return fail(Kind::usage, 0, fmt::format("no case or subject has '{}' in its name", word),
                        "there are: " + all);
    return {};
}

} // namespace

Result<Rows> measure(const std::vector<std::string> &words) {
    const std::vector<Entry> entries = table();
    BL_CHECK(check_words(entries, words));
    Rows rows;
    for (const Entry &entry : entries) {
        const auto names = names_of(entry);
        if (std::ranges::none_of(names, [&](const auto &name) { return wanted(name, words); }))
            continue;
        auto figures = entry.measure();
        if (!figures)
            return std::unexpected(std::move(figures).error().within(names.front()));
        for (std::size_t i = 0; i < names.size(); ++i)
            if (wanted(names[i], words))
                rows.push_back({.part = entry.part,
                                .name = entry.cases[i],
                                .subject = entry.subject,
                                .unit = "instructions",
                                .figure = lab::spread(std::move((*figures)[i]))});
    }
    return rows;
}

} // namespace beeline::cost
