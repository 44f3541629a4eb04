// SPDX-License-Identifier: Apache-2.0
//
// Rules of the short cut, their normal form, and the page that describes them.
#include <cctype>
#include <fstream>

#include <gmock/gmock.h>

#include <beeline/policy/parse.hpp>

#include "unit/local/local_rules.hpp"

namespace beeline::local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Good {
    std::string rule, normal;
};

const Good kGood[] = {
    {"cgroup /system.slice/redis.service -> accelerate", "cgroup /system.slice/redis.service -> accelerate"},
    {"dport 5432 -> accelerate", "dport 5432 -> accelerate"},
    {"tcp -> tcp", "tcp -> tcp"},
    {"dport postgresql tcp->tcp", "tcp dport 5432 -> tcp"},
    {"fallback -> accelerate", "fallback -> accelerate"},
    // Names with bytes of the language in them, names that are words of it, and paths as systemd makes them.
    {"cgroup {/, '/user@1000.service', '/user@1000.service'} -> tcp", "cgroup {/, '/user@1000.service'} -> tcp"},
    {"cgroup /user.slice/user-1000.slice/user@1000.service -> tcp",
     "cgroup '/user.slice/user-1000.slice/user@1000.service' -> tcp"},
    {"cgroup !'/machine.slice/a b' -> tcp", "cgroup !'/machine.slice/a b' -> tcp"},
    {"cgroup /a/...b\\x2dc -> tcp", "cgroup /a/...b\\x2dc -> tcp"},
    {"process {nginx, 'Web Content', nginx} -> accelerate", "process {nginx, 'Web Content'} -> accelerate"},
    {"process !process -> tcp", "process !process -> tcp"},
    {"process fallback cgroup /cgroup -> tcp", "cgroup /cgroup process fallback -> tcp"},
    {"process {'a->b', '=', '==', '-', fifteen-letters, 'kworker/0:1'} -> tcp",
     "process {'a->b', '=', '==', -, fifteen-letters, kworker/0:1} -> tcp"},
    // Users by name become numbers.
    {"user root -> accelerate", "user 0 -> accelerate"},
    {"user !{root, 1000-1999, 0} -> tcp", "user !{0, 1000-1999} -> tcp"},
    {"user <1000 -> tcp", "user 0-999 -> tcp"},
    {"user >999 -> tcp", "user >999 -> tcp"},
    {"user {<5, >7} -> tcp", "user {0-4, >7} -> tcp"},
    {"user 4294967294 -> tcp", "user 4294967294 -> tcp"},
    {"user 0-4294967294 -> tcp", "user 0-4294967294 -> tcp"},
    // All of it, in any order.
    {"user 7 process psql cgroup /a dport !@web sport 1-9 dst ::1 src !@peers tcp ipv6 -> accelerate",
     "ipv6 tcp src !@peers dst ::1 sport 1-9 dport !@web cgroup /a process psql user 7 -> accelerate"},
    {"src {10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9} user 1 -> tcp",
     "src {10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9} user 1 -> tcp"},
};

TEST(LocalRules, HaveANormalFormThatParsesToTheSame) {
    for (const Good &good : kGood) {
        harness::expect_normal_form(test::parse, good.rule, good.normal);
    }
}

TEST(LocalRules, SayWhatTheirWordsSay) {
    const auto rules =
        test::parse({"cgroup !/a process {b, c} user {root, 5-7} -> accelerate", "tcp -> tcp"}).first.rules;
    ASSERT_EQ(rules.size(), 3u);
    policy::Match match;
    match.cgroup = policy::OneOf<std::string>{.negated = true, .any_of = {"/a"}, .set = {}};
    match.process = policy::OneOf<std::string>{.negated = false, .any_of = {"b", "c"}, .set = {}};
    match.user = policy::OneOf<policy::Range<std::uint32_t>>{.negated = false, .any_of = {{0, 0}, {5, 7}}, .set = {}};
    EXPECT_EQ(rules[0].match, match);
    EXPECT_EQ(rules[0].action.verdict, policy::Verdict::accelerate);
    EXPECT_EQ(rules[1].action.verdict, policy::Verdict::tcp);
    EXPECT_EQ(rules[2].match, policy::Match{});
}

TEST(LocalRules, EndWithTcpWhenNoFallbackIsWritten) {
    const auto rules = test::parse({}).first.rules;
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(rules[0].text, "fallback -> tcp");
    EXPECT_EQ(rules[0].match, policy::Match{});
    EXPECT_EQ(rules[0].action.verdict, policy::Verdict::tcp);
}

const std::string kTaken = "r:1:1: warning: rule 2 can never match: rule 1 takes all its packets: ";

TEST(LocalRules, CannotBeReachedBehindOneThatTakesTheirConnections) {
    EXPECT_THAT(test::parse({"dport 80 -> tcp", "dport 80 cgroup /a -> accelerate"}).second,
                ElementsAre(kTaken + "'dport 80 -> tcp'; put it before rule 1 or remove it"));
    for (const char *later :
         {"dst 10.1.0.0/16 process redis -> accelerate", "dst 10.0.0.1 user 5 dport 1 -> accelerate",
          "tcp dst 10.0.0.1 cgroup !/a process !b user !1 -> accelerate"})
        EXPECT_THAT(test::parse({"dst 10.0.0.0/8 -> tcp", later}).second, SizeIs(1)) << later;
    EXPECT_THAT(test::parse({"dport 80 dport 81 -> tcp"}).second, SizeIs(1));
}

TEST(LocalRules, ThatAskForASocketMakeNoOtherOneUnreachable) {
    for (const char *earlier : {"cgroup / -> tcp", "process a -> tcp", "user 0-4294967294 -> tcp", "cgroup !/a -> tcp"})
        for (const char *later :
             {"dport 80 -> accelerate", "cgroup /a/b -> accelerate", "process a dport 80 -> accelerate",
              "user 5 cgroup / -> accelerate", "tcp -> accelerate"})
            EXPECT_THAT(test::parse({earlier, later}).second, IsEmpty()) << earlier << ", " << later;
}

TEST(LocalRules, HaveHelpForEveryWord) {
    for (const rules::MatchWord &word : vocabulary().matches)
        EXPECT_FALSE(word.help.empty()) << word.name;
    for (const rules::ActionWord &word : vocabulary().actions)
        EXPECT_FALSE(word.help.empty()) << word.name;
}

TEST(LocalRules, AreDescribedWordByWord) {
    std::ifstream file(BEELINE_DOCS "/rules.md");
    const std::string page(std::istreambuf_iterator<char>(file), {});
    const std::size_t start = page.find("\n## Rules of the short cut\n"), end = page.find("\n## ", start + 1);
    ASSERT_NE(start, page.npos);
    const std::string section = page.substr(start, end - start);
    for (const rules::MatchWord &word : vocabulary().matches)
        EXPECT_NE(section.find("`" + std::string(word.name)), section.npos) << word.name;
    for (const rules::ActionWord &word : vocabulary().actions)
        EXPECT_NE(section.find("| `" + std::string(word.name) + "`"), section.npos) << word.name;
    for (const rules::AbsentWord &word : vocabulary().absent)
        if (word.reason.find("leave it out") == word.reason.npos) { // the page speaks of other protocols in general
            EXPECT_NE(section.find("`" + std::string(word.name) + "`"), section.npos) << word.name;
        }
}

} // namespace
} // namespace beeline::local
