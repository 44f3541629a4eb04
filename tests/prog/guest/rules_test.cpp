// SPDX-License-Identifier: Apache-2.0
//
// What rules say of packets that begin flows, and who may not even ask them.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class GuestRules : public World {};

struct Case {
    const char *sentence;
    std::vector<std::string> rules; ///< Of the web guest; `fallback -> pass` follows.
    Packet packet;
    bool out; ///< From the guest to the world; else from the host's stack to the guest.
    std::size_t rule;
    bool passes;
    std::vector<policy::Set> sets{};
};

const Packet kOut4 = Eth{} / Ip4{.src = kWeb4};
const Packet kIn4 = Eth{} / Ip4{.src = kBack4, .dst = kWeb4};
const Packet kOut6 = Eth{} / Ip6{.src = kWeb6};
const Packet kIn6 = Eth{} / Ip6{.src = kHost6, .dst = kWeb6};

std::vector<policy::Set> a_set() {
    policy::Prefix net{.family = policy::Family::v4, .bits = 24, .address = {198, 51, 100}};
    policy::Prefix six{.family = policy::Family::v6, .bits = 48, .address = {0x20, 0x01, 0x0d, 0xb8, 0, 1}};
    return {{.name = "far", .type = policy::SetType::prefix, .prefixes = {net, six}, .ports = {}, .macs = {}}};
}

const std::vector<Case> &cases() {
    static const std::vector<Case> all = {
        {"the fallback lets out", {"in -> drop"}, kOut4 / Udp{}, true, 1, true},
        {"the fallback lets in", {"out -> drop"}, kIn4 / Udp{}, false, 1, true},
        {"a rule without a direction judges what goes out", {"udp dport 53 -> drop"}, kOut4 / Udp{}, true, 0, false},
        {"a rule without a direction judges what comes in", {"udp dport 53 -> drop"}, kIn4 / Udp{}, false, 0, false},
        {"the first rule decides", {"udp -> pass", "dport 53 -> drop"}, kOut4 / Udp{}, true, 0, true},
        {"a port range", {"tcp dport 440-450 -> drop"}, kOut4 / Tcp{.flags = kSyn}, true, 0, false},
        {"another port", {"tcp dport 80 -> drop"}, kOut4 / Tcp{.flags = kSyn}, true, 1, true},
        {"a source port", {"sport 40000 -> drop"}, kOut4 / Tcp{.flags = kSyn}, true, 0, false},
        {"a destination", {"out dst 198.51.100.0/24 -> drop"}, kOut4 / Udp{}, true, 0, false},
        {"a destination of IPv6", {"out dst 2001:db8:1::/48 -> drop"}, kOut6 / Udp{}, true, 0, false},
        {"another destination of IPv6", {"out dst 2001:db8:2::/48 -> drop"}, kOut6 / Udp{}, true, 1, true},
        {"the family", {"ipv6 -> drop"}, kOut4 / Udp{}, true, 1, true},
        {"a source in IPv6", {"in src 2001:db8:f::/64 -> drop"}, kIn6 / Udp{}, false, 0, false},
        {"a set of prefixes", {"out dst @far -> drop"}, kOut4 / Udp{}, true, 0, false, a_set()},
        {"a set of IPv6 prefixes", {"out dst @far -> drop"}, kOut6 / Udp{}, true, 0, false, a_set()},
        {"not in a set", {"out dst !@far -> drop"}, kOut4 / Udp{}, true, 1, true, a_set()},
        {"an echo request", {"icmp type echo-request -> drop"}, kOut4 / Icmp{}, true, 0, false},
        {"a request with identifier 0 is a request",
         {"icmp type echo-reply -> drop"},
         kOut4 / Icmp{.id = 0},
         true,
         1,
         true},
        {"an unasked reply is a reply", {"icmp type echo-reply -> drop"}, kOut4 / Icmp{.type = 0}, true, 0, false},
        {"an IPv6 echo request", {"icmpv6 type echo-request -> drop"}, kIn6 / Icmp6{}, false, 0, false},
        {"another ICMP type", {"icmp type 13 -> drop"}, kOut4 / Icmp{.type = 13}, true, 0, false},
        {"an ICMP error about nothing known",
         {"icmp type 3 -> drop"},
         kIn4 / Icmp{.type = 3} / Payload(std::size_t{28}),
         false,
         0,
         false},
        {"a protocol without ports",
         {"proto 47 -> drop"},
         Eth{} / Ip4{.src = kWeb4, .proto = 47} / Payload(std::size_t{8}),
         true,
         0,
         false},
    };
    return all;
}

TEST_F(GuestRules, decide_about_packets_that_begin_flows) {
    for (const Case &c : cases()) {
        SCOPED_TRACE(c.sentence);
        rules(kWeb, c.rules, c.sets);
        forget_flows();
        counted();
        const Bytes frame = c.packet.bytes();
        const Ran ran = c.out ? out(kWeb, frame) : in(kWeb, frame);
        EXPECT_EQ(ran.verdict, !c.passes ? kDrop : c.out ? kRedirect : kNext);
        EXPECT_EQ(wrong_checksums(ran.frame), "");
        Counted expected;
        if (!c.passes)
            expected["rule"] = 1;
        Counted got = counted();
        got.erase("unrelated");
        EXPECT_EQ(got, expected);
        for (std::size_t rule = 0; rule <= c.rules.size(); ++rule)
            EXPECT_EQ(hits(kWeb, rule), rule == c.rule ? 1u : 0u) << "rule " << rule;
        EXPECT_EQ(flows().size(), c.passes ? 2u : 0u);
    }
}

TEST_F(GuestRules, of_both_guests_are_asked_between_them) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{}).bytes();
    rules(kMail, {"in src 10.88.0.2 -> drop"});
    EXPECT_EQ(out(kWeb, frame).verdict, kDrop);
    EXPECT_EQ(hits(kMail, 0), 1u);
    EXPECT_EQ(hits(kWeb, 0), 0u) << "counts packets that go on";
    rules(kMail, {});
    rules(kWeb, {"out dst 10.88.0.3 -> drop"});
    EXPECT_EQ(out(kWeb, frame).verdict, kDrop);
    EXPECT_EQ(hits(kWeb, 0), 1u);
    rules(kWeb, {});
    const Ran ran = out(kWeb, frame);
    EXPECT_EQ(ran.verdict, kPass);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kMail);
    EXPECT_EQ(ends_of(ran.frame), (Ends{kWeb4, kMail4, 40000, 53, 64})) << "neighbours: no hop between them";
    EXPECT_EQ(hits(kMail, 0), 1u);
    EXPECT_EQ(hits(kWeb, 0), 1u);
    EXPECT_EQ(counted(), (Counted{{"rule", 2}}));
}

TEST_F(GuestRules, log_the_flows_they_are_told_to) {
    rules(kWeb, {"out udp -> log drop", "fallback -> pass"});
    EXPECT_EQ(out(kWeb, (kOut4 / Udp{}).bytes()).verdict, kDrop);
    const auto events = logged();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].slot, kWeb);
    EXPECT_EQ(events[0].direction, BL_GUEST_OUT);
    EXPECT_EQ(events[0].rule, 0u);
    EXPECT_EQ(events[0].verdict, BL_GUEST_DROP);
    EXPECT_EQ(events[0].tuple.dport, htons(53));
}

TEST_F(GuestRules, are_needed) {
    erase_rules(kWeb, BL_GUEST_OUT);
    EXPECT_EQ(out(kWeb, (kOut4 / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kWeb, (kIn4 / Udp{}).bytes()).verdict, kNext);
    erase_rules(kWeb, BL_GUEST_IN);
    forget_flows();
    EXPECT_EQ(in(kWeb, (kIn4 / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_table", 2}}));
}

TEST_F(GuestRules, let_nothing_through_a_guest_that_is_down) {
    bl_guest web = guest(kWeb);
    web.flags &= ~BL_GUEST_UP;
    set_guest(kWeb, web);
    EXPECT_EQ(out(kWeb, (kOut4 / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kWeb, (kIn4 / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(out(kMail, (Eth{} / Ip4{.src = kMail4, .dst = kWeb4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kWorld4, .dst = kWeb4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(out(4711, (kOut4 / Udp{}).bytes(), {}, true).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_guest", 5}}));
}

TEST_F(GuestRules, let_nothing_through_stubs_without_programs) {
    const __sk_buff skb{};
    const Bytes frame = (kOut4 / Udp{}).bytes();
    EXPECT_EQ(run(programs()->progs.guest_out_stub, frame, skb).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_guest", 1}})) << "the slot of a stub that nobody set";
    auto jumps = map<std::uint32_t, std::uint32_t>(programs()->maps.guest_progs);
    for (const std::uint32_t slot : {BL_GUEST_PROG_OUT, BL_GUEST_PROG_IN, BL_GUEST_PROG_ANSWER})
        ASSERT_OK(jumps.erase(slot));
    EXPECT_EQ(run(programs()->progs.guest_out_stub, frame, skb).verdict, kDrop);
    EXPECT_EQ(run(programs()->progs.guest_in_stub, frame, skb).verdict, kDrop);
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kWeb4, .ttl = 1} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_program", 3}, {"ttl", 1}}));
}

} // namespace
} // namespace beeline::guest::test
