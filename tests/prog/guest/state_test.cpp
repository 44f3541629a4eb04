// SPDX-License-Identifier: Apache-2.0
//
// Flows: answers that no rule has to allow, and when that ends.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class GuestState : public World {
protected:
    static Bytes request(std::uint8_t flags = kAck, std::uint16_t sport = 40000) {
        return (Eth{} / Ip4{.src = kPlain4} / Tcp{.sport = sport, .flags = flags}).bytes();
    }
    static Bytes answer(std::uint8_t flags = kAck, std::uint16_t dport = 40000) {
        return (Eth{} / Ip4{.src = kWorld4, .dst = kPlain4} / Tcp{.sport = 443, .dport = dport, .flags = flags})
            .bytes();
    }
    /// Flags of all entries, BL_FLOW_REPLY left out; they agree in both.
    std::uint32_t flags() {
        const auto all = flows();
        EXPECT_EQ(all.size(), 2u);
        const std::uint32_t state = all[0].second.flags & ~BL_FLOW_REPLY;
        EXPECT_EQ(state, all[1].second.flags & ~BL_FLOW_REPLY);
        return state;
    }
    void open() {
        EXPECT_EQ(out(kPlain, request(kSyn)).verdict, kRedirect);
        EXPECT_EQ(wire(answer(kSyn | kAck)).verdict, kRedirect);
        EXPECT_EQ(flags(), BL_FLOW_ANSWERED);
    }
};

TEST_F(GuestState, lets_answers_pass_where_packets_of_their_own_would_not) {
    rules(kPlain, {"in -> drop"});
    EXPECT_EQ(wire(answer()).verdict, kDrop) << "nobody has asked";
    open();
    EXPECT_EQ(wire(answer()).verdict, kRedirect);
    EXPECT_EQ(wire(answer(kAck, 40001)).verdict, kDrop);
    EXPECT_EQ(in(kPlain, answer()).verdict, kNext) << "by the host's stack, too";
    EXPECT_EQ(in(kPlain, answer(kAck, 40001)).verdict, kDrop);
    EXPECT_EQ(hits(kPlain, 0), 3u) << "dropped packets count at the rule";
    EXPECT_EQ(hits(kPlain, 1), 4u) << "the flow's count at the rule that began it";
    EXPECT_EQ(counted(), (Counted{{"rule", 3}}));
}

TEST_F(GuestState, lets_the_guest_answer_the_host_where_it_may_not_ask) {
    rules(kPlain, {"out -> drop"});
    const Bytes ask = (Eth{} / Ip4{.src = kBack4, .dst = kPlain4} / Udp{.sport = 5000, .dport = 53}).bytes();
    const Bytes reply = (Eth{} / Ip4{.src = kPlain4, .dst = kBack4} / Udp{.sport = 53, .dport = 5000}).bytes();
    EXPECT_EQ(out(kPlain, reply).verdict, kDrop);
    EXPECT_EQ(in(kPlain, ask).verdict, kNext);
    EXPECT_EQ(out(kPlain, reply).verdict, kNext);
    EXPECT_EQ(in(kPlain, ask).verdict, kNext);
    EXPECT_EQ(flows().size(), 2u);
    EXPECT_EQ(hits(kPlain, 1), 3u);
}

TEST_F(GuestState, does_not_take_a_request_for_the_answer_to_an_echo) {
    rules(kPlain, {"in -> drop"});
    EXPECT_EQ(out(kPlain, (Eth{} / Ip4{.src = kPlain4} / Icmp{.id = 0}).bytes()).verdict, kRedirect);
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kWorld4, .dst = kPlain4} / Icmp{.id = 0}).bytes()).verdict, kDrop);
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kWorld4, .dst = kPlain4} / Icmp{.type = 0, .id = 0}).bytes()).verdict,
              kRedirect);
}

TEST_F(GuestState, ends_with_time) {
    rules(kPlain, {"in -> drop"});
    struct Case {
        const char *sentence;
        bool answered;
        std::uint8_t last; ///< Flags of the guest's last packet; 0: none.
        std::uint64_t seconds;
    };
    for (const Case &c : {Case{"not answered", false, 0, BL_FLOW_TCP_SHORT_SECONDS},
                          {"open", true, 0, BL_FLOW_TCP_SECONDS},
                          {"closing by FIN", true, kFin | kAck, BL_FLOW_TCP_SHORT_SECONDS},
                          {"closing by RST", true, kRst, BL_FLOW_TCP_SHORT_SECONDS}}) {
        SCOPED_TRACE(c.sentence);
        for (const bool over : {false, true}) {
            forget_flows();
            EXPECT_EQ(out(kPlain, request(kSyn)).verdict, kRedirect);
            if (c.answered) {
                EXPECT_EQ(wire(answer(kSyn | kAck)).verdict, kRedirect);
            }
            if (c.last != 0) {
                EXPECT_EQ(out(kPlain, request(c.last)).verdict, kRedirect);
            }
            age_flows(c.seconds + (over ? 2 : -2));
            EXPECT_EQ(wire(answer()).verdict, over ? kDrop : kRedirect);
            EXPECT_EQ(flows().size(), over ? 0u : 2u) << "both entries or none";
        }
    }
}

TEST_F(GuestState, lives_on_by_packets_of_either_direction) {
    open();
    for (int i = 0; i < 4; ++i) {
        age_flows(BL_FLOW_TCP_SECONDS - 2);
        EXPECT_EQ(out(kPlain, request()).verdict, kRedirect);
    }
    rules(kPlain, {"in -> drop"});
    EXPECT_EQ(wire(answer()).verdict, kRedirect);
}

TEST_F(GuestState, closes_and_opens_again) {
    open();
    EXPECT_EQ(wire(answer(kFin | kAck)).verdict, kRedirect);
    EXPECT_EQ(flags(), BL_FLOW_ANSWERED | BL_FLOW_CLOSING);
    EXPECT_EQ(out(kPlain, request()).verdict, kRedirect) << "the other half still talks";
    EXPECT_EQ(flags(), BL_FLOW_ANSWERED | BL_FLOW_CLOSING);
    EXPECT_EQ(out(kPlain, request(kSyn)).verdict, kRedirect);
    EXPECT_EQ(flags() & BL_FLOW_CLOSING, 0u);
    EXPECT_EQ(out(kPlain, request(kRst)).verdict, kRedirect);
    EXPECT_NE(flags() & BL_FLOW_CLOSING, 0u);
}

TEST_F(GuestState, of_which_one_entry_is_lost_is_none) {
    open();
    for (const bool reply : {true, false}) {
        for (const auto &[key, flow] : flows())
            if (((flow.flags & BL_FLOW_REPLY) != 0) == reply)
                ASSERT_OK((map<bl_tuple, bl_flow>(programs()->maps.guest_flows).erase(key)));
        EXPECT_EQ(flows().size(), 1u);
        age_flows(30);
        EXPECT_EQ((reply ? out(kPlain, request()) : wire(answer())).verdict, kRedirect);
        EXPECT_EQ(flows().size(), 2u) << "judged and made anew";
    }
}

TEST_F(GuestState, is_judged_anew_when_rules_change) {
    const Bytes web = (Eth{} / Ip4{.src = kWeb4} / Tcp{.sport = 1234, .flags = kAck}).bytes();
    const std::uint16_t port = ends_of(out(kWeb, web).frame).sport;
    const Bytes reply = (Eth{} / Ip4{.src = kWorld4, .dst = kHost4} / Tcp{.sport = 443, .dport = port}).bytes();
    EXPECT_EQ(wire(reply).verdict, kRedirect);

    rules(kWeb, {"in -> drop", "out tcp dport 443 -> pass", "fallback -> drop"});
    judge_anew();
    EXPECT_EQ(wire(reply).verdict, kRedirect) << "what began it is still allowed";
    EXPECT_EQ(ends_of(out(kWeb, web).frame).sport, port) << "by the same port";
    EXPECT_EQ(hits(kWeb, 1), 2u) << "counted at the rule of now";

    rules(kWeb, {"out tcp -> drop"});
    judge_anew();
    EXPECT_EQ(wire(reply).verdict, kNext) << "nothing of a guest's any more";
    EXPECT_EQ(flows().size(), 0u);
    EXPECT_EQ(out(kWeb, web).verdict, kDrop);
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(GuestState, counts_and_logs_a_packet_once_when_rules_change) {
    open();
    rules(kPlain, {"out tcp -> log drop"});
    judge_anew();
    EXPECT_EQ(out(kPlain, request()).verdict, kDrop);
    EXPECT_EQ(hits(kPlain, 0), 1u);
    EXPECT_EQ(logged().size(), 1u);
    EXPECT_EQ(counted(), (Counted{{"rule", 1}}));
}

TEST_F(GuestState, ends_when_masquerade_is_switched) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4} / Udp{}).bytes();
    bl_guest web = guest(kWeb);
    for (const bool masquerade : {true, false, true}) {
        web.flags = masquerade ? web.flags | BL_GUEST_MASQUERADE : web.flags & ~BL_GUEST_MASQUERADE;
        set_guest(kWeb, web);
        judge_anew();
        EXPECT_EQ(ends_of(out(kWeb, frame).frame).src, masquerade ? kHost4 : kWeb4);
        EXPECT_EQ(flows().size(), 2u);
    }
}

TEST_F(GuestState, ends_when_the_slot_is_another_guests) {
    const Ran ran = out(kWeb, (Eth{} / Ip4{.src = kWeb4} / Udp{}).bytes());
    bl_guest other = guest(kWeb);
    other.addr4 = word("10.88.0.99");
    set_guest(kWeb, other);
    judge_anew();
    const Bytes reply =
        (Eth{} / Ip4{.src = kWorld4, .dst = kHost4} / Udp{.sport = 53, .dport = ends_of(ran.frame).sport}).bytes();
    EXPECT_EQ(wire(reply).verdict, kNext);
    EXPECT_EQ(flows().size(), 0u);
}

} // namespace
} // namespace beeline::guest::test
