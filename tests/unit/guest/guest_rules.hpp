// SPDX-License-Identifier: Apache-2.0
//
// What the tests of guests' rules share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <beeline/guest/parse.hpp>

namespace beeline::guest::test {

/// Sets there are: @peers (prefixes), @web (ports), @cards (MAC addresses).
inline const std::vector<policy::Set> &named_sets() {
    static const std::vector<policy::Set> sets{{"peers", policy::SetType::prefix, {}, {}, {}},
                                               {"web", policy::SetType::port, {}, {}, {}},
                                               {"cards", policy::SetType::mac, {}, {}, {}}};
    return sets;
}

/// The rules as a config would bring them; each is a file "r" of its own. All that is said is on one line each.
inline std::pair<policy::ParsedRules, std::vector<std::string>> parse(const std::vector<std::string> &texts) {
    std::vector<rules::SourceString> sources;
    for (const std::string &text : texts)
        sources.emplace_back(text, "r");
    rules::Diagnostics diagnostics;
    policy::ParsedRules parsed = parse_rules(sources, named_sets(), diagnostics);
    std::vector<std::string> said;
    for (const rules::Diagnostic &diagnostic : diagnostics)
        said.push_back(diagnostic.one_line());
    return {std::move(parsed), std::move(said)};
}

} // namespace beeline::guest::test
