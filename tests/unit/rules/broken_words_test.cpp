// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

const test::Broken kWords[] = {
    {"tcp dpotr 22 -> drop",
     {"r:1:5: error: unknown match 'dpotr'; expected a match, 'rate' or '->'; did you mean 'dport'?"}},
    {"srcc 10.0.0.0/8 -> drop",
     {"r:1:1: error: unknown match 'srcc'; expected a match, 'rate' or '->'; did you mean 'src'?"}},
    {"tcp dport 22", {"r:1:13: error: the rule ends without an action; expected '->' and an action"}},
    {"tcp dport 22 drop", {"r:1:14: error: no '->' before the action 'drop'; write -> drop"}},
    {"tcp dport 22 -> ", {"r:1:16: error: no action behind '->'; for example: -> drop"}},
    {"tcp dport 22 -> dorp", {"r:1:17: error: unknown action 'dorp'; expected an action; did you mean 'drop'?"}},
    {"tcp dport 22 -> drop pass", {"r:1:22: error: a second verdict 'pass' behind 'drop'; a rule has one verdict"}},
    {"tcp dport 22 -> drop log", {"r:1:22: error: 'log' behind 'drop'; 'log' comes before the verdict"}},
    {"tcp dport 22 -> drop -> pass", {"r:1:22: error: a second '->'; one rule has one arrow"}},
    {"tcp dport 22 -> drop dport 5", {"r:1:22: error: unexpected 'dport' behind 'drop'; 'drop' ends the rule"}},
    {"-> drop", {"r:1:1: error: a rule without a match; what fits every packet is written fallback -> action"}},
    {"tcp -> log", {"r:1:8: error: 'log' alone decides nothing; add a verdict: log pass"}},
    {"tcp -> log every 5", {"r:1:8: error: 'log' alone decides nothing; add a verdict: log pass"}},
    {"tcp -> log log pass", {"r:1:12: error: 'log' twice in one rule; say all of it behind one 'log'"}},
    {"tcp -> every 5 drop",
     {"r:1:8: error: unknown action 'every'; expected pass, drop, abort, tx, redirect, cpu, xsk, log, rewrite"}},
    {"tcp -> tcp", {"r:1:8: error: the match 'tcp' behind '->'; matches come before '->'"}},
    {"tcp tcp -> drop", {"r:1:5: error: 'tcp' twice in one rule; all matches of a rule must hold; once is enough"}},
    {"tcp udp -> drop", {"r:1:5: error: 'tcp' and 'udp' in one rule; several protocols are written proto {tcp, udp}"}},
    {"tcp proto udp -> drop",
     {"r:1:5: error: 'tcp' and 'proto' in one rule; several protocols are written proto {tcp, udp}"}},
    {"ip ipv6 -> drop", {"r:1:4: error: 'ip' and 'ipv6' in one rule; a rule without either matches both"}},
    {"dport 80 dport 81 -> drop",
     {"r:1:10: error: 'dport' twice in one rule; several values are written dport {a, b}"}},
    {"!dport 80 -> drop",
     {"r:1:1: error: '!' stands before a value, not before a match; for example: src !10.0.0.0/8"}},
    {"} -> drop", {"r:1:1: error: unexpected '}'; expected a match, 'rate' or '->'"}},
    {"mac 02:00:00:00:00:01 -> drop", {"r:1:5: error: expected 'src' or 'dst' behind 'mac'"}},
    {"mac from 02:00:00:00:00:01 -> drop", {"r:1:5: error: expected 'src' or 'dst' behind 'mac'"}},
    {"fallback", {"r:1:9: error: the rule ends without an action; expected '->' and an action"}},
    {"fallback tcp -> drop",
     {"r:1:10: error: 'tcp' behind 'fallback'; 'fallback' takes no matches: write fallback -> action"}},
    {"fallback -> log", {"r:1:13: error: 'log' alone decides nothing; add a verdict: log pass"}},
    {"tcp rate over 5/s udp -> drop",
     {"r:1:19: error: 'udp' behind the rate; 'rate' comes last, right before '->'",
      "r:1:19: error: 'tcp' and 'udp' in one rule; several protocols are written proto {tcp, udp}"}},
    {"dport=80 -> drop",
     {"r:1:1: error: unknown match 'dport=80'; values stand behind their word without '=': dport 80, dport !80"}},
    {"dport = 80 -> drop", {"r:1:7: error: '=' before a value; write dport VALUE, or dport !VALUE"}},
    {"and tcp -> drop",
     {"r:1:1: error: unknown match 'and'; matches follow each other, and all must hold; alternatives are lists {a, "
      "b}"}},
    {"'tcp' -> drop", {"r:1:1: error: unexpected 'tcp'; expected a match, 'rate' or '->'"}},
    {"'tcp -> drop", {"r:1:1: error: the quote is not closed; expected another \"'\""}},
    {"redirect eth1 -> tcp",
     {"r:1:1: error: the action 'redirect' before '->'; expected a match, 'rate' or '->'",
      "r:1:18: error: the match 'tcp' behind '->'; matches come before '->'"}},
    {"fragment frist -> drop",
     {"r:1:10: error: unknown match 'frist'; expected a match, 'rate' or '->'; did you mean 'first'?"}},
};

TEST(BrokenRules, WordsAreNamedWithTheirPlace) {
    for (const test::Broken &broken : kWords)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

const test::Broken kSeveral[] = {
    {"tcp dpotr 22 srcc 10.0.0.1 dport 99999 -> dorp",
     {"r:1:5: error: unknown match 'dpotr'; expected a match, 'rate' or '->'; did you mean 'dport'?",
      "r:1:34: error: '99999' is out of range; expected 0 to 65535",
      "r:1:43: error: unknown action 'dorp'; expected an action; did you mean 'drop'?"}},
    {"src 10.0.0.1/8 dst 10.0.0.300 ttl 999 -> drop",
     {"r:1:5: error: '10.0.0.1/8' has host bits set; write 10.0.0.0/8, or 10.0.0.1 for the one address",
      "r:1:20: error: '10.0.0.300' is not an address; expected an address, a prefix, a list {a, b} or @set",
      "r:1:35: error: '999' is out of range; expected 0 to 255"}},
    {"icmp dport 80 flags syn -> rewrite dport 99 drop",
     {"r:1:6: error: 'dport', but icmp has no ports; ports are in tcp, udp, sctp, dccp and udplite",
      "r:1:15: error: 'flags', but the rule is not for tcp alone; only tcp has flags",
      "r:1:36: error: 'rewrite dport' needs tcp or udp before '->'; ports are rewritten in tcp and udp",
      "r:1:45: error: 'rewrite' before 'drop'; it goes with pass, tx or redirect"}},
};

TEST(BrokenRules, SeveralErrorsOfOneRuleAreTold) {
    for (const test::Broken &broken : kSeveral)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

} // namespace
} // namespace beeline
