// SPDX-License-Identifier: Apache-2.0
//
// Random rules of guests against the plain evaluation of the policy. BEELINE_GUEST_SEED: another series of cases.
#include <arpa/inet.h>

#include <cstdlib>
#include <cstring>

#include <beeline/guest/parse.hpp>
#include <harness/generate.hpp>
#include <harness/model.hpp>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using model::Random;

constexpr int kPolicies = 400, kPackets = 260; ///< Each way: 208,000 decisions.

class GuestAgreement : public World {};

/// The conditions that all packets of a flow share; the rest of what is generated is no word of guests.
policy::Match guest_match(Random &random, const policy::Match &all) {
    policy::Match match;
    match.ip = all.ip;
    match.src = all.src;
    match.dst = all.dst;
    match.sport = all.sport;
    match.dport = all.dport;
    match.proto = all.proto;
    match.icmp_type = all.icmp_type;
    match.icmp_code = all.icmp_code;
    if (random.chance(50))
        match.direction = random.pick({policy::Direction::in, policy::Direction::out});
    return match;
}

Policy random_rules(Random &random) {
    Policy policy;
    edge::Policy source = model::random_policy(random);
    policy.sets = source.sets;
    for (const policy::Rule &rule : source.rules) {
        policy::Rule one{.match = guest_match(random, rule.match), .rate = {}, .action = {}, .text = {}, .where = {}};
        one.action.verdict = random.pick({policy::Verdict::pass, policy::Verdict::drop});
        one.text = "rule " + std::to_string(policy.rules.size());
        policy.rules.push_back(one);
    }
    policy.rules.back().match = {};
    return policy;
}

/// The first rule of the direction that matches.
std::size_t decides(const Policy &policy, const Bytes &frame, policy::Direction direction) {
    const model::Fields fields = model::parse(frame);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        policy::Match match = policy.rules[i].match;
        if (match.direction && *match.direction != direction)
            continue;
        match.direction = {};
        if (model::matches(match, policy.sets, fields, "lo"))
            return i;
    }
    return policy.rules.size();
}

/// Mostly none; else some, of types that matter and of others, now and then with lengths that cannot be.
Bytes random_options(Random &random) {
    Bytes options;
    if (!random.chance(20))
        return options;
    const std::size_t most = random.between(1, 40);
    while (options.size() < most) {
        const auto type = random.pick<std::uint8_t>({1, 1, 7, 68, 148, 131, 137, 0});
        options.push_back(std::byte{type});
        if (type < 2 || options.size() == most)
            continue;
        const std::size_t size = random.chance(10) ? random.below(42) : random.between(2, 6);
        options.push_back(static_cast<std::byte>(size));
        while (options.size() < most && options.size() % 7 != 0 && size > 2)
            options.push_back(std::byte{1});
    }
    return options;
}

/// A packet from or to the guest; the other end is any address.
Packet random_ends(Random &random, bool six, bool from_guest, std::array<std::uint8_t, 16> guest) {
    const auto other = model::random_address(random, six ? policy::Family::v6 : policy::Family::v4).address;
    const auto &src = from_guest ? guest : other, &dst = from_guest ? other : guest;
    if (six) {
        Packet packet = Eth{} / Ip6{.src = Addr6(src), .dst = Addr6(dst)};
        for (int i = random.chance(20) ? static_cast<int>(random.between(1, 3)) : 0; i > 0; --i)
            packet.layers.push_back(Ext{.proto = random.pick<std::uint8_t>({0, 43, 60}),
                                        .units = static_cast<std::uint8_t>(random.below(3)),
                                        .third = static_cast<std::uint8_t>(random.below(5)),
                                        .fourth = random.pick<std::uint8_t>({0, 0, 1})});
        return packet / Payload(std::size_t{0});
    }
    return Eth{} / Ip4{.src = Addr4(src), .dst = Addr4(dst), .options = random_options(random)} /
           Payload(std::size_t{0});
}

/// What every host refuses, whatever its rules say: BL_GUEST_R_* of a packet that is not judged at all, or 0.
std::uint32_t refused(const model::Fields &fields) {
    if (fields.ip->source_route || fields.ip->routed)
        return BL_GUEST_R_SOURCE_ROUTE;
    return fields.ip->bad_options ? BL_GUEST_R_MALFORMED : 0;
}

Packet with_l4(Random &random, Packet packet, bool six) {
    packet.layers.pop_back();
    const std::uint16_t sport = model::random_port(random), dport = model::random_port(random);
    switch (random.below(6)) {
    case 0:
    case 1:
        return packet / Tcp{.sport = sport, .dport = dport, .flags = kSyn};
    case 2:
        return packet / Udp{.sport = sport, .dport = dport};
    case 3:
        return packet / Sctp{.sport = sport, .dport = dport};
    default: {
        const auto type = random.pick<std::uint8_t>({0, 8, 13, 14, 128, 129, 130, 200});
        // Code 0, as echoes have: what begins a flow by an echo is judged as such.
        if (six)
            return packet / Icmp6{.type = type == 8 || type == 0 ? std::uint8_t{128} : type};
        return packet / Icmp{.type = type};
    }
    }
}

TEST_F(GuestAgreement, of_program_and_policy) {
    const char *seed_text = std::getenv("BEELINE_GUEST_SEED");
    const std::uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : 1;
    Random random(seed);
    settle(1, 1024, 65535); // enough for any number of flows to one destination
    std::array<std::uint8_t, 16> four{}, six{};
    ASSERT_EQ(::inet_pton(AF_INET, kWeb4, four.data()), 1);
    ASSERT_EQ(::inet_pton(AF_INET6, kWeb6, six.data()), 1);
    std::size_t decisions = 0, drops = 0, refusals = 0;
    for (int p = 0; p < kPolicies; ++p) {
        const Policy policy = random_rules(random);
        ASSERT_NO_FATAL_FAILURE(load(kWeb, policy));
        forget_flows();
        for (int n = 0; n < kPackets; ++n) {
            const bool v6 = random.chance(40);
            for (const bool from_guest : {true, false}) {
                const Bytes frame = with_l4(random, random_ends(random, v6, from_guest, v6 ? six : four), v6).bytes();
                const auto direction = from_guest ? policy::Direction::out : policy::Direction::in;
                const std::size_t rule = decides(policy, frame, direction);
                ASSERT_LT(rule, policy.rules.size());
                __sk_buff trace{};
                trace.cb[1] = BL_GUEST_TRACE;
                const Ran ran = from_guest ? out(kWeb, frame, trace) : in(kWeb, frame, trace);
                const std::uint32_t why = refused(model::parse(frame));
                const bool drop = why != 0 || policy.rules[rule].action.verdict == policy::Verdict::drop;
                ASSERT_EQ(ran.skb.cb[1], why != 0 ? why
                                         : drop   ? BL_GUEST_R_RULE
                                                  : 0)
                    << "seed " << seed << " policy " << p << "\n"
                    << hex(frame);
                ASSERT_EQ(ran.skb.cb[0], why != 0 ? BL_GUEST_NONE : rule) << "seed " << seed << " policy " << p << "\n"
                                                                          << hex(frame);
                ASSERT_EQ(ran.verdict == kDrop, drop) << "seed " << seed << " policy " << p << "\n" << hex(frame);
                // As traffic, too; in one direction of each policy, or one packet might answer another.
                if (from_guest == (p % 2 == 0)) {
                    const std::uint32_t verdict = (from_guest ? out(kWeb, frame) : in(kWeb, frame)).verdict;
                    ASSERT_EQ(verdict == kDrop, drop) << "seed " << seed << " policy " << p << "\n" << hex(frame);
                }
                ++decisions;
                drops += drop && why == 0;
                refusals += why != 0;
            }
        }
    }
    EXPECT_GE(decisions, 100'000u);
    EXPECT_GT(drops, decisions / 10);
    EXPECT_LT(drops, decisions * 9 / 10);
    EXPECT_GT(refusals, decisions / 50);
}

} // namespace
} // namespace beeline::guest::test
