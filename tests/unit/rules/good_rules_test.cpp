// SPDX-License-Identifier: Apache-2.0
//
// Rules, their normal form, and that the normal form means the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/policy/names.hpp>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

struct Good {
    std::string rule;
    std::string normal;
};

const Good kGood[] = {
    {"src @block -> drop", "src @block -> drop"},
    {"src !@block -> drop", "src !@block -> drop"},
    {"tcp dport 22 src 10.0.0.0/8 -> pass", "tcp src 10.0.0.0/8 dport 22 -> pass"},
    {"tcp flags syn dport 443 rate over 1000/s per src -> drop",
     "tcp dport 443 flags syn rate over 1000/s per src -> drop"},
    {"udp dport 7999 -> rewrite dport 7998", "udp dport 7999 fragment none -> rewrite dport 7998 pass"},
    {"udp dport 4789 -> xsk capture", "udp dport 4789 -> xsk capture"},
    {"fallback -> pass", "fallback -> pass"},
    {"fallback->log every 10 drop", "fallback -> log every 10 drop"},
    // Protocols and families.
    {"icmp->drop", "icmp -> drop"},
    {"icmpv6 -> drop", "icmpv6 -> drop"},
    {"proto icmp -> drop", "proto icmp -> drop"},
    {"proto 1 ipv6 -> drop", "ipv6 proto icmp -> drop"},
    {"proto icmp ip -> drop", "icmp -> drop"},
    {"proto 6 -> drop", "tcp -> drop"},
    {"proto {6, udp, 6} -> drop", "proto {tcp, udp} -> drop"},
    {"proto !{6, udp} -> drop", "proto !{tcp, udp} -> drop"},
    {"proto 250 -> drop", "proto 250 -> drop"},
    {"ipv6 gre -> drop", "ipv6 gre -> drop"},
    {"arp -> drop", "arp -> drop"},
    {"ethertype 0x806 -> drop", "arp -> drop"},
    {"ethertype {ip, 0x88cc, 33024, 1} -> drop", "ethertype {ip, lldp, vlan, 0x0001} -> drop"},
    {"ethertype !arp -> drop", "ethertype !arp -> drop"},
    // Addresses.
    {"dst 2001:DB8::/32 -> drop", "dst 2001:db8::/32 -> drop"},
    {"src !10.0.0.0/8 -> drop", "src !10.0.0.0/8 -> drop"},
    {"src {10.0.0.1/32, fe80::/10,10.0.0.1} -> drop", "src {10.0.0.1, fe80::/10} -> drop"},
    {"src !{10.0.0.0/8, 192.0.2.1} -> drop", "ip src !{10.0.0.0/8, 192.0.2.1} -> drop"},
    {"src !{fc00::/7, fe80::/10} -> drop", "ipv6 src !{fc00::/7, fe80::/10} -> drop"},
    {"src !{10.0.0.0/8, fc00::/7} -> drop", "src !{10.0.0.0/8, fc00::/7} -> drop"},
    {"dst {1.0.0.1,1.0.0.2,1.0.0.3,1.0.0.4,1.0.0.5,1.0.0.6,1.0.0.7,1.0.0.8,1.0.0.9} src !{10.0.0.1, ::2} -> drop", ""},
    // Ports, flags, ICMP.
    {"dport {80, https, 8000-8100} sport !1024-65535 -> drop", "sport !1024-65535 dport {80, 443, 8000-8100} -> drop"},
    {"dport <1024 sport >1023 -> drop", "sport 1024-65535 dport 0-1023 -> drop"},
    {"dport @web sport !@web -> drop", "sport !@web dport @web -> drop"},
    {"flags ack -> drop", "flags ack -> drop"},
    {"flags psh,syn -> drop", "flags syn,psh -> drop"},
    {"flags none -> drop", "flags none -> drop"},
    {"flags all -> drop", "flags all -> drop"},
    {"tcp flags !syn/syn,ack -> drop", "tcp flags !syn/syn,ack -> drop"},
    {"flags syn,ack/all -> drop", "flags syn,ack/all -> drop"},
    {"flags none/fin,syn,rst,ack -> drop", "flags none -> drop"},
    {"icmp type echo-request -> tx", "icmp type echo-request -> tx"},
    {"icmp type {8, 0, 42} code !0 -> drop", "icmp type {echo-request, echo-reply, 42} code !0 -> drop"},
    {"icmp type unreachable code port-unreachable -> drop", "icmp type unreachable code port-unreachable -> drop"},
    {"proto 58 type neighbor-solicitation -> pass", "icmpv6 type neighbour-solicitation -> pass"},
    {"icmpv6 type 1 code 4 -> pass", "icmpv6 type unreachable code port-unreachable -> pass"},
    // The rest of the fields.
    {"vlan 5 inner-vlan !{1, 2} -> drop", "vlan 5 inner-vlan !{1, 2} -> drop"},
    {"vlan any inner-vlan 0 -> drop", "vlan any inner-vlan 0 -> drop"},
    {"vlan none -> drop", "vlan none -> drop"},
    {"mac src 02:00:00:00:00:0A mac dst !@cards -> drop", "mac src 02:00:00:00:00:0a mac dst !@cards -> drop"},
    {"mac src !{02:00:00:00:00:01, 02:00:00:00:00:02} -> drop",
     "mac src !{02:00:00:00:00:01, 02:00:00:00:00:02} -> drop"},
    {"ttl <2 -> drop", "ttl 0-1 -> drop"},
    {"ttl >250 -> drop", "ttl >250 -> drop"},
    {"ttl >254 -> drop", "ttl 255 -> drop"},
    {"ttl !{1, 5-9} -> drop", "ttl !{1, 5-9} -> drop"},
    {"dscp {ef, 1, 63} -> drop", "dscp {ef, le, 63} -> drop"},
    {"length >1500 -> drop", "length >1500 -> drop"},
    {"length 0-63 -> drop", "length 0-63 -> drop"},
    {"fragment -> drop", "fragment -> drop"},
    {"fragment first options -> drop", "fragment first options -> drop"},
    {"fragment later malformed -> drop", "fragment later malformed -> drop"},
    {"fragment none options none malformed none -> drop", "fragment none options none malformed none -> drop"},
    {"device {eth0, 'we!rd'} -> drop", "device {eth0, 'we!rd'} -> drop"},
    {"device !eth0 -> drop", "device !eth0 -> drop"},
    // Rates.
    {"rate over 5/m -> drop", "rate over 5/m -> drop"},
    {"udp rate over 1000/s burst 100 -> drop", "udp rate over 1000/s -> drop"},
    {"udp rate over 1000/s burst 101 per src -> drop", "udp rate over 1000/s burst 101 per src -> drop"},
    {"udp rate over 10000000/s per src burst 10000000 -> drop",
     "udp rate over 10000000/s burst 10000000 per src -> drop"},
    {"udp rate over 36000000000/h -> drop", "udp rate over 36000000000/h -> drop"},
    // Actions.
    {"tcp -> abort", "tcp -> abort"},
    {"tcp -> cpu 255", "tcp -> cpu 255"},
    {"tcp -> redirect pass", "tcp -> redirect pass"},
    {"tcp -> redirect 'a->b'", "tcp -> redirect 'a->b'"},
    {"tcp -> log pass", "tcp -> log pass"},
    {"tcp -> rewrite ttl 64 log tx", "tcp -> log rewrite ttl 64 tx"},
    {"ip -> rewrite src 10.0.0.1 dst 10.0.0.2 mac dst 02:00:00:00:00:01 mac src 02:00:00:00:00:02 dscp ef ttl 9 "
     "redirect e",
     "ip -> rewrite src 10.0.0.1 dst 10.0.0.2 dscp ef ttl 9 mac src 02:00:00:00:00:02 mac dst 02:00:00:00:00:01 "
     "redirect e"},
    {"tcp dst ::1 -> rewrite dst ::2 sport http", "ipv6 tcp dst ::1 fragment none -> rewrite dst ::2 sport 80 pass"},
    {"dst 10.0.0.1 fragment -> rewrite dst 10.0.0.2", "ip dst 10.0.0.1 fragment -> rewrite dst 10.0.0.2 pass"},
    {"proto {tcp, udp} -> rewrite sport 1", "proto {tcp, udp} fragment none -> rewrite sport 1 pass"},
    {"arp -> rewrite mac src 02:00:00:00:00:01", "arp -> rewrite mac src 02:00:00:00:00:01 pass"},
};

TEST(GoodRules, HaveANormalFormThatParsesToTheSame) {
    for (const Good &good : kGood) {
        const auto [result, diagnostics] = test::parse({good.rule});
        EXPECT_THAT(test::lines(diagnostics), testing::IsEmpty()) << good.rule;
        ASSERT_FALSE(result.rules.empty()) << good.rule;
        const std::string normal = edge::to_text(result.rules[0], result.sets);
        if (!good.normal.empty()) {
            EXPECT_EQ(normal, good.normal);
        }
        const auto again = test::parse({normal}).result;
        ASSERT_FALSE(again.rules.empty()) << normal;
        EXPECT_EQ(again.rules[0].match, result.rules[0].match) << normal;
        EXPECT_EQ(again.rules[0].rate, result.rules[0].rate) << normal;
        EXPECT_EQ(again.rules[0].action, result.rules[0].action) << normal;
        EXPECT_EQ(edge::to_text(again.rules[0], again.sets), normal);
        ASSERT_EQ(again.sets.size(), result.sets.size());
        for (std::size_t i = 0; i < again.sets.size(); ++i) {
            EXPECT_EQ(again.sets[i].prefixes, result.sets[i].prefixes);
            EXPECT_EQ(again.sets[i].macs, result.sets[i].macs);
        }
    }
}

TEST(GoodRules, EveryNameOfANumberParsesToItsNumber) {
    for (const rules::NamedNumber &name : policy::protocols()) {
        const auto rule = test::parse({"proto " + std::string(name.name) + " -> drop"}).result.rules.at(0);
        EXPECT_EQ(rule.match.proto->any_of.at(0), name.number);
        EXPECT_EQ(test::parse({std::string(name.name) + " -> drop"}).result.rules.at(0).match.proto, rule.match.proto);
    }
    for (const rules::NamedNumber &name : policy::ethertypes())
        EXPECT_EQ(test::parse({"ethertype " + std::string(name.name) + " -> drop"})
                      .result.rules.at(0)
                      .match.ethertype->any_of.at(0),
                  name.number);
    for (const rules::NamedNumber &name : policy::dscps())
        EXPECT_EQ(
            test::parse({"dscp " + std::string(name.name) + " -> drop"}).result.rules.at(0).match.dscp->any_of.at(0),
            name.number);
    for (const edge::Family family : {edge::Family::v4, edge::Family::v6})
        for (const rules::NamedNumber &name : policy::icmp_types(family)) {
            const std::string icmp = family == edge::Family::v4 ? "icmp type " : "icmpv6 type ";
            const std::string type = icmp + std::string(name.name);
            EXPECT_EQ(test::parse({type + " -> drop"}).result.rules.at(0).match.icmp_type->any_of.at(0), name.number);
            for (const rules::NamedNumber &code : policy::icmp_codes(family, static_cast<std::uint8_t>(name.number)))
                EXPECT_EQ(test::parse({type + " code " + std::string(code.name) + " -> drop"})
                              .result.rules.at(0)
                              .match.icmp_code->any_of.at(0),
                          code.number);
        }
}

TEST(GoodRules, EveryWordHasHelp) {
    for (const rules::MatchWord &word : edge::vocabulary().matches)
        EXPECT_FALSE(word.help.empty()) << word.name;
    for (const rules::ActionWord &word : edge::vocabulary().actions)
        EXPECT_FALSE(word.help.empty()) << word.name;
}

} // namespace
} // namespace beeline
