// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/guest/guest_rules.hpp"

namespace beeline::guest {
namespace {

using policy::Direction;

struct Good {
    std::string rule, normal;
};

const Good kGood[] = {
    {"in tcp dport 80 -> pass", "in tcp dport 80 -> pass"},
    {"dport http tcp in -> pass", "in tcp dport 80 -> pass"},
    {"out dst 169.254.169.254 -> drop", "out dst 169.254.169.254 -> drop"},
    {"out -> drop", "out -> drop"},
    {"tcp -> drop", "tcp -> drop"},
    {"in icmpv6 type 135 code 0 -> log pass", "in icmpv6 type neighbour-solicitation code 0 -> log pass"},
    {"out ip proto {udp, 132} src !@peers sport @web -> log every 10 drop",
     "out ip proto {udp, sctp} src !@peers sport @web -> log every 10 drop"},
    {"in src {10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9} -> drop",
     "in src {10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, "
     "10.0.0.9} -> drop"},
    {"out proto 47 -> drop", "out gre -> drop"},
    {"fallback -> log drop", "fallback -> log drop"},
};

TEST(GuestRules, HaveANormalFormThatParsesToTheSame) {
    for (const Good &good : kGood) {
        harness::expect_normal_form(test::parse, good.rule, good.normal);
    }
}

TEST(GuestRules, AreForBothDirectionsUnlessTheySay) {
    const auto rules = test::parse({"in tcp -> drop", "out udp -> drop", "icmp -> drop"}).first.rules;
    ASSERT_EQ(rules.size(), 4u);
    EXPECT_EQ(rules[0].match.direction, Direction::in);
    EXPECT_EQ(rules[1].match.direction, Direction::out);
    EXPECT_EQ(rules[2].match.direction, std::nullopt);
    EXPECT_EQ(rules[3].match, policy::Match{});
}

TEST(GuestRules, EndWithPassWhenNoFallbackIsWritten) {
    const auto rules = test::parse({}).first.rules;
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(rules[0].text, "fallback -> pass");
    EXPECT_EQ(rules[0].action, policy::Action{});
}

TEST(GuestRules, HaveHelpForEveryWord) {
    for (const rules::MatchWord &word : vocabulary().matches)
        EXPECT_FALSE(word.help.empty()) << word.name;
    for (const rules::ActionWord &word : vocabulary().actions)
        EXPECT_FALSE(word.help.empty()) << word.name;
}

TEST(GuestRules, CannotBeReachedBehindOneThatTakesTheirPackets) {
    EXPECT_THAT(
        test::parse({"in -> pass", "in tcp dport 80 -> drop", "out tcp dport 80 -> drop"}).second,
        testing::ElementsAre("r:1:1: warning: rule 2 can never match: rule 1 takes all its packets: 'in -> pass'; "
                             "put it before rule 1 or remove it"));
    EXPECT_THAT(test::parse({"tcp -> pass", "in tcp dport 80 -> drop"}).second, testing::SizeIs(1));
    EXPECT_THAT(test::parse({"in tcp -> pass", "tcp dport 80 -> drop", "out -> drop"}).second, testing::IsEmpty());
}

} // namespace
} // namespace beeline::guest
