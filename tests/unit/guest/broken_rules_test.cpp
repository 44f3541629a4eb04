// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/guest/guest_rules.hpp"

namespace beeline::guest {
namespace {

using testing::ElementsAre;

const std::string kVaries =
    "a rule judges the packet that begins a flow and all of the flow follows, so it asks only what "
    "is the same in all packets of a flow";
const std::string kNoLink =
    "a rule judges the packet that begins a flow, and flows are of IP: ask addresses, protocols, "
    "ports, ICMP types";

const std::string kNoSocket = "the host does not see the guest's sockets, only packets; rules of [local] have it";

/// A word of the language that guests have not, as it would be used, and the reason that is given.
struct Absent {
    std::string word, used, reason;
};

const Absent kAbsent[] = {
    {"flags", "flags syn,ack/all", kVaries},
    {"ttl", "ttl <2", kVaries},
    {"dscp", "dscp {ef, 1}", kVaries},
    {"length", "length 64-128", kVaries},
    {"fragment", "fragment later", kVaries},
    {"options", "options none", kVaries},
    {"malformed", "malformed", kVaries},
    {"arp", "arp", kNoLink},
    {"ethertype", "ethertype 0x88cc", kNoLink},
    {"vlan", "vlan !{1, 2}", kNoLink},
    {"inner-vlan", "inner-vlan 3", kNoLink},
    {"mac src", "mac src 02:00:00:00:00:01", kNoLink},
    {"mac dst", "mac dst @cards", kNoLink},
    {"device", "device eth0", "the rules are of one guest with one device: write in or out"},
    {"cgroup", "cgroup /system.slice", kNoSocket},
    {"process", "process !{nginx, redis-server}", kNoSocket},
    {"user", "user <1000", kNoSocket},
    {"rate", "rate over 5/s burst 3 per src",
     "a rule judges the packet that begins a flow and all of the flow follows; rates are for rules of the edge"},
};

TEST(BrokenGuestRules, WordsThatDifferWithinAFlowAreRefusedWithTheReason) {
    for (const Absent &absent : kAbsent)
        EXPECT_THAT(test::parse({"tcp " + absent.used + " -> drop"}).second,
                    ElementsAre("r:1:5: error: '" + absent.word + "' is not in guest rules; " + absent.reason))
            << absent.used;
}

TEST(BrokenGuestRules, EveryWordOfTheLanguageIsTakenOrRefusedWithAReason) {
    for (const rules::AbsentWord &word : vocabulary().absent)
        EXPECT_TRUE(std::any_of(std::begin(kAbsent), std::end(kAbsent), [&](const Absent &a) {
            return a.word == word.name;
        })) << word.name;
    EXPECT_EQ(vocabulary().absent.size(), std::size(kAbsent));
}

struct Broken {
    std::string rule;
    std::vector<std::string> said;
};

const Broken kBroken[] = {
    {"in out tcp -> drop", {"r:1:4: error: 'in' and 'out' in one rule; a rule without either is for both directions"}},
    {"in in -> drop", {"r:1:4: error: 'in' twice in one rule; all matches of a rule must hold; once is enough"}},
    {"in 5 -> drop", {"r:1:4: error: unknown match '5'; expected a match or '->'"}},
    {"tcp -> reject", {"r:1:8: error: unknown action 'reject'; expected pass, drop, log"}},
    {"flags syn ttl 5 dport 70000 -> drop",
     {"r:1:1: error: 'flags' is not in guest rules; " + kVaries,
      "r:1:11: error: 'ttl' is not in guest rules; " + kVaries,
      "r:1:23: error: '70000' is out of range; expected 0 to 65535"}},
    {"fragment drop",
     {"r:1:1: error: 'fragment' is not in guest rules; " + kVaries,
      "r:1:10: error: no '->' before the action 'drop'; write -> drop"}},
    {"-> drop", {"r:1:1: error: a rule without a match; what fits every packet is written fallback -> action"}},
    {"src @web -> drop", {"r:1:5: error: the set '@web' holds port entries; 'src' needs a set of type prefix"}},
    {"tcp -> rewrite dport 80", {"r:1:8: error: unknown action 'rewrite'; expected pass, drop, log"}},
};

TEST(BrokenGuestRules, AreExplainedWithTheirPlace) {
    for (const Broken &broken : kBroken)
        EXPECT_EQ(test::parse({broken.rule}).second, broken.said) << broken.rule;
}

TEST(BrokenGuestRules, MoreThanTheTablesHoldAreRefused) {
    std::vector<std::string> rules;
    for (int i = 0; i < 1024; ++i)
        rules.push_back("in tcp dport " + std::to_string(i + 1) + " -> drop");
    const auto said = test::parse(rules).second;
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0],
              "r:1:1: error: more than 1024 rules, the fallback included; put addresses and ports into [sets]");
    rules.pop_back();
    EXPECT_THAT(test::parse(rules).second, testing::IsEmpty());
}

} // namespace
} // namespace beeline::guest
