// SPDX-License-Identifier: Apache-2.0
//
// Rows against rules: the first row that fits a packet is of the rule that the reference model finds.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/guest/tables.hpp>
#include <harness/generate.hpp>
#include <harness/model.hpp>
#include <harness/row_reader.hpp>

#include "unit/guest/guest_rules.hpp"

namespace beeline::guest {
namespace {

using model::Fields;
using model::Random;
using policy::Direction;
using policy::Family;

Policy policy_of(const std::vector<std::string> &rules) {
    auto [parsed, said] = test::parse(rules);
    for (const std::string &line : said)
        ADD_FAILURE() << line;
    Policy policy;
    policy.sets = test::named_sets();
    std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy.sets));
    policy.rules = std::move(parsed.rules);
    return policy;
}

/// An edge policy with nothing left that guests' rules cannot say.
edge::Policy guest_like(Random &random) {
    edge::Policy policy = model::random_policy(random);
    for (policy::Rule &rule : policy.rules) {
        policy::Match m;
        m.ip = rule.match.ip;
        m.proto = rule.match.proto;
        m.src = rule.match.src;
        m.dst = rule.match.dst;
        m.sport = rule.match.sport;
        m.dport = rule.match.dport;
        m.icmp_type = rule.match.icmp_type;
        m.icmp_code = rule.match.icmp_code;
        if (&rule != &policy.rules.back() && random.chance(60))
            m.direction = random.chance(50) ? Direction::in : Direction::out;
        rule.match = std::move(m);
        rule.rate.reset();
        rule.action = {};
        rule.action.verdict = random.chance(50) ? policy::Verdict::pass : policy::Verdict::drop;
    }
    return policy;
}

TEST(GuestTables, FindTheRuleThatTheModelFinds) {
    Random random(20261121);
    std::size_t in_the_middle = 0;
    for (int round = 0; round < 300; ++round) {
        const edge::Policy rules = guest_like(random);
        Policy policy;
        policy.sets = rules.sets;
        policy.rules = rules.rules;
        const auto tables = compile(policy);
        ASSERT_TRUE(tables) << tables.error().message();
        for (int packet = 0; packet < 100; ++packet) {
            const model::Bytes frame = model::random_packet(random, rules);
            const Fields fields = model::parse(frame);
            const model::RowReader reader(fields, tables->sets);
            for (const Direction direction : {Direction::in, Direction::out}) {
                const auto &rows = direction == Direction::in ? tables->in : tables->out;
                const auto row = std::find_if(rows.begin(), rows.end(),
                                              [&](const auto &r) { return reader.fits(r.entry, r.extra); });
                ASSERT_NE(row, rows.end()) << "the last row fits everything";
                const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(), [&](const policy::Rule &r) {
                    return (!r.match.direction || r.match.direction == direction) &&
                           model::matches(r.match, rules.sets, fields, model::kDevice);
                });
                const auto expected = static_cast<std::size_t>(rule - rules.rules.begin());
                ASSERT_EQ(row->entry.rule, expected)
                    << "rule " << policy::to_text(*rule, rules.sets) << "\npacket " << fields.text();
                EXPECT_EQ(row->entry.verdict == BL_GUEST_DROP, rule->action.verdict == policy::Verdict::drop);
                in_the_middle += expected + 1 < rules.rules.size() ? 1 : 0;
            }
        }
    }
    EXPECT_GT(in_the_middle, 10000u) << "the packets must meet rules, not the fallback alone";
}

TEST(GuestTables, HoldEachDirectionsRulesAndTheFallback) {
    const auto tables =
        compile(policy_of({"in tcp dport {80, 443} -> pass", "out dst 169.254.169.254 -> log every 3 drop",
                           "icmp -> pass", "fallback -> drop"}));
    ASSERT_TRUE(tables) << tables.error().message();
    const auto rules = [](const std::vector<bl_guest_row> &rows) {
        std::vector<int> numbers;
        for (const bl_guest_row &row : rows)
            numbers.push_back(row.entry.rule);
        return numbers;
    };
    EXPECT_THAT(rules(tables->in), testing::ElementsAre(0, 0, 2, 3));
    EXPECT_THAT(rules(tables->out), testing::ElementsAre(1, 2, 3));
    const bl_entry &logged = tables->out[0].entry;
    EXPECT_EQ(logged.rule_flags, BL_GUEST_LOG);
    EXPECT_EQ(logged.log_every, 3u);
    EXPECT_EQ(logged.verdict, static_cast<std::uint32_t>(BL_GUEST_DROP));
    EXPECT_EQ(logged.counter, 2u);
    EXPECT_EQ(tables->in[0].entry.rule_flags, 0u);
    EXPECT_EQ(tables->in[0].entry.verdict, static_cast<std::uint32_t>(BL_GUEST_PASS));
    for (const auto *rows : {&tables->in, &tables->out}) {
        const bl_entry &last = rows->back().entry;
        EXPECT_EQ(last.facts_mask, 0u);
        EXPECT_EQ(last.extra_flags, 0u);
        EXPECT_EQ(last.sport_span, 0xffff);
        EXPECT_EQ(last.verdict, static_cast<std::uint32_t>(BL_GUEST_DROP));
    }
    EXPECT_FALSE(tables->open);
}

TEST(GuestTables, AreOpenWhenNothingIsRefusedLoggedNorPublished) {
    EXPECT_TRUE(compile(policy_of({}))->open);
    EXPECT_TRUE(compile(policy_of({"tcp -> pass"}))->open);
    EXPECT_FALSE(compile(policy_of({"tcp -> log pass"}))->open);
    EXPECT_FALSE(compile(policy_of({"out tcp -> drop"}))->open);
    Policy published = policy_of({});
    published.publish.push_back({.address = {}, .host_port = 8080, .guest_port = 80, .proto = 6});
    EXPECT_FALSE(compile(published)->open);
}

TEST(GuestTables, TakeTheirNumbersFromWhoGivesThemOut) {
    Policy policy = policy_of({"tcp dport @web -> drop", "src @peers -> pass"});
    policy.rules.insert(policy.rules.begin() + 2, policy.rules[0]);
    std::vector<std::string> asked;
    const Binding binding{
        .counter = [&](const std::string &identity) -> Result<std::uint32_t> {
            asked.push_back(identity);
            return static_cast<std::uint32_t>(100 + asked.size());
        },
        .set = [](const policy::Set &set) -> Result<std::uint32_t> { return set.name == "peers" ? 7 : 9; }};
    const auto tables = compile(policy, binding);
    ASSERT_TRUE(tables) << tables.error().message();
    EXPECT_THAT(asked, testing::ElementsAre("tcp dport @web -> drop", "src @peers -> pass", "tcp dport @web -> drop#2",
                                            "fallback -> pass"));
    EXPECT_EQ(tables->in[0].entry.counter, 101u);
    EXPECT_EQ(tables->rules[3].counter, 104u);
    EXPECT_EQ(tables->in[0].extra.sets[BL_SET_DPORT], 9);
    EXPECT_EQ(tables->in[1].extra.sets[BL_SET_SRC], 7);
    const auto none =
        compile(policy, {.counter = {}, .set = [](const auto &) -> Result<std::uint32_t> { return 255; }});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().what, "the set 'peers' has number 255");
}

TEST(GuestTables, SayWhichRuleIsTooLarge) {
    std::string list;
    for (int port = 0; port < 80; ++port)
        list += (port == 0 ? "" : ", ") + std::to_string(2 * port + 1);
    const auto tables = compile(policy_of({"tcp -> pass", "sport {" + list + "} dport {" + list + "} -> drop"}));
    ASSERT_FALSE(tables);
    EXPECT_THAT(tables.error().what, testing::StartsWith("rule 2 'sport {1, 3, "));
    EXPECT_THAT(tables.error().what, testing::EndsWith("becomes more than 4096 table entries"));
}

} // namespace
} // namespace beeline::guest
