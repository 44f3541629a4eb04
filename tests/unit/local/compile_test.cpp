// SPDX-License-Identifier: Apache-2.0
//
// Rows against rules: the first row that fits an end is of the rule that the reference model finds.
#include <algorithm>
#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include <beeline/local/tables.hpp>
#include <beeline/policy/parse.hpp>
#include <harness/generate.hpp>
#include <harness/local_model.hpp>
#include <harness/row_reader.hpp>

namespace beeline::local {
namespace {

using model::LocalAnswer;
using model::LocalEnd;
using model::Random;
using policy::OneOf;
using policy::Range;

/// The cgroups there are; the id of each is its place here and 100. A name may begin like another one.
const std::vector<std::string> kCgroups{"/", "/a", "/a/b", "/a/b/c", "/ab", "/ab/b", "/d"};
const std::vector<std::string> kProcesses{"redis", "redis-server", "nginx", "fifteen-letters"};
const std::vector<std::uint32_t> kUsers{0, 1, 5, 6, 1000, 65534, 4294967293, 4294967294};

Result<std::pair<std::uint64_t, std::uint32_t>> cgroup(const std::string &path) {
    const auto at = std::find(kCgroups.begin(), kCgroups.end(), path);
    if (at == kCgroups.end())
        return fail(Kind::host, ENOENT, "no such cgroup");
    const auto level = path == "/" ? 0 : std::count(path.begin(), path.end(), '/');
    return std::pair(static_cast<std::uint64_t>(at - kCgroups.begin()) + 100, static_cast<std::uint32_t>(level));
}

/// Ids of a cgroup and those above it, the root first, as the kernel keeps them.
std::vector<std::uint64_t> ancestors(const std::string &path) {
    std::vector<std::uint64_t> ids{100};
    for (std::size_t slash = path.find('/', 1); path != "/"; slash = path.find('/', slash + 1)) {
        ids.push_back(cgroup(path.substr(0, slash)).value().first);
        if (slash == path.npos)
            break;
    }
    return ids;
}

/// bl_match_socket() of bpf/local/judge.h. -1: nobody can say before the process is known.
int socket_fits(const bl_local_row &row, const LocalEnd &end) {
    const auto is = [&](std::uint32_t flag) { return (row.flags & flag) != 0; };
    const std::vector<std::uint64_t> above = ancestors(end.cgroup);
    const bool below = row.level < above.size() && above[row.level] == row.cgroup;
    if (is(BL_LOCAL_CGROUP) && below == is(BL_LOCAL_NOT_CGROUP))
        return 0;
    if (is(BL_LOCAL_USER) && (end.user >= row.uid_low && end.user <= row.uid_high) == is(BL_LOCAL_NOT_USER))
        return 0;
    if (!is(BL_LOCAL_PROCESS))
        return 1;
    if (!end.process)
        return -1;
    std::array<char, 16> comm{};
    end.process->copy(comm.data(), comm.size() - 1);
    return (std::memcmp(comm.data(), row.comm, sizeof row.comm) == 0) != is(BL_LOCAL_NOT_PROCESS) ? 1 : 0;
}

/// bl_try_row() and its loop.
LocalAnswer first_row(const Tables &tables, const LocalEnd &end) {
    const model::Fields fields = end.fields();
    const model::RowReader reader(fields, tables.sets);
    for (const bl_local_row &row : tables.rows) {
        const int fits = reader.fits(row.entry, row.extra) ? socket_fits(row, end) : 0;
        if (fits == 0)
            continue;
        if (fits < 0)
            return {row.entry.rule, BL_LOCAL_LATER};
        const bool plain = (row.flags & BL_LOCAL_FALLBACK) != 0 && row.entry.verdict == BL_LOCAL_TCP;
        return {row.entry.rule, plain ? BL_LOCAL_NONE : row.entry.verdict};
    }
    ADD_FAILURE() << "the last row fits everything";
    return {};
}

OneOf<std::string> names(Random &random, const std::vector<std::string> &known) {
    OneOf<std::string> condition{.negated = random.chance(30), .any_of = {random.pick(known)}, .set = {}};
    while (!condition.negated && random.chance(40))
        condition.any_of.push_back(random.pick(known));
    return condition;
}

OneOf<Range<std::uint32_t>> users(Random &random) {
    OneOf<Range<std::uint32_t>> condition{.negated = random.chance(40), .any_of = {}, .set = {}};
    do {
        const auto [low, high] = std::minmax(random.pick(kUsers), random.pick(kUsers));
        condition.any_of.push_back(random.chance(50) ? Range{low, low} : Range{low, high});
    } while (random.chance(40));
    return condition;
}

/// An edge policy with nothing left that these rules cannot say.
edge::Policy connections_only(Random &random) {
    edge::Policy policy = model::random_policy(random);
    for (policy::Rule &rule : policy.rules) {
        policy::Match m;
        m.ip = rule.match.ip;
        m.src = rule.match.src;
        m.dst = rule.match.dst;
        m.sport = rule.match.sport;
        m.dport = rule.match.dport;
        if (random.chance(10))
            m.proto = OneOf<std::uint8_t>{.negated = false, .any_of = {6}, .set = {}};
        rule.match = std::move(m);
        rule.rate.reset();
        rule.action = {};
        rule.action.verdict = random.chance(50) ? policy::Verdict::accelerate : policy::Verdict::tcp;
    }
    return policy;
}

Policy with_sockets(Random &random, const edge::Policy &from) {
    Policy policy;
    policy.sets = from.sets;
    policy.rules = from.rules;
    for (std::size_t i = 0; i + 1 < policy.rules.size(); ++i) {
        policy::Match &m = policy.rules[i].match;
        const bool empty = m == policy::Match{};
        if (empty || random.chance(30))
            m.cgroup = names(random, kCgroups);
        if (random.chance(25))
            m.process = names(random, kProcesses);
        if (random.chance(30))
            m.user = users(random);
    }
    return policy;
}

/// An end of a connection that hits rules of the policy or just misses them.
LocalEnd random_end(Random &random, const edge::Policy &policy) {
    model::Fields fields;
    do
        fields = model::parse(model::random_packet(random, policy));
    while (!fields.ip || !fields.ports);
    LocalEnd end{.family = fields.ip->family, .src = fields.ip->src, .dst = fields.ip->dst};
    end.sport = fields.ports->src;
    end.dport = fields.ports->dst;
    end.cgroup = random.pick(kCgroups);
    if (random.chance(70))
        end.process = random.pick(kProcesses);
    end.user = random.pick(kUsers);
    return end;
}

TEST(LocalTables, FindTheRuleThatTheModelFinds) {
    Random random(20261121);
    std::size_t in_the_middle = 0;
    std::array<std::size_t, 4> judged{};
    for (int round = 0; round < 400; ++round) {
        const edge::Policy like = connections_only(random);
        const Policy policy = with_sockets(random, like);
        const auto tables = compile(policy, {.counter = {}, .cgroup = cgroup});
        ASSERT_TRUE(tables) << tables.error().message();
        for (int i = 0; i < 100; ++i) {
            const LocalEnd end = random_end(random, like);
            const LocalAnswer expected = model::judge(policy, end);
            ASSERT_EQ(first_row(*tables, end), expected)
                << "rule " << policy::to_text(policy.rules[expected.rule], policy.sets) << "\nend " << end.text();
            in_the_middle += expected.rule + 1 < policy.rules.size() ? 1 : 0;
            ++judged.at(expected.judged);
        }
    }
    EXPECT_GT(in_the_middle, 10000u) << "the ends must meet rules, not the fallback alone";
    for (const std::size_t times : judged)
        EXPECT_GT(times, 1000u) << "every answer is given";
}

} // namespace
} // namespace beeline::local
