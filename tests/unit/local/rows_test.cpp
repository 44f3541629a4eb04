// SPDX-License-Identifier: Apache-2.0
//
// What single rules become.
#include <cstring>
#include <set>

#include <gmock/gmock.h>

#include <beeline/local/tables.hpp>

#include "unit/local/local_rules.hpp"

namespace beeline::local {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::StartsWith;

/// Every cgroup is there: its id is the length of its path.
const Binding kBinding{.counter = {},
                       .cgroup = [](const std::string &path) -> Result<std::pair<std::uint64_t, std::uint32_t>> {
                           return std::pair(path.size(), 7U);
                       }};

std::vector<bl_local_row> rows(const std::vector<std::string> &rules) {
    auto tables = compile(test::policy_of(rules), kBinding);
    if (!tables)
        ADD_FAILURE() << tables.error().message();
    return tables ? std::move(tables->rows) : std::vector<bl_local_row>{};
}

std::string error(const std::vector<std::string> &rules, const Binding &binding = kBinding) {
    const auto tables = compile(test::policy_of(rules), binding);
    return tables ? "it was taken" : tables.error().message();
}

TEST(LocalRows, AreOneForEachAlternative) {
    const auto all = rows({"dport {80, 443} cgroup {/a, /bc} process {x, yy, zzz} user {1, 5-9} -> accelerate"});
    ASSERT_EQ(all.size(), 2u * 2 * 3 * 2 + 1);
    std::set<std::string> seen;
    for (const bl_local_row &row : all) {
        if (&row == &all.back())
            continue;
        EXPECT_EQ(row.flags, static_cast<std::uint32_t>(BL_LOCAL_CGROUP | BL_LOCAL_PROCESS | BL_LOCAL_USER));
        EXPECT_EQ(row.level, 7u);
        EXPECT_EQ(row.entry.verdict, static_cast<std::uint32_t>(BL_LOCAL_ACCELERATE));
        EXPECT_EQ(row.entry.rule, 0);
        EXPECT_EQ(row.entry.counter, 1u);
        seen.insert(std::to_string(row.entry.dport_low) + " " + std::to_string(row.cgroup) + " " + row.comm + " " +
                    std::to_string(row.uid_low) + "-" + std::to_string(row.uid_high));
    }
    EXPECT_EQ(seen.size(), 24u);
    EXPECT_TRUE(seen.contains("443 3 zzz 5-9"));
    EXPECT_TRUE(seen.contains("80 2 x 1-1"));
}

TEST(LocalRows, EndWithTheFallback) {
    const auto all = rows({"tcp -> tcp"});
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].flags, 0u) << "a rule that says tcp is no fallback";
    EXPECT_EQ(all[0].entry.verdict, static_cast<std::uint32_t>(BL_LOCAL_TCP));
    const bl_local_row &last = all[1];
    EXPECT_EQ(last.flags, static_cast<std::uint32_t>(BL_LOCAL_FALLBACK));
    EXPECT_EQ(last.entry.verdict, static_cast<std::uint32_t>(BL_LOCAL_TCP));
    EXPECT_EQ(last.entry.facts_mask, 0u);
    EXPECT_EQ(last.entry.extra_flags, 0u);
    EXPECT_EQ(last.entry.sport_span, 0xffff);
    EXPECT_EQ(last.entry.dport_span, 0xffff);
    const auto accelerated = rows({"fallback -> accelerate"});
    ASSERT_EQ(accelerated.size(), 1u);
    EXPECT_EQ(accelerated[0].flags, static_cast<std::uint32_t>(BL_LOCAL_FALLBACK));
    EXPECT_EQ(accelerated[0].entry.verdict, static_cast<std::uint32_t>(BL_LOCAL_ACCELERATE));
}

TEST(LocalRows, NegateOneValue) {
    const auto all = rows({"cgroup !/a process !x user !5-9 -> tcp"});
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].flags, static_cast<std::uint32_t>(BL_LOCAL_CGROUP | BL_LOCAL_NOT_CGROUP | BL_LOCAL_PROCESS |
                                                       BL_LOCAL_NOT_PROCESS | BL_LOCAL_USER | BL_LOCAL_NOT_USER));
    EXPECT_EQ(all[0].uid_low, 5u);
    EXPECT_EQ(all[0].uid_high, 9u);
}

TEST(LocalRows, OfSeveralNegatedUsersAreThoseBetween) {
    const auto all = rows({"user !{5-9, 0, 7-20} -> tcp"});
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].uid_low, 1u);
    EXPECT_EQ(all[0].uid_high, 4u);
    EXPECT_EQ(all[1].uid_low, 21u);
    EXPECT_EQ(all[1].uid_high, 4294967294u);
    for (int i : {0, 1})
        EXPECT_EQ(all[static_cast<std::size_t>(i)].flags, static_cast<std::uint32_t>(BL_LOCAL_USER));
    EXPECT_EQ(rows({"user !{0-5, 6-4294967294} -> tcp"}).size(), 1u) << "there is nobody else";
}

TEST(LocalRows, HoldNamesWithZerosBehindThem) {
    const auto all = rows({"process fifteen-letters -> tcp", "process a -> tcp"});
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(std::memcmp(all[0].comm, "fifteen-letters", 16), 0);
    EXPECT_EQ(std::memcmp(all[1].comm, "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
}

TEST(LocalRows, TakeTheirNumbersFromWhoGivesThemOut) {
    Policy policy = test::policy_of({"dport @web -> accelerate", "src @peers -> tcp"});
    policy.rules.insert(policy.rules.begin() + 1, policy.rules[0]);
    policy.rules[2].where.line = 9;
    std::vector<std::string> asked;
    Binding binding = kBinding;
    binding.counter = [&](const std::string &identity) -> Result<std::uint32_t> {
        asked.push_back(identity);
        return static_cast<std::uint32_t>(100 + asked.size());
    };
    const auto tables = compile(policy, binding);
    ASSERT_TRUE(tables) << tables.error().message();
    EXPECT_THAT(asked, ElementsAre("dport @web -> accelerate", "dport @web -> accelerate#2", "src @peers -> tcp",
                                   "fallback -> tcp"));
    ASSERT_EQ(tables->rules.size(), 4u);
    EXPECT_EQ(tables->rules[1].text, "dport @web -> accelerate");
    EXPECT_EQ(tables->rules[1].identity, "dport @web -> accelerate#2");
    EXPECT_EQ(tables->rules[2].line, 9u);
    EXPECT_EQ(tables->rules[3].counter, 104u);
    EXPECT_EQ(tables->rows[1].entry.counter, 102u);
    EXPECT_EQ(tables->rows[2].extra.sets[BL_SET_SRC], 0);
    EXPECT_EQ(tables->rows[0].extra.sets[BL_SET_DPORT], 1);
    binding.counter = [](const std::string &) -> Result<std::uint32_t> { return fail(Kind::host, 0, "no slot left"); };
    EXPECT_EQ(error({"dport 80 -> tcp"}, binding), "rule 1 'dport 80 -> tcp': no slot left");
}

TEST(LocalRows, SayWhichCgroupIsNotThere) {
    EXPECT_THAT(error({"tcp -> tcp", "cgroup /no-such-cgroup -> accelerate"}, {}),
                StartsWith("rule 2 'cgroup /no-such-cgroup -> accelerate': "));
}

TEST(LocalRows, OfTheRootCgroupNeedNobodysHelp) {
    const auto tables = compile(test::policy_of({"cgroup / -> tcp"}));
    if (!tables && tables.error().kind == Kind::unsupported)
        GTEST_SKIP() << tables.error().message();
    ASSERT_TRUE(tables) << tables.error().message();
    EXPECT_EQ(tables->rows[0].level, 0u);
    EXPECT_EQ(tables->rows[0].cgroup, 1u) << "the root's id";
}

std::string list(int first, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text += (i == 0 ? "{" : ", ") + std::to_string(first + 2 * i);
    return text + "}";
}

TEST(LocalRows, HaveALimitThatNamesTheRule) {
    EXPECT_THAT(error({"tcp -> tcp", "sport " + list(1, 80) + " dport " + list(1, 80) + " -> tcp"}),
                EndsWith("becomes more than 4096 table entries; use a set for the longest list"));
    const std::string many = "dport " + list(1, 80) + " user " + list(1, 80) + " -> tcp";
    EXPECT_THAT(error({"tcp -> tcp", many}), StartsWith("rule 2 'dport {1, 3, "));
    EXPECT_THAT(error({many}), EndsWith("becomes more than 4096 table entries; use a set for the longest list"));
    std::vector<std::string> rules;
    for (int i = 0; i < 5; ++i)
        rules.push_back("sport " + std::to_string(i + 1) + " user " + list(1, 820) + " -> tcp");
    EXPECT_THAT(error(rules), StartsWith("rule 5 '"));
    EXPECT_THAT(error(rules), EndsWith("the rules become more than 4096 table entries; use sets instead of long lists "
                                       "in several fields"));
    rules.pop_back();
    EXPECT_EQ(rows(rules).size(), 4u * 820 + 1);
}

TEST(LocalRows, TakeNoNegatedListOfNames) {
    Policy policy = test::policy_of({"cgroup !/a -> tcp"});
    policy.rules[0].match.cgroup->any_of.emplace_back("/b");
    const auto tables = compile(policy, kBinding);
    ASSERT_FALSE(tables);
    EXPECT_EQ(tables.error().what, "rule 1 'cgroup !/a -> tcp': a negated list of cgroups");
}

} // namespace
} // namespace beeline::local
