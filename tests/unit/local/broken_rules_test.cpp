// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gmock/gmock.h>

#include <beeline/policy/words.hpp>

#include "unit/local/local_rules.hpp"

namespace beeline::local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kNoPackets = "rules choose connections, not packets: ask addresses, ports, cgroup, process, user";
const std::string kTcpOnly = "every connection that can take the short cut is of TCP: leave it out";
const std::string kNoDirection = "rules judge both ends of a connection: dst and dport are of the end that accepted it";

/// A word of the language that the short cut has not, as it would be used, and the reason that is given.
struct Absent {
    std::string word, used, reason;
};

const Absent kAbsent[] = {
    {"in", "in", kNoDirection},
    {"out", "out", kNoDirection},
    {"arp", "arp", kNoPackets},
    {"proto", "proto {tcp, udp}", kTcpOnly},
    {"udp", "udp", kTcpOnly},
    {"icmp", "icmp", kTcpOnly},
    {"flags", "flags syn,ack/all", kNoPackets},
    {"type", "type echo-request", kNoPackets},
    {"code", "code 0", kNoPackets},
    {"ethertype", "ethertype 0x88cc", kNoPackets},
    {"vlan", "vlan !{1, 2}", kNoPackets},
    {"inner-vlan", "inner-vlan 3", kNoPackets},
    {"mac src", "mac src 02:00:00:00:00:01", kNoPackets},
    {"mac dst", "mac dst @cards", kNoPackets},
    {"ttl", "ttl <2", kNoPackets},
    {"dscp", "dscp {ef, 1}", kNoPackets},
    {"length", "length 64-128", kNoPackets},
    {"fragment", "fragment later", kNoPackets},
    {"options", "options none", kNoPackets},
    {"malformed", "malformed", kNoPackets},
    {"device", "device eth0", "a connection within the host goes through no device"},
    {"rate", "rate over 5/s burst 3 per src",
     "rules choose connections as they begin; rates are for rules of the edge"},
};

TEST(BrokenLocalRules, WordsOfPacketsAreRefusedWithTheReason) {
    for (const Absent &absent : kAbsent)
        EXPECT_THAT(test::parse({"ip " + absent.used + " -> tcp"}).second,
                    ElementsAre("r:1:4: error: '" + absent.word + "' is not in local rules; " + absent.reason))
            << absent.used;
}

TEST(BrokenLocalRules, EveryWordOfTheLanguageIsTakenOrRefusedWithAReason) {
    const rules::Vocabulary &words = vocabulary();
    const auto in = [](std::string_view name, const auto &list) {
        return std::any_of(list.begin(), list.end(), [&](const auto &word) { return word.name == name; });
    };
    for (const rules::MatchWord &word : policy::match_words())
        EXPECT_NE(in(word.name, words.matches), in(word.name, words.absent)) << word.name;
    for (const rules::AbsentWord &word : words.absent)
        EXPECT_TRUE(word.reason == kTcpOnly || std::any_of(std::begin(kAbsent), std::end(kAbsent),
                                                           [&](const Absent &a) { return a.word == word.name; }))
            << word.name;
}

struct Broken {
    std::string rule;
    std::vector<std::string> said;
};

const std::string kCgroup = "its path below the mount begins with '/', for example /system.slice/redis.service";
const std::string kUser = "expected the name or number of a user, a range 1000-1999, <N, >N or a list {a, b}";

const Broken kBroken[] = {
    {"cgroup redis.service -> tcp", {"r:1:8: error: 'redis.service' cannot be a cgroup; " + kCgroup}},
    {"cgroup '' -> tcp", {"r:1:8: error: '' cannot be a cgroup; " + kCgroup}},
    {"cgroup /a/../b -> tcp", {"r:1:8: error: '/a/../b' cannot be a cgroup; no '.' or '..' in paths"}},
    {"cgroup /.. -> tcp", {"r:1:8: error: '/..' cannot be a cgroup; no '.' or '..' in paths"}},
    {"cgroup {/a, /./b} -> tcp", {"r:1:13: error: '/./b' cannot be a cgroup; no '.' or '..' in paths"}},
    {"cgroup //a -> tcp",
     {"r:1:8: error: '//a' cannot be a cgroup; one '/' between names, and none behind the last one"}},
    {"cgroup /a/ -> tcp",
     {"r:1:8: error: '/a/' cannot be a cgroup; one '/' between names, and none behind the last one"}},
    {"cgroup /sys/fs/cgroup/a -> tcp",
     {"r:1:8: error: '/sys/fs/cgroup/a' cannot be a cgroup; paths begin below the mount: write '/a'"}},
    {"cgroup /sys/fs/cgroup -> tcp",
     {"r:1:8: error: '/sys/fs/cgroup' cannot be a cgroup; paths begin below the mount: write /"}},
    {"cgroup '/a\tb' -> tcp",
     {"r:1:8: error: '/a b' cannot be a cgroup; at most 4095 bytes, and no control characters"}},
    {"cgroup !{/a, /b} -> tcp",
     {"r:1:8: error: a negated list behind 'cgroup'; put a rule with the list, not negated, before this one"}},
    {"cgroup @web -> tcp", {"r:1:8: error: '@web' cannot stand here; expected the path of a cgroup or a list {a, b}"}},
    {"cgroup -> tcp", {"r:1:8: error: no value behind 'cgroup'; expected the path of a cgroup or a list {a, b}"}},
    {"cgroup /a cgroup /b -> tcp",
     {"r:1:11: error: 'cgroup' twice in one rule; several values are written cgroup {a, b}"}},
    {"cgroup /a, /b -> tcp", {"r:1:10: error: a list without braces; write cgroup {a, b}"}},
    {"process postgres-checkpointer -> tcp",
     {"r:1:9: error: 'postgres-checkpointer' cannot be the name of a process; the kernel keeps the first 15 bytes: "
      "write 'postgres-checkp'"}},
    {"process '' -> tcp",
     {"r:1:9: error: '' cannot be the name of a process; names have 1 to 15 bytes, and no control characters"}},
    {"process 'a\tb' -> tcp",
     {"r:1:9: error: 'a b' cannot be the name of a process; names have 1 to 15 bytes, and no control characters"}},
    {"process !{a, b} -> tcp",
     {"r:1:9: error: a negated list behind 'process'; put a rule with the list, not negated, before this one"}},
    {"process <5 -> tcp",
     {"r:1:9: error: '<' cannot stand behind 'process'; expected the name of a process or a list {a, b}"}},
    {"user no-such-user -> tcp",
     {"r:1:6: error: unknown user 'no-such-user'; expected one of this host's, or a number"}},
    {"user {root, no-such-user, 5, nor-this} -> tcp",
     {"r:1:13: error: unknown user 'no-such-user'; expected one of this host's, or a number",
      "r:1:30: error: unknown user 'nor-this'; expected one of this host's, or a number"}},
    {"user 1000x -> tcp", {"r:1:6: error: '1000x' is not a number; " + kUser}},
    {"user 5-3 -> tcp", {"r:1:6: error: empty range '5-3'; the smaller number comes first: 3-5"}},
    {"user 4294967295 -> tcp", {"r:1:6: error: '4294967295' is out of range; expected 0 to 4294967294"}},
    {"user >4294967294 -> tcp", {"r:1:6: error: nothing is greater than 4294967294; 'user' goes from 0 to 4294967294"}},
    {"user <root -> tcp", {"r:1:7: error: 'root' is not a number; expected a number"}},
    {"user '' -> tcp", {"r:1:6: error: '' cannot be a user; " + kUser}},
    {"dport 80 -> drop", {"r:1:13: error: unknown action 'drop'; expected accelerate, tcp"}},
    {"dport 80 -> acelerate",
     {"r:1:13: error: unknown action 'acelerate'; expected an action; did you mean 'accelerate'?"}},
    {"dport 80 -> accelerate tcp",
     {"r:1:24: error: a second verdict 'tcp' behind 'accelerate'; a rule has one verdict"}},
    {"dport 80 accelerate", {"r:1:10: error: no '->' before the action 'accelerate'; write -> accelerate"}},
    {"dport 80 tcp", {"r:1:13: error: the rule ends without an action; expected '->' and an action"}},
    {"-> accelerate", {"r:1:1: error: a rule without a match; what fits every packet is written fallback -> action"}},
    {"src @web -> tcp", {"r:1:5: error: the set '@web' holds port entries; 'src' needs a set of type prefix"}},
    {"ip dst ::1 -> tcp", {"r:1:4: error: 'dst ::1' is IPv6, but 'ip' is IPv4; write one rule for each family"}},
    {"cgruop /a -> tcp", {"r:1:1: error: unknown match 'cgruop'; expected a match or '->'; did you mean 'cgroup'?"}},
};

TEST(BrokenLocalRules, AreExplainedWithTheirPlace) {
    for (const Broken &broken : kBroken)
        EXPECT_EQ(test::parse({broken.rule}).second, broken.said) << broken.rule;
}

TEST(BrokenLocalRules, PathsHaveABound) {
    const std::string path = "/" + std::string(4094, 'a');
    EXPECT_THAT(test::parse({"cgroup " + path + " -> tcp"}).second, IsEmpty());
    ASSERT_EQ(test::parse({"cgroup " + path + "a -> tcp"}).second.size(), 1u);
}

TEST(BrokenLocalRules, MoreThanTheTablesHoldAreRefused) {
    std::vector<std::string> rules;
    for (int i = 0; i < 1024; ++i)
        rules.push_back("user 5 dport " + std::to_string(i + 1) + " -> accelerate");
    EXPECT_THAT(
        test::parse(rules).second,
        ElementsAre("r:1:1: error: more than 1024 rules, the fallback included; put addresses and ports into [sets]"));
    rules.pop_back();
    EXPECT_THAT(test::parse(rules).second, IsEmpty());
}

} // namespace
} // namespace beeline::local
