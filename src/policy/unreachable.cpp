// SPDX-License-Identifier: Apache-2.0
//
// Rules that can never match. Each is compared with single earlier rules: a rule that several others take together is
// not found.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <beeline/rules/words.hpp>

#include "policy/lower.hpp"
#include "policy/region.hpp"

namespace beeline::policy {

namespace {

using Regions = std::array<Region, 3>;

Regions regions(const Rule &rule, std::span<const Set> sets, Names &names) {
    return {Region(Region::v4, rule, sets, names), Region(Region::v6, rule, sets, names),
            Region(Region::other, rule, sets, names)};
}

bool empty(const Regions &regions) {
    return std::all_of(regions.begin(), regions.end(), [](const Region &region) { return region.empty(); });
}

bool contains(const Regions &outer, const Regions &inner) {
    return outer[0].contains(inner[0]) && outer[1].contains(inner[1]) && outer[2].contains(inner[2]);
}

} // namespace

void warn_unreachable(const std::vector<Rule> &rules, std::span<const rules::SourceString *const> sources,
                      std::span<const Set> sets, rules::Diagnostics &diagnostics) {
    Names names;
    std::vector<Regions> seen;
    seen.reserve(rules.size());
    for (std::size_t i = 0; i < std::min(rules.size(), sources.size()); ++i) {
        seen.push_back(regions(rules[i], sets, names));
        const auto warn = [&](std::string message, std::string hint) {
            const std::string &text = sources[i]->text();
            const std::size_t start = text.find_first_not_of(" \t\r\n");
            diagnostics.push_back(sources[i]->diagnostic(rules::Severity::warning, start, text.size() - start,
                                                         std::move(message), std::move(hint)));
        };
        if (empty(seen[i])) {
            warn(fmt::format("rule {} can never match", i + 1), "its conditions exclude each other");
            continue;
        }
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            // A rule with a rate lets packets through to the rules behind it.
            if (rules[earlier].rate || !contains(seen[earlier], seen[i]))
                continue;
            warn(fmt::format("rule {} can never match: rule {} takes all its packets: {}", i + 1, earlier + 1,
                             rules::in_quotes(rules[earlier].text)),
                 fmt::format("put it before rule {} or remove it", earlier + 1));
            break;
        }
    }
}

} // namespace beeline::policy
