// SPDX-License-Identifier: Apache-2.0
//
// The language with words other than the edge's, as later parts bring them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/rules/parser.hpp>

#include "unit/rules/edge_rules.hpp"

namespace beeline::rules {
namespace {

using testing::ElementsAre;

constexpr ValueSpec kName{.kind = ValueKind::name, .expected = "a name", .negatable = true, .list = true};
const MatchWord kMatches[] = {
    {.name = "domain", .value = kName},
    {.name = "domain suffix", .value = kName},
    {.name = "cgroup", .value = kName},
    {.name = "in"},
    {.name = "dport", .value = {.kind = ValueKind::number, .expected = "a port", .limits = {0, 65535}, .range = true}},
};
const Parameter kUpstream[] = {{"", kName, 1}, {"timeout", {.kind = ValueKind::number, .expected = "seconds"}, 2}};
const ActionWord kActions[] = {{.name = "direct"}, {.name = "upstream", .parameters = kUpstream}};
const Vocabulary kWords{.part = "proxy", .matches = kMatches, .actions = kActions};

struct Outcome {
    std::optional<RuleTree> tree;
    std::vector<std::string> said;
};

Outcome read(const std::string &text) {
    Diagnostics diagnostics;
    auto tree = parse(SourceString(text, "r"), kWords, diagnostics);
    return {std::move(tree), test::lines(diagnostics)};
}

TEST(Vocabulary, TakesNamesOfOneOrTwoWords) {
    const auto [tree, said] = read("in domain suffix example.com cgroup /system.slice/a.service dport <1024 "
                                   "-> upstream work timeout 5");
    ASSERT_TRUE(tree) << said.front();
    ASSERT_EQ(tree->conditions.size(), 4u);
    EXPECT_EQ(tree->conditions[1].word, &kMatches[1]);
    EXPECT_EQ(tree->conditions[1].items[0].text, "example.com");
    EXPECT_EQ(tree->conditions[2].items[0].text, "/system.slice/a.service");
    EXPECT_EQ(std::get<Interval>(tree->conditions[3].items[0].value), (Interval{0, 1023}));
    ASSERT_EQ(tree->actions.size(), 1u);
    ASSERT_EQ(tree->actions[0].arguments.size(), 2u);
    EXPECT_EQ(tree->actions[0].arguments[0].item.text, "work");
    EXPECT_EQ(tree->actions[0].arguments[1].parameter->id, 2);
}

TEST(Vocabulary, PrefersTheLongerNameAndLeavesTheShorterItsValues) {
    EXPECT_EQ(read("domain example.com -> direct").tree->conditions[0].word, &kMatches[0]);
    EXPECT_EQ(read("domain 'suffix' -> direct").tree->conditions[0].items[0].text, "suffix");
}

TEST(Vocabulary, QuotedWordsHoldWhatTheLanguageUses) {
    const auto [tree, said] = read("cgroup !{'/a b', '/c,d', '{->!<>}'}->direct");
    ASSERT_TRUE(tree) << said.front();
    EXPECT_TRUE(tree->conditions[0].negated);
    EXPECT_EQ(tree->conditions[0].items[0].text, "/a b");
    EXPECT_EQ(tree->conditions[0].items[2].text, "{->!<>}");
}

TEST(Vocabulary, HasNoRateUnlessThePartWantsIt) {
    EXPECT_THAT(read("rate over 5/s -> direct").said,
                ElementsAre("r:1:1: error: unknown match 'rate'; expected a match or '->'"));
}

TEST(Vocabulary, IsAllThatTheMessagesKnow) {
    EXPECT_THAT(read("domian example.com -> dirct").said,
                ElementsAre("r:1:1: error: unknown match 'domian'; expected a match or '->'; did you mean 'domain'?",
                            "r:1:23: error: unknown action 'dirct'; expected an action; did you mean 'direct'?"));
}

TEST(Parser, EndsWhateverItIsGiven) {
    EXPECT_THAT(read("").said, ElementsAre("r:1:1: error: the rule is empty; expected 'matches -> action'"));
    EXPECT_THAT(read(" \n\t ").said, ElementsAre("r:1:1: error: the rule is empty; expected 'matches -> action'"));
    EXPECT_THAT(read(std::string("in\0 -> direct", 13)).said,
                ElementsAre("r:1:3: error: control character 0x00; only blanks, tabs and line ends may stand between "
                            "words"));
    EXPECT_THAT(read("in -> direct" + std::string(kMaxRuleBytes, ' ')).said,
                ElementsAre("r:1:1: error: the rule has 16396 bytes, at most 16384 are allowed; put long lists into "
                            "[sets]"));
    std::string list = "cgroup {a";
    for (int i = 0; i < 2000; ++i)
        list += ",a";
    EXPECT_THAT(read(list + "} -> direct").said,
                ElementsAre("r:1:8: error: more than 1024 values in a list; put them into a set of [sets]"));
    EXPECT_EQ(read(std::string(10000, '{')).said.size(), 2u);
    std::string wrong;
    for (int i = 0; i < 1000; ++i)
        wrong += "dport x ";
    EXPECT_EQ(read(wrong).said.size(), kMaxErrorsPerRule);
}

TEST(Parser, TextIsFoldedOutsideOfQuotes) {
    EXPECT_EQ(folded("  tcp \n\t dport   80 -> drop "), "tcp dport 80 -> drop");
    EXPECT_EQ(folded("cgroup '/a  b'  -> x"), "cgroup '/a  b' -> x");
}

} // namespace
} // namespace beeline::rules
