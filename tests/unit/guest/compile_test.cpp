// SPDX-License-Identifier: Apache-2.0
//
// Rows against rules: the first row that fits a packet is of the rule that the reference model finds.
#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/guest/tables.hpp>
#include <harness/generate.hpp>
#include <harness/model.hpp>

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

/// As bpf/lib/match.h reads a row, for the conditions that guests' rules have.
class Reader {
public:
    Reader(const Fields &fields, const std::vector<policy::SetTable> &sets) : fields_(fields), sets_(sets) {
        if (!fields.ip)
            return;
        facts_ |= fields.ip->family == Family::v4 ? BL_FACT_V4 : BL_FACT_V6;
        facts_ |= std::uint64_t{fields.ip->proto} << BL_FACT_PROTO_SHIFT;
        if (fields.ports)
            facts_ |= BL_FACT_PORTS;
        if (fields.icmp)
            facts_ |= BL_FACT_ICMP | std::uint64_t{fields.icmp->type} << BL_FACT_ICMP_TYPE_SHIFT |
                      std::uint64_t{fields.icmp->code} << BL_FACT_ICMP_CODE_SHIFT;
        std::memcpy(src_, fields.ip->src.data(), sizeof src_);
        std::memcpy(dst_, fields.ip->dst.data(), sizeof dst_);
        if (fields.ip->family == Family::v4) {
            std::memcpy(&addr4_, src_, 4);
            std::memcpy(reinterpret_cast<char *>(&addr4_) + 4, dst_, 4);
        }
    }

    [[nodiscard]] bool fits(const bl_guest_row &row) const {
        const bl_entry &e = row.entry;
        const std::uint16_t sport = fields_.ports ? fields_.ports->src : 0,
                            dport = fields_.ports ? fields_.ports->dst : 0;
        return (facts_ & e.facts_mask) == e.facts_value && (addr4_ & e.addr4_mask) == e.addr4_value &&
               static_cast<std::uint16_t>(sport - e.sport_low) <= e.sport_span &&
               static_cast<std::uint16_t>(dport - e.dport_low) <= e.dport_span &&
               (e.extra_flags == 0 || extra_fits(row.extra, e.extra_flags, sport, dport));
    }

private:
    [[nodiscard]] bool extra_fits(const bl_extra &x, std::uint32_t flags, std::uint16_t sport,
                                  std::uint16_t dport) const {
        EXPECT_EQ(flags & ~(BL_EXTRA_SRC | BL_EXTRA_NOT_SRC | BL_EXTRA_DST | BL_EXTRA_NOT_DST | BL_EXTRA_NOT_FACTS |
                            BL_EXTRA_SETS | BL_EXTRA_IP),
                  0u)
            << "a condition that guests' rules have not";
        const auto compare = [](const std::uint64_t(&field)[2], const auto &value, const auto &mask) {
            return (field[0] & mask[0]) == value[0] && (field[1] & mask[1]) == value[1];
        };
        if ((flags & BL_EXTRA_IP) != 0 && !fields_.ip)
            return false;
        if ((flags & BL_EXTRA_SRC) != 0 && compare(src_, x.src_value, x.src_mask) == ((flags & BL_EXTRA_NOT_SRC) != 0))
            return false;
        if ((flags & BL_EXTRA_DST) != 0 && compare(dst_, x.dst_value, x.dst_mask) == ((flags & BL_EXTRA_NOT_DST) != 0))
            return false;
        for (unsigned i = 0; i < BL_NOT_FACTS && (flags & BL_EXTRA_NOT_FACTS) != 0; ++i)
            if (x.not_mask[i] != 0 && (facts_ & x.not_mask[i]) == x.not_value[i])
                return false;
        if ((flags & BL_EXTRA_SETS) == 0)
            return true;
        const auto asked = [&](unsigned field, auto within) {
            return x.sets[field] == BL_SET_NONE ||
                   (fields_.ip && within(table(x.sets[field])) != (x.sets_negated[field] != 0));
        };
        const auto member = [](std::uint16_t port) {
            return [port](const policy::SetTable &set) {
                return std::any_of(set.members.begin(), set.members.end(),
                                   [&](const auto &m) { return m.data == port; });
            };
        };
        return asked(BL_SET_SRC, [&](const auto &set) { return in_trie(set, src_); }) &&
               asked(BL_SET_DST, [&](const auto &set) { return in_trie(set, dst_); }) &&
               asked(BL_SET_SPORT, member(sport)) && asked(BL_SET_DPORT, member(dport));
    }

    [[nodiscard]] const policy::SetTable &table(std::uint32_t index) const {
        const auto set = std::find_if(sets_.begin(), sets_.end(), [&](const auto &s) { return s.index == index; });
        if (set == sets_.end())
            throw std::out_of_range("no set of this number");
        return *set;
    }

    [[nodiscard]] bool in_trie(const policy::SetTable &set, const std::uint64_t (&address)[2]) const {
        const auto starts = [&](const void *prefix, unsigned bits) {
            const auto *a = static_cast<const std::uint8_t *>(prefix);
            const auto *b = reinterpret_cast<const std::uint8_t *>(address);
            for (unsigned i = 0; i < bits; ++i)
                if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
                    return false;
            return true;
        };
        if (fields_.ip->family == Family::v4)
            return std::any_of(set.prefixes4.begin(), set.prefixes4.end(),
                               [&](const bl_lpm4 &key) { return starts(&key.address, key.bits); });
        return std::any_of(set.prefixes6.begin(), set.prefixes6.end(),
                           [&](const bl_lpm6 &key) { return starts(key.address, key.bits); });
    }

    const Fields &fields_;
    const std::vector<policy::SetTable> &sets_;
    std::uint64_t facts_ = 0, addr4_ = 0;
    std::uint64_t src_[2] = {}, dst_[2] = {};
};

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
            const Reader reader(fields, tables->sets);
            for (const Direction direction : {Direction::in, Direction::out}) {
                const auto &rows = direction == Direction::in ? tables->in : tables->out;
                const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto &r) { return reader.fits(r); });
                ASSERT_NE(row, rows.end()) << "the last row fits everything";
                const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(), [&](const policy::Rule &r) {
                    return (!r.match.direction || r.match.direction == direction) &&
                           model::matches(r.match, rules, fields, model::kDevice);
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
