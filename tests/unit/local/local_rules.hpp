// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the short cut's rules share.
#pragma once

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <beeline/local/parse.hpp>
#include <beeline/local/policy.hpp>

namespace beeline::local::test {

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

/// The policy of good rules.
inline Policy policy_of(const std::vector<std::string> &texts) {
    auto [parsed, said] = parse(texts);
    for (const std::string &line : said)
        ADD_FAILURE() << line;
    Policy policy;
    policy.sets = named_sets();
    std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy.sets));
    policy.rules = std::move(parsed.rules);
    return policy;
}

} // namespace beeline::local::test
