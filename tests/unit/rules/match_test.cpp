// SPDX-License-Identifier: Apache-2.0
//
// What words become in edge::Rule, where it is not plain from the normal form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

using edge::Family;
using edge::Rule;

Rule rule(const std::string &text) {
    const auto [result, diagnostics] = test::parse({text});
    for (const std::string &line : test::lines(diagnostics))
        ADD_FAILURE() << line;
    return result.rules.empty() ? Rule{} : result.rules.front();
}

TEST(Match, FlagsWithoutAMaskLookAtTheHandshakeFlagsAndThoseNamed) {
    EXPECT_EQ(*rule("flags syn -> drop").match.flags, (edge::TcpFlags{false, 0x02, 0x17}));
    EXPECT_EQ(*rule("flags !syn,ack -> drop").match.flags, (edge::TcpFlags{true, 0x12, 0x17}));
    EXPECT_EQ(*rule("flags psh -> drop").match.flags, (edge::TcpFlags{false, 0x08, 0x1f}));
    EXPECT_EQ(*rule("flags syn/syn -> drop").match.flags, (edge::TcpFlags{false, 0x02, 0x02}));
    EXPECT_EQ(*rule("flags none/all -> drop").match.flags, (edge::TcpFlags{false, 0, 0xff}));
}

TEST(Match, IcmpIsOfItsFamily) {
    EXPECT_EQ(rule("icmp -> drop").match.ip, Family::v4);
    EXPECT_EQ(rule("icmpv6 -> drop").match.ip, Family::v6);
    EXPECT_EQ(rule("proto icmp -> drop").match.ip, std::nullopt);
    EXPECT_EQ(rule("proto icmp type 8 -> drop").match.ip, Family::v4);
    EXPECT_EQ(rule("tcp -> drop").match.ip, std::nullopt);
}

TEST(Match, NegatedListsOfOneFamilyStayWithinIt) {
    const Rule one = rule("src !10.0.0.0/8 -> drop");
    EXPECT_EQ(one.match.ip, std::nullopt);
    EXPECT_EQ(one.match.src->any_of.size(), 1u);
    EXPECT_TRUE(one.match.src->set.empty());
    const Rule two = rule("src !{10.0.0.0/8, 172.16.0.0/12} -> drop");
    EXPECT_EQ(two.match.ip, Family::v4);
    EXPECT_EQ(two.match.src->set, "$1");
    EXPECT_EQ(rule("src !{10.0.0.0/8, fc00::/7} -> drop").match.ip, std::nullopt);
    EXPECT_EQ(rule("src !@block -> drop").match.ip, std::nullopt);
}

TEST(Match, LongListsBecomeSetsInTheirOrder) {
    std::string eight, macs;
    for (int i = 1; i <= 8; ++i)
        eight += (i == 1 ? "10.0.0." : ", 10.0.0.") + std::to_string(i);
    for (int i = 1; i <= 9; ++i)
        macs += (i == 1 ? "02:00:00:00:00:0" : ", 02:00:00:00:00:0") + std::to_string(i);
    const auto [result, diagnostics] =
        test::parse({"src {" + eight + "} -> drop", "src {" + eight + ", fe80::1} dst !{::1, ::2} -> drop",
                     "mac src {" + macs + "} -> drop"});
    EXPECT_THAT(diagnostics, testing::IsEmpty());
    EXPECT_EQ(result.rules[0].match.src->any_of.size(), 8u);
    EXPECT_EQ(result.rules[1].match.src->set, "$1");
    EXPECT_EQ(result.rules[1].match.dst->set, "$2");
    EXPECT_EQ(result.rules[2].match.src_mac->set, "$3");
    ASSERT_EQ(result.sets.size(), 3u);
    EXPECT_EQ(result.sets[0].name, "$1");
    EXPECT_EQ(result.sets[0].prefixes.size(), 9u);
    EXPECT_EQ(result.sets[1].prefixes.size(), 2u);
    EXPECT_EQ(result.sets[2].type, edge::SetType::mac);
    EXPECT_EQ(result.sets[2].macs.size(), 9u);
}

TEST(Match, WhatNamesL4FieldsAndRewritesIsNotForFragments) {
    EXPECT_EQ(rule("tcp dport 80 -> rewrite dst 10.0.0.1").match.fragment, edge::Fragment::none);
    EXPECT_EQ(rule("tcp -> rewrite dport 80").match.fragment, edge::Fragment::none);
    EXPECT_EQ(rule("icmp type 8 -> rewrite ttl 1").match.fragment, edge::Fragment::none);
    EXPECT_EQ(rule("tcp dport 80 fragment none -> rewrite ttl 1").match.fragment, edge::Fragment::none);
    EXPECT_EQ(rule("tcp -> rewrite dst 10.0.0.1").match.fragment, std::nullopt);
    EXPECT_EQ(rule("tcp dport 80 -> pass").match.fragment, std::nullopt);
}

TEST(Match, NewAddressesLimitTheRuleToTheirFamily) {
    EXPECT_EQ(rule("tcp -> rewrite src 10.0.0.1").match.ip, Family::v4);
    EXPECT_EQ(rule("udp src {10.0.0.1, ::1} -> rewrite dst ::2").match.ip, Family::v6);
    EXPECT_EQ(rule("tcp -> rewrite ttl 5").match.ip, std::nullopt);
}

TEST(Match, VlanAnyAndNoneAreAboutTheTag) {
    EXPECT_EQ(rule("vlan any -> drop").match.tagged, true);
    EXPECT_EQ(rule("vlan none -> drop").match.tagged, false);
    EXPECT_EQ(rule("vlan none -> drop").match.vlan, std::nullopt);
    EXPECT_EQ(rule("vlan 0 -> drop").match.tagged, std::nullopt);
}

TEST(Rate, BurstIsATenthOfASecondAndAtLeastOne) {
    EXPECT_EQ(rule("rate over 1000/s -> drop").rate->burst, 100u);
    EXPECT_EQ(rule("rate over 9/s -> drop").rate->burst, 1u);
    EXPECT_EQ(rule("rate over 6000/m -> drop").rate->burst, 10u);
    EXPECT_EQ(rule("rate over 1/h -> drop").rate->burst, 1u);
    EXPECT_EQ(rule("rate over 1/h burst 720 -> drop").rate->burst, 720u);
    EXPECT_EQ(rule("rate over 1/h -> drop").rate->period, std::chrono::hours(1));
}

TEST(Action, LogAloneMeansEveryPacket) {
    EXPECT_EQ(rule("tcp -> log drop").action.log_every, 1u);
    EXPECT_EQ(rule("tcp -> log every 7 drop").action.log_every, 7u);
    EXPECT_EQ(rule("tcp -> drop").action.log_every, 0u);
}

TEST(Rule, KeepsItsTextAndPlace) {
    const Rule r = rule("  tcp\tdport  80\n ->   drop ");
    EXPECT_EQ(r.text, "tcp dport 80 -> drop");
    EXPECT_EQ(r.where.file, "r");
    EXPECT_EQ(r.where.line, 1u);
    EXPECT_EQ(r.where.column, 3u);
    EXPECT_EQ(r.where.length, 13u);
}

} // namespace
} // namespace beeline
