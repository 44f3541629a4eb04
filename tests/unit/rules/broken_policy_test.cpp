// SPDX-License-Identifier: Apache-2.0
//
// Errors between rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/edge.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(BrokenPolicy, NothingStandsBehindTheFallback) {
    EXPECT_THAT(
        test::lines(test::parse({"tcp -> drop", "fallback -> pass", "udp -> drop"}).diagnostics),
        ElementsAre("r:1:1: error: a rule behind the fallback; the fallback takes every packet and comes last"));
    EXPECT_THAT(test::lines(test::parse({"fallback -> drop", "fallback -> pass"}).diagnostics),
                ElementsAre("r:1:1: error: a second fallback; the fallback takes every packet and comes last"));
}

TEST(BrokenPolicy, AMissingFallbackIsPass) {
    const auto [result, diagnostics] = test::parse({"tcp -> drop"});
    EXPECT_THAT(diagnostics, IsEmpty());
    ASSERT_THAT(result.rules, SizeIs(2));
    EXPECT_EQ(result.rules[1].match, edge::Match{});
    EXPECT_EQ(result.rules[1].action, edge::Action{});
    EXPECT_EQ(result.rules[1].text, "fallback -> pass");
    EXPECT_EQ(result.rules[1].where.line, 0u);
    EXPECT_THAT(test::parse({}).result.rules, SizeIs(1));
}

TEST(BrokenPolicy, HasNoMoreRulesThanTheTables) {
    std::vector<std::string> texts;
    for (int i = 0; i < BL_EDGE_MAX_RULES - 1; ++i)
        texts.push_back("dport " + std::to_string(i) + " -> drop");
    EXPECT_THAT(test::parse(texts).diagnostics, IsEmpty());
    texts.emplace_back("fallback -> drop");
    EXPECT_THAT(test::parse(texts).diagnostics, IsEmpty());
    EXPECT_THAT(test::parse(texts).result.rules, SizeIs(BL_EDGE_MAX_RULES));
    texts.back() = "udp -> drop";
    EXPECT_THAT(
        test::lines(test::parse(texts).diagnostics),
        ElementsAre("r:1:1: error: more than 1024 rules, the fallback included; put addresses and ports into [sets]"));
}

TEST(BrokenPolicy, StopsWhereTheErrorsAreTooMany) {
    const auto [result, diagnostics] = test::parse(std::vector<std::string>(500, "foo -> drop"));
    EXPECT_THAT(diagnostics, SizeIs(51));
    EXPECT_EQ(diagnostics.back().message, "too many errors; this rule and those behind it were not looked at");
}

} // namespace
} // namespace beeline
