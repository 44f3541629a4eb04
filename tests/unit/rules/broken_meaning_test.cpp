// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

const test::Broken kTogether[] = {
    {"ip src 2001:db8::1 -> drop",
     {"r:1:4: error: 'src 2001:db8::1' is IPv6, but 'ip' is IPv4; write one rule for each family"}},
    {"src 10.0.0.1 dst 2001:db8::1 -> drop",
     {"r:1:14: error: 'dst 2001:db8::1' is IPv6, but 'src 10.0.0.1' is IPv4; write one rule for each family"}},
    {"arp src 10.0.0.1 -> drop", {"r:1:5: error: 'src 10.0.0.1' is IPv4, but 'arp' is not IP; no packet is both"}},
    {"arp tcp -> drop", {"r:1:5: error: 'tcp' is IP, but 'arp' is not IP; no packet is both"}},
    {"ethertype 0x88cc dport 80 -> drop",
     {"r:1:18: error: 'dport 80' is IP, but 'ethertype 0x88cc' is not IP; no packet is both"}},
    {"ethertype !ip icmp -> drop",
     {"r:1:15: error: 'icmp' is IPv4, but 'ethertype !ip' is not IPv4; no packet is both"}},
    {"icmp dport 80 -> drop",
     {"r:1:6: error: 'dport', but icmp has no ports; ports are in tcp, udp, sctp, dccp and udplite"}},
    {"gre sport 80 -> drop",
     {"r:1:5: error: 'sport', but gre has no ports; ports are in tcp, udp, sctp, dccp and udplite"}},
    {"proto {tcp, icmp} dport 80 -> drop",
     {"r:1:19: error: 'dport', but icmp has no ports; ports are in tcp, udp, sctp, dccp and udplite"}},
    {"udp flags syn -> drop", {"r:1:5: error: 'flags', but the rule is not for tcp alone; only tcp has flags"}},
    {"icmp ipv6 -> drop", {"r:1:6: error: 'ipv6' is IPv6, but 'icmp' is IPv4; write one rule for each family"}},
    {"icmpv6 src 10.0.0.1 -> drop",
     {"r:1:8: error: 'src 10.0.0.1' is IPv4, but 'icmpv6' is IPv6; write one rule for each family"}},
    {"type 8 -> drop",
     {"r:1:1: error: 'type' needs icmp or icmpv6; for example: icmp type echo-request, icmpv6 type echo-request"}},
    {"tcp type 8 -> drop",
     {"r:1:5: error: 'type', but tcp has none; for example: icmp type echo-request, icmpv6 type echo-request"}},
    {"proto {icmp, icmpv6} type 8 -> drop",
     {"r:1:22: error: 'type' needs icmp or icmpv6; for example: icmp type echo-request, icmpv6 type echo-request"}},
    {"icmp type 256 -> drop", {"r:1:11: error: '256' is out of range; expected 0 to 255"}},
    {"icmp type echo-requst -> drop", {"r:1:11: error: unknown ICMP type 'echo-requst'; did you mean 'echo-request'?"}},
    {"icmp type packet-too-big -> drop",
     {"r:1:11: error: unknown ICMP type 'packet-too-big'; expected a number or a name such as echo-request; ICMP and "
      "ICMPv6 have different ones"}},
    {"icmp code port-unreachable -> drop",
     {"r:1:11: error: unknown ICMP code 'port-unreachable'; codes have names behind a single type: type unreachable "
      "code ..."}},
    {"icmp type echo-request code port-unreachable -> drop",
     {"r:1:29: error: unknown ICMP code 'port-unreachable'; this type has numbered codes only"}},
    {"device {a, b, c, d, e} -> drop",
     {"r:1:1: error: more than 4 names behind 'device'; write a second rule for the others"}},
    {"dport 1 proto !{1, 2, 3} dscp !{4, 5} -> drop",
     {"r:1:1: error: 5 negated values of proto, flags, type, code, dscp and ethertype; at most 4 in a rule, ethertype "
      "counts one more; put a rule with the values before this one"}},
    {"ethertype !{1, 2, 3, 4} -> drop",
     {"r:1:1: error: 5 negated values of proto, flags, type, code, dscp and ethertype; at most 4 in a rule, ethertype "
      "counts one more; put a rule with the values before this one"}},
    {"dport 80 fragment later -> drop",
     {"r:1:10: error: a later fragment has no ports, flags or types; match it by addresses and protocol alone"}},
};

TEST(BrokenRules, ConditionsThatExcludeEachOther) {
    for (const test::Broken &broken : kTogether)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

const test::Broken kRate[] = {
    {"rate over 0/s -> drop", {"r:1:11: error: the rate '0' is out of range; expected 1 to 10000000"}},
    {"rate over 10000001/s -> drop", {"r:1:11: error: the rate '10000001' is out of range; expected 1 to 10000000"}},
    {"rate over 600000001/m -> drop", {"r:1:11: error: the rate '600000001' is out of range; expected 1 to 600000000"}},
    {"rate over 100 -> drop", {"r:1:11: error: '100' is not a rate; expected N/s, N/m or N/h"}},
    {"rate over 100/d -> drop", {"r:1:11: error: '100/d' is not a rate; expected N/s, N/m or N/h"}},
    {"rate 100/s -> drop", {"r:1:6: error: expected 'over' behind 'rate'; for example: rate over 1000/s per src"}},
    {"rate over -> drop", {"r:1:11: error: expected a rate behind 'over'; expected N/s, N/m or N/h"}},
    {"rate over 5/s burst 0 -> drop", {"r:1:21: error: '0' is out of range; expected 1 to 10000000"}},
    {"rate over 5/s burst 5 burst 6 -> drop", {"r:1:23: error: 'burst' twice in one rate"}},
    {"rate over 5/s per dst -> drop", {"r:1:19: error: expected what the rate is counted by behind 'per'; known: src"}},
    {"rate over 5/s per -> drop", {"r:1:19: error: expected what the rate is counted by behind 'per'; known: src"}},
    {"rate over 1/h burst 10000 -> drop",
     {"r:1:1: error: a burst of 10000 takes more than 30 days to fill at this rate; lower it"}},
    {"rate over 5/s rate over 6/s -> drop", {"r:1:15: error: 'rate' twice in one rule"}},
    {"arp rate over 5/s per src -> drop",
     {"r:1:5: error: 'per src' in a rule that is not IP; count all its packets: leave out 'per src'"}},
};

TEST(BrokenRules, Rates) {
    for (const test::Broken &broken : kRate)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

const test::Broken kActions[] = {
    {"tcp -> redirect", {"r:1:16: error: no value behind 'redirect'; expected the name of a device"}},
    {"tcp -> redirect a/b", {"r:1:17: error: 'a/b' cannot be a device; no '/', ':' or blank in names"}},
    {"tcp -> cpu", {"r:1:11: error: no value behind 'cpu'; expected the number of a CPU"}},
    {"tcp -> cpu 256", {"r:1:12: error: '256' is out of range; expected 0 to 255"}},
    {"tcp -> cpu one", {"r:1:12: error: 'one' is not a number; expected the number of a CPU"}},
    {"tcp -> xsk", {"r:1:11: error: no value behind 'xsk'; expected a name for the AF_XDP sockets"}},
    {"tcp -> xsk a/b", {"r:1:12: error: 'a/b' cannot be a name; letters, digits, '-' and '_', at most 31"}},
    {"tcp -> log every 0 drop", {"r:1:18: error: '0' is out of range; expected 1 to 4294967295"}},
    {"tcp -> rewrite",
     {"r:1:8: error: 'rewrite' without a field; expected one of src, dst, sport, dport, dscp, ttl, mac src, mac dst"}},
    {"tcp -> rewrite pass",
     {"r:1:8: error: 'rewrite' without a field; expected one of src, dst, sport, dport, dscp, ttl, mac src, mac dst"}},
    {"tcp -> rewrite dprot 80",
     {"r:1:16: error: 'rewrite' without a field; expected one of src, dst, sport, dport, dscp, ttl, mac src, mac dst; "
      "did you mean 'dport'?"}},
    {"tcp -> rewrite dport", {"r:1:21: error: no value behind 'dport'; expected a port from 1 to 65535"}},
    {"tcp -> rewrite dport 80 dport 81", {"r:1:25: error: 'rewrite dport' twice in one rule"}},
    {"tcp -> rewrite dport 0", {"r:1:22: error: '0' is out of range; expected 1 to 65535"}},
    {"tcp -> rewrite dport 80-90", {"r:1:22: error: '80-90' is a range; expected a port from 1 to 65535"}},
    {"tcp -> rewrite dport 80 rewrite sport 81",
     {"r:1:25: error: 'rewrite' twice in one rule; say all of it behind one 'rewrite'"}},
    {"tcp -> rewrite dport 80 drop", {"r:1:25: error: 'rewrite' before 'drop'; it goes with pass, tx or redirect"}},
    {"tcp -> rewrite dport 80 cpu 1", {"r:1:25: error: 'rewrite' before 'cpu'; it goes with pass, tx or redirect"}},
    {"dport 80 -> rewrite dport 81",
     {"r:1:21: error: 'rewrite dport' needs tcp or udp before '->'; ports are rewritten in tcp and udp"}},
    {"icmp -> rewrite dport 81",
     {"r:1:17: error: 'rewrite dport' needs tcp or udp before '->'; ports are rewritten in tcp and udp"}},
    {"sctp -> rewrite dport 81",
     {"r:1:17: error: 'rewrite dport' is not for sctp: its CRC32c covers the whole packet; ports are rewritten in tcp "
      "and udp"}},
    {"proto !tcp -> rewrite dport 81",
     {"r:1:23: error: 'rewrite dport' needs tcp or udp before '->'; ports are rewritten in tcp and udp"}},
    {"ip -> rewrite src 2001:db8::1",
     {"r:1:19: error: '2001:db8::1' is IPv6, but the rule is IPv4; addresses keep their family"}},
    {"src 2001:db8::/32 -> rewrite dst 10.0.0.1",
     {"r:1:34: error: '10.0.0.1' is IPv4, but the rule is IPv6; addresses keep their family"}},
    {"ip -> rewrite src 10.0.0.0/8",
     {"r:1:19: error: '10.0.0.0/8' is a prefix, not an address; write it without the '/'"}},
    {"ip -> rewrite src 10.0.0.1 dst 2001:db8::1",
     {"r:1:32: error: '2001:db8::1' is IPv6, but the rule is IPv4; addresses keep their family"}},
    {"ip -> rewrite ttl 0", {"r:1:19: error: '0' is out of range; expected 1 to 255"}},
    {"ip -> rewrite dscp 64", {"r:1:20: error: '64' is out of range; expected 0 to 63"}},
    {"arp -> rewrite ttl 5", {"r:1:16: error: 'rewrite ttl' in a rule that is not IP"}},
    {"ip -> rewrite mac src 02:00:00:00:00",
     {"r:1:23: error: '02:00:00:00:00' is not a MAC address; expected six bytes such as 02:00:5e:10:00:01"}},
    {"udp fragment dport 80 -> rewrite dport 81",
     {"r:1:5: error: fragments cannot be rewritten by ports, flags or types; leave out 'fragment', or match and "
      "rewrite addresses alone"}},
    {"fallback -> rewrite dst 10.0.0.1",
     {"r:1:21: error: the fallback cannot rewrite addresses; it is for every packet; write a rule: ip -> rewrite ..."}},
    {"fallback -> rewrite dport 80",
     {"r:1:21: error: 'rewrite dport' needs tcp or udp before '->'; ports are rewritten in tcp and udp"}},
    {"tcp -> pass 5", {"r:1:13: error: unexpected '5' behind 'pass'; 'pass' ends the rule"}},
};

TEST(BrokenRules, Actions) {
    for (const test::Broken &broken : kActions)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

const test::Broken kWarnings[] = {
    {"tcp dport 80 malformed -> drop", {"r:1:1: warning: rule 1 can never match; its conditions exclude each other"}},
    {"proto !tcp flags syn -> drop", {"r:1:1: warning: rule 1 can never match; its conditions exclude each other"}},
    {"dport !0-65535 -> drop", {"r:1:1: warning: rule 1 can never match; its conditions exclude each other"}},
    {"proto icmp src fe80::1 type 8 -> drop",
     {"r:1:24: error: 'type 8' is IPv4, but 'src fe80::1' is IPv6; write one rule for each family"}},
};

TEST(BrokenRules, ConditionsThatExcludeEachOtherLessPlainlyWarn) {
    for (const test::Broken &broken : kWarnings)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

} // namespace
} // namespace beeline
