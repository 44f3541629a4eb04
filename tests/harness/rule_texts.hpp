// SPDX-License-Identifier: Apache-2.0
//
// Rules as texts, for the tests of every part that has some.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/policy/parse.hpp>

namespace beeline::harness {

/// Sets there are: @peers (prefixes), @web (ports), @cards (MAC addresses).
inline const std::vector<policy::Set> &named_sets() {
    static const std::vector<policy::Set> sets{{"peers", policy::SetType::prefix, {}, {}, {}},
                                               {"web", policy::SetType::port, {}, {}, {}},
                                               {"cards", policy::SetType::mac, {}, {}, {}}};
    return sets;
}

/// The rules as a config would bring them to parse_rules, a part's; each is a file "r" of its own. All that is said is
/// on one line each.
template <class Parse>
std::pair<policy::ParsedRules, std::vector<std::string>> parse_texts(Parse &&parse_rules,
                                                                     const std::vector<std::string> &texts) {
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

/// The rule is good, `normal` is its normal form, and that means the same. parse: of a list of texts, as above.
template <class Parse>
void expect_normal_form(Parse &&parse, const std::string &rule, const std::string &normal) {
    const auto [parsed, said] = parse({rule});
    EXPECT_THAT(said, testing::IsEmpty()) << rule;
    ASSERT_FALSE(parsed.rules.empty()) << rule;
    EXPECT_EQ(policy::to_text(parsed.rules[0], parsed.sets), normal);
    const auto again = parse({normal}).first;
    ASSERT_FALSE(again.rules.empty()) << normal;
    EXPECT_EQ(again.rules[0].match, parsed.rules[0].match) << normal;
    EXPECT_EQ(again.rules[0].action, parsed.rules[0].action) << normal;
    EXPECT_EQ(policy::to_text(again.rules[0], again.sets), normal);
}

} // namespace beeline::harness
