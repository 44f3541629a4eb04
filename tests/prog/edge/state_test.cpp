// SPDX-License-Identifier: Apache-2.0
//
// What the program remembers from packet to packet: counters, rates, events, sets whose entries end, and the record by
// which explain asks. Rates here are one packet an hour, so that the time that a test takes does not matter.
#include <gtest/gtest.h>

#include <cstring>
#include <ctime>

#include <sched.h>

#include <linux/bpf.h>

#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/typed_map.hpp>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class EdgeState : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

Bytes udp_from(const Ip4 &ip, std::uint16_t dport = 53) {
    return (Eth{} / ip / Udp{.dport = dport} / Payload(4)).bytes();
}

/// XDP codes of the same frame put through several times, one letter each: p, d, a.
std::string fates(const Subject &subject, const Bytes &frame, int times) {
    std::string codes;
    for (int i = 0; i < times; ++i) {
        const auto outcome = subject.run(frame);
        codes += !outcome                      ? '!'
                 : outcome->xdp == XDP_PASS    ? 'p'
                 : outcome->xdp == XDP_DROP    ? 'd'
                 : outcome->xdp == XDP_ABORTED ? 'a'
                                               : '?';
    }
    return codes;
}

TEST_F(EdgeState, HitsAreCountedPerRuleInPacketsAndBytes) {
    ASSERT_VALUE(const Subject subject, Subject::load({"dport 53 -> drop", "udp -> pass"}));
    const Bytes small = udp_from({}), other = udp_from({}, 54);
    ASSERT_OK(subject.run(small, 0, 5));
    ASSERT_OK(subject.run(truncate((Eth{} / Ip4{} / Udp{.dport = 54} / Payload(900)).bytes(), 900), 0, 2));
    ASSERT_OK(subject.run(other));
    ASSERT_VALUE(const bl_hits first, subject.hits(0));
    EXPECT_EQ(first.packets, 5u);
    EXPECT_EQ(first.bytes, 5 * small.size());
    ASSERT_VALUE(const bl_hits second, subject.hits(1));
    EXPECT_EQ(second.packets, 3u) << "a protocol is there without ports, too";
    EXPECT_EQ(second.bytes, 2 * 900 + other.size());
    ASSERT_VALUE(const bl_hits last, subject.hits(2));
    EXPECT_EQ(last.packets, 0u);
    ASSERT_VALUE(const auto reasons, subject.reasons());
    EXPECT_EQ(reasons, (Counted{{"bad_length", 2}}));
}

TEST_F(EdgeState, RateForAllLetsTheBurstThrough) {
    ASSERT_VALUE(const Subject subject, Subject::load({"udp rate over 1/h burst 3 -> drop"}));
    EXPECT_EQ(fates(subject, udp_from({}), 3), "ppp");
    EXPECT_EQ(fates(subject, udp_from({.src = "10.0.0.1"}), 2), "dd") << "one bucket for all sources";
    EXPECT_EQ(fates(subject, (Eth{} / Ip4{} / Tcp{}).bytes(), 5), "ppppp") << "the other conditions come first";
    ASSERT_VALUE(const bl_hits over, subject.hits(0));
    EXPECT_EQ(over.packets, 2u) << "only what is over the rate is the rule's";
}

TEST_F(EdgeState, RatePerSourceKeepsABucketForEach) {
    ASSERT_VALUE(const Subject subject,
                 Subject::load({"ip rate over 1/h burst 2 per src -> drop", "ipv6 rate over 1/h per src -> abort"}));
    const Bytes six = (Eth{} / Ip6{} / Udp{}).bytes(), other6 = (Eth{} / Ip6{.src = "2001:db8::2"} / Udp{}).bytes();
    EXPECT_EQ(fates(subject, udp_from({.src = "10.0.0.1"}), 4), "ppdd");
    EXPECT_EQ(fates(subject, udp_from({.src = "10.0.0.2"}), 3), "ppd");
    EXPECT_EQ(fates(subject, six, 2), "pa");
    EXPECT_EQ(fates(subject, other6, 2), "pa");
    EXPECT_EQ(fates(subject, udp_from({.src = "10.0.0.1"}), 1), "d");
}

TEST_F(EdgeState, RateCountsAPacketOnceThoughTwoAlternativesFit) {
    ASSERT_VALUE(const Subject subject,
                 Subject::load({"udp src {10.0.0.0/8, 10.1.0.0/16} dport {53, 1-1023} rate over 1/h burst 3 -> drop"}));
    EXPECT_EQ(fates(subject, udp_from({.src = "10.1.2.3"}), 5), "pppdd");
}

/// 100 alternatives that all fit, in a table that is scanned in pieces.
TEST_F(EdgeState, RateCountsAPacketOnceInALongTable) {
    std::string ports = "53";
    for (int i = 1; i < 100; ++i)
        ports += ", 1-" + std::to_string(100 + i);
    ASSERT_VALUE(const Subject subject, Subject::load({"tcp dport {1, 3, 5, 7, 9} -> abort",
                                                       "udp dport {" + ports + "} rate over 1/h burst 3 -> drop"}));
    ASSERT_GT(subject.tables().entries.size(), 100u);
    EXPECT_EQ(fates(subject, udp_from({}), 5), "pppdd");
}

TEST_F(EdgeState, RulesHaveBucketsOfTheirOwn) {
    ASSERT_VALUE(const Subject subject,
                 Subject::load({"udp dport 53 rate over 1/h -> drop", "udp rate over 1/h burst 2 -> abort"}));
    EXPECT_EQ(fates(subject, udp_from({}), 4), "pddd") << "the first packet takes from the second bucket as well";
    EXPECT_EQ(fates(subject, udp_from({}, 54), 2), "pa");
}

TEST_F(EdgeState, ABucketSurvivesAReload) {
    ASSERT_VALUE(const Policy policy, policy_of({"udp rate over 1/h burst 2 -> drop"}, {}));
    ASSERT_VALUE(const Kept kept, Kept::create());
    Binding binding = binding_to_lo();
    ASSERT_VALUE(const Tables first, compile(policy, binding));
    ASSERT_VALUE(const Program before, Program::load(first, kept));
    const Bytes frame = udp_from({});
    ASSERT_VALUE(const auto one, kernel::test_run(before.fd("edge_policy"), {.data = frame}));
    EXPECT_EQ(one.retval, unsigned{XDP_PASS});
    binding.counters = first.counters;
    binding.generation = 2;
    ASSERT_VALUE(const Policy longer, policy_of({"tcp -> abort", "udp rate over 1/h burst 2 -> drop"}, {}));
    ASSERT_VALUE(const Tables second, compile(longer, binding));
    ASSERT_VALUE(const Program after, Program::load(second, kept));
    ASSERT_VALUE(const auto two, kernel::test_run(after.fd("edge_policy"), {.data = frame}));
    EXPECT_EQ(two.retval, unsigned{XDP_PASS});
    ASSERT_VALUE(const auto three, kernel::test_run(after.fd("edge_policy"), {.data = frame}));
    EXPECT_EQ(three.retval, unsigned{XDP_DROP});
}

TEST_F(EdgeState, ExplainTakesNothingFromABucket) {
    ASSERT_VALUE(const Subject subject,
                 Subject::load({"udp rate over 1/h burst 2 per src -> drop", "udp rate over 1/h -> abort"}));
    const Bytes frame = udp_from({});
    for (int i = 0; i < 5; ++i) {
        ASSERT_VALUE(const Judgement j, subject.judge(frame));
        EXPECT_EQ(j.xdp, unsigned{XDP_PASS});
    }
    EXPECT_EQ(fates(subject, frame, 3), "pad");
    ASSERT_VALUE(const Judgement j, subject.judge(frame));
    EXPECT_EQ(j.xdp, unsigned{XDP_DROP}) << "but sees how full it is";
    ASSERT_VALUE(const bl_hits hits, subject.hits(0));
    EXPECT_EQ(hits.packets, 1u);
}

TEST_F(EdgeState, LogShowsThePacketAsItCame) {
    ASSERT_VALUE(const Subject subject, Subject::load({"tcp -> drop", "udp -> log rewrite dport 9 tx"}));
    const Bytes frame = (Eth{} / Ip4{} / Udp{} / Payload(700)).bytes(), small = udp_from({});
    ASSERT_OK(subject.run(frame, kLo));
    ASSERT_OK(subject.run(small, kLo));
    ASSERT_OK(subject.run((Eth{} / Ip4{} / Tcp{}).bytes(), kLo));
    ASSERT_OK(subject.judge(frame));
    ASSERT_VALUE(const auto events, subject.events());
    ASSERT_EQ(events.size(), 2u) << "neither other rules nor explain log";
    for (const auto &[event, packet] : {std::pair{events[0], frame}, std::pair{events[1], small}}) {
        EXPECT_EQ(event.ifindex, kLo);
        EXPECT_EQ(event.rule, 1u);
        EXPECT_EQ(event.generation, 1u);
        EXPECT_EQ(event.verdict, unsigned{BL_EDGE_TX});
        EXPECT_EQ(event.length, packet.size());
        ASSERT_EQ(event.captured, std::min<std::size_t>(packet.size(), BL_EDGE_SNAP));
        EXPECT_EQ(hex(std::as_bytes(std::span(event.data)).first(event.captured)),
                  hex(truncate(packet, event.captured)));
    }
    EXPECT_LE(events[0].time_ns, events[1].time_ns);
    EXPECT_NE(events[0].time_ns, 0u);
}

/// Sampling counts per CPU.
void stay_on_one_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
}

TEST_F(EdgeState, LogTakesEveryNthPacket) {
    stay_on_one_cpu();
    ASSERT_VALUE(const Subject subject, Subject::load({"udp -> log every 4 drop"}));
    ASSERT_OK(subject.run(udp_from({}), 0, 9));
    ASSERT_VALUE(const auto events, subject.events());
    EXPECT_EQ(events.size(), 3u) << "the 1st, 5th and 9th";
}

TEST_F(EdgeState, AFullRingLosesEventsAndNoPackets) {
    ASSERT_VALUE(const Subject subject, Subject::load({"udp -> log drop"}));
    ASSERT_OK(subject.run(udp_from({}), 0, 5000)); // more than a megabyte of events
    ASSERT_VALUE(const auto events, subject.events());
    ASSERT_VALUE(const bl_hits hits, subject.hits(0));
    EXPECT_EQ(hits.packets, 5000u);
    ASSERT_VALUE(const auto reasons, subject.reasons());
    EXPECT_GT(reasons.at("event_lost"), 0u);
    EXPECT_EQ(reasons.at("event_lost") + events.size(), 5000u);
}

std::uint64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

constexpr std::uint64_t kHour = 3'600'000'000'000;

TEST_F(EdgeState, PortAndMacEntriesEnd) {
    const std::vector<Set> sets{
        {.name = "ports", .type = SetType::port, .prefixes = {}, .ports = {{53, 53}}, .macs = {}},
        {.name = "macs", .type = SetType::mac, .prefixes = {}, .ports = {}, .macs = {}}};
    ASSERT_VALUE(const Subject subject, Subject::load({"dport @ports -> drop", "mac src @macs -> abort"}, sets));
    ASSERT_VALUE(auto members, (kernel::Map<bl_set_key, bl_set_entry>::share(subject.program().fd("edge_members"))));
    const bl_set_key http{.data = 80, .set = 0, ._pad = 0};
    const bl_set_key sender{.data = mac_word(Eth{}.src), .set = 1, ._pad = 0};
    EXPECT_EQ(fates(subject, udp_from({}), 1), "d") << "of the config: for ever";
    EXPECT_EQ(fates(subject, udp_from({}, 80), 1), "p");
    ASSERT_OK(members.update(http, {.expires_ns = monotonic_ns() + kHour, .flags = BL_SET_RUNTIME, .bits = 0}));
    ASSERT_OK(members.update(sender, {.expires_ns = monotonic_ns() + kHour, .flags = BL_SET_RUNTIME, .bits = 0}));
    EXPECT_EQ(fates(subject, udp_from({}, 80), 1), "d");
    EXPECT_EQ(fates(subject, udp_from({}, 81), 1), "a");
    ASSERT_OK(members.update(http, {.expires_ns = monotonic_ns(), .flags = BL_SET_RUNTIME, .bits = 0}));
    EXPECT_EQ(fates(subject, udp_from({}, 80), 1), "a") << "past its time, though still there";
    ASSERT_OK(members.update(sender, {.expires_ns = 1, .flags = BL_SET_RUNTIME, .bits = 0}));
    EXPECT_EQ(fates(subject, udp_from({}, 80), 1), "p");
}

TEST_F(EdgeState, AnExpiredPrefixDoesNotHideAShorterOne) {
    const std::vector<Set> sets{{.name = "bad", .type = SetType::prefix, .prefixes = {}, .ports = {}, .macs = {}}};
    ASSERT_VALUE(const Subject subject, Subject::load({"src @bad -> drop", "dst !@bad -> abort"}, sets));
    ASSERT_VALUE(auto outer, kernel::MapInMap::share(subject.program().fd("edge_sets4")));
    ASSERT_VALUE(auto inner, outer.lookup(0));
    ASSERT_TRUE(inner.has_value());
    ASSERT_VALUE(auto trie, (kernel::LpmMap<bl_lpm4, bl_set_entry>::adopt(std::move(*inner))));
    const auto add = [&](const Addr4 &address, std::uint32_t bits, std::uint64_t expires) {
        bl_lpm4 key{.bits = bits, .address = 0};
        std::memcpy(&key.address, address.bytes.data(), 4);
        return trie.update(key, {.expires_ns = expires, .flags = 0, .bits = expires != 0 ? bits : 0});
    };
    const Bytes frame = udp_from({.src = "10.1.2.3"});
    EXPECT_EQ(fates(subject, frame, 1), "a");
    ASSERT_OK(add("10.1.2.3", 32, 1));
    EXPECT_EQ(fates(subject, frame, 1), "a") << "past its time";
    ASSERT_OK(add("10.0.0.0", 8, 0));
    EXPECT_EQ(fates(subject, frame, 1), "d") << "/8 holds behind the expired /32";
    ASSERT_OK(add("10.1.0.0", 16, 1));
    ASSERT_OK(add("10.1.2.0", 24, monotonic_ns() + kHour));
    EXPECT_EQ(fates(subject, udp_from({.src = "10.1.3.3"}), 1), "d") << "/8 behind an expired /16";
    ASSERT_OK(add("0.0.0.0", 0, 1));
    ASSERT_OK(add("10.0.0.0", 8, 1));
    ASSERT_OK(add("10.1.2.0", 24, 1));
    EXPECT_EQ(fates(subject, frame, 1), "a") << "five expired ones, down to /0";
}

TEST_F(EdgeState, OnlyARecordWithTheMagicIsAQuestion) {
    ASSERT_VALUE(const Subject subject, Subject::load({"udp -> drop"}));
    Bytes data(sizeof(bl_edge_trace));
    const Bytes frame = udp_from({});
    data.insert(data.end(), frame.begin(), frame.end());
    kernel::TestRun run{.data = data, .ctx = xdp_md{}};
    run.ctx->data = sizeof(bl_edge_trace);
    ASSERT_VALUE(const auto result, kernel::test_run(subject.program().fd("edge_policy"), run));
    EXPECT_EQ(result.retval, unsigned{XDP_DROP});
    EXPECT_EQ(result.data_out, data) << "somebody else's metadata is not written to";
    ASSERT_VALUE(const bl_hits hits, subject.hits(0));
    EXPECT_EQ(hits.packets, 1u);
    EXPECT_EQ(hits.bytes, frame.size());
}

TEST_F(EdgeState, RootPassesUntilAPolicyIsInTheSlot) {
    ASSERT_VALUE(const Subject subject, Subject::load({"udp -> drop"}));
    const Bytes frame = udp_from({});
    const int root = subject.kept().fd("edge_root");
    ASSERT_VALUE(const auto empty, kernel::test_run(root, {.data = frame}));
    EXPECT_EQ(empty.retval, unsigned{XDP_PASS});
    ASSERT_VALUE(const auto reasons, subject.reasons());
    EXPECT_EQ(reasons, (Counted{{"no_policy", 1}}));
    ASSERT_VALUE(const kernel::MapInfo slot, kernel::map_info(subject.kept().fd("edge_progs")));
    const std::uint32_t zero = 0;
    const auto program = static_cast<std::uint32_t>(subject.program().fd("edge_policy"));
    ASSERT_OK(kernel::raw::update(subject.kept().fd("edge_progs"), slot, &zero, &program, kernel::Update::any));
    ASSERT_VALUE(const auto judged, kernel::test_run(root, {.data = frame}));
    EXPECT_EQ(judged.retval, unsigned{XDP_DROP});
    ASSERT_VALUE(const Judgement explained, judge(root, frame, kLo));
    EXPECT_EQ(explained.rule, 0u);
}

} // namespace
} // namespace beeline::edge
