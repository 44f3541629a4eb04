// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

/// Does the second rule get a warning that the first takes all its packets?
bool shadows(const std::string &earlier, const std::string &later) {
    const auto [result, diagnostics] = test::parse({earlier + " -> drop", later + " -> pass"});
    EXPECT_FALSE(rules::has_errors(diagnostics)) << earlier << " / " << later << ": " << diagnostics.front().one_line();
    for (const rules::Diagnostic &d : diagnostics)
        EXPECT_EQ(d.message.substr(0, 40), "rule 2 can never match: rule 1 takes all") << d.one_line();
    return !diagnostics.empty();
}

TEST(Unreachable, NamesTheRuleThatTakesAll) {
    const auto [result, diagnostics] =
        test::parse({"udp -> pass", "tcp -> drop", "dport 53 -> pass", "tcp  dport 80 flags syn -> pass"});
    EXPECT_THAT(
        test::lines(diagnostics),
        testing::ElementsAre("r:1:1: warning: rule 4 can never match: rule 2 takes all its packets: 'tcp -> drop'; "
                             "put it before rule 2 or remove it"));
}

TEST(Unreachable, ByNarrowerConditions) {
    EXPECT_TRUE(shadows("src 10.0.0.0/8", "src 10.1.0.0/16"));
    EXPECT_FALSE(shadows("src 10.1.0.0/16", "src 10.0.0.0/8"));
    EXPECT_TRUE(shadows("src 10.0.0.0/8", "src {10.1.0.0/16, 10.2.3.4} tcp"));
    EXPECT_FALSE(shadows("src 10.0.0.0/8", "src {10.1.0.0/16, 11.2.3.4}"));
    EXPECT_TRUE(shadows("src {10.0.0.0/9, 10.128.0.0/9}", "src 10.0.0.0/8"));
    EXPECT_TRUE(shadows("dport 1-100", "dport {1-50, 51-100} sport 5"));
    EXPECT_TRUE(shadows("dport !22", "dport 23-99"));
    EXPECT_FALSE(shadows("dport !22", "dport 22-99"));
    EXPECT_TRUE(shadows("ttl <10", "ttl 0-9"));
    EXPECT_TRUE(shadows("flags syn/syn", "flags syn"));
    EXPECT_FALSE(shadows("flags syn", "flags syn/syn"));
    EXPECT_TRUE(shadows("vlan any", "vlan 5"));
    EXPECT_TRUE(shadows("vlan any", "inner-vlan 5"));
    EXPECT_TRUE(shadows("device !eth1", "device eth0"));
    EXPECT_FALSE(shadows("device eth1", "device eth0"));
    EXPECT_TRUE(shadows("fragment", "fragment later"));
    EXPECT_TRUE(shadows("mac src !02:00:00:00:00:01", "mac src 02:00:00:00:00:02"));
    EXPECT_TRUE(shadows("src !{10.0.0.0/8, 11.0.0.0/8}", "src 12.0.0.0/8"));
}

TEST(Unreachable, ByWhatConditionsImply) {
    EXPECT_TRUE(shadows("ip", "src 10.0.0.0/8"));
    EXPECT_TRUE(shadows("ip", "icmp type echo-request"));
    EXPECT_TRUE(shadows("ethertype ip", "src 10.0.0.0/8"));
    EXPECT_FALSE(shadows("ip", "ethertype ip")); // a broken IP header is no IP
    EXPECT_TRUE(shadows("tcp", "flags syn"));
    EXPECT_TRUE(shadows("proto {tcp, udp, sctp, dccp, udplite}", "dport 80"));
    EXPECT_FALSE(shadows("proto {tcp, udp}", "dport 80"));
    EXPECT_TRUE(shadows("dport 0-65535", "flags syn"));
    EXPECT_FALSE(shadows("dport 0-65535", "tcp")); // a later fragment has no ports
    EXPECT_TRUE(shadows("malformed none", "dport 80"));
    EXPECT_FALSE(shadows("src !10.0.0.0/8", "src fe80::/10")); // negated prefixes are for their own family
    EXPECT_TRUE(shadows("src !{10.0.0.0/8, fc00::/7}", "src fe80::/10"));
    EXPECT_TRUE(shadows("ethertype !arp", "ip"));
}

TEST(Unreachable, NamedSetsChangeAndAreComparedByName) {
    EXPECT_TRUE(shadows("src @block", "src @block tcp"));
    EXPECT_FALSE(shadows("src @block", "src @other"));
    EXPECT_FALSE(shadows("src @block", "src !@block"));
    EXPECT_FALSE(shadows("src 0.0.0.0/0", "src @block")); // there may be IPv6 prefixes in it
    EXPECT_TRUE(shadows("src {0.0.0.0/0, ::/0}", "src @block"));
    EXPECT_FALSE(shadows("src @block", "src 10.0.0.1"));
    EXPECT_TRUE(shadows("dport 0-65535", "dport @web"));
}

TEST(Unreachable, ARateLetsPacketsThrough) {
    EXPECT_FALSE(shadows("tcp rate over 5/s", "tcp dport 80"));
    EXPECT_TRUE(shadows("tcp", "tcp dport 80 rate over 5/s"));
    EXPECT_FALSE(shadows("tcp rate over 5/s", "tcp rate over 5/s"));
}

TEST(Unreachable, WhatIsRewrittenMustBeThere) {
    const auto warnings = [](const std::string &later) {
        return test::parse({"tcp -> rewrite dport 80", later + " -> drop"}).diagnostics.size();
    };
    EXPECT_EQ(warnings("tcp fragment none"), 0u); // a TCP header that is cut short has no ports
    EXPECT_EQ(warnings("tcp fragment none dport 1-9"), 1u);
}

TEST(Unreachable, IsNotLookedForWhereThereAreErrors) {
    EXPECT_THAT(test::parse({"tcp -> drop", "tcp dport 80 -> drop", "foo -> drop"}).diagnostics, testing::SizeIs(1));
}

} // namespace
} // namespace beeline
