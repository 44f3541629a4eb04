// SPDX-License-Identifier: Apache-2.0
//
// Ports of the host that lead to guests.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

constexpr std::uint8_t kTcp = 6;

class Published : public World {
protected:
    static Bytes to(const char *address, std::uint16_t port, const char *from = kWorld4) {
        return (Eth{} / Ip4{.src = from, .dst = address} / Tcp{.sport = 5000, .dport = port, .flags = kSyn}).bytes();
    }
    static Bytes back(const char *from, std::uint16_t port, const char *address = kWorld4) {
        return (Eth{} / Ip4{.src = from, .dst = address} / Tcp{.sport = port, .dport = 5000, .flags = kSyn | kAck})
            .bytes();
    }
};

TEST_F(Published, leads_to_the_guest_and_its_answers_back) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    const Ran ran = wire(to(kHost4, 8080));
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ends_of(ran.frame), (Ends{kWorld4, kWeb4, 5000, 80, 63}));
    EXPECT_EQ(wrong_checksums(ran.frame), "");
    const Ran answer = out(kWeb, back(kWeb4, 80));
    EXPECT_EQ(answer.verdict, kRedirect);
    EXPECT_EQ(ends_of(answer.frame), (Ends{kHost4, kWorld4, 8080, 5000, 63}));
    EXPECT_EQ(wrong_checksums(answer.frame), "");
    EXPECT_EQ(flows().size(), 2u);
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(Published, works_in_IPv6) {
    publish(nullptr, 8080, kTcp, kWeb, 80, true);
    const Ran ran = wire((Eth{} / Ip6{.src = kWorld6, .dst = kHost6} / Tcp{.dport = 8080}).bytes());
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ends_of(ran.frame), (Ends{kWorld6, kWeb6, 40000, 80, 63}));
    EXPECT_EQ(wrong_checksums(ran.frame), "");
    const Ran answer = out(kWeb, (Eth{} / Ip6{.src = kWeb6} / Tcp{.sport = 80, .dport = 40000}).bytes());
    EXPECT_EQ(ends_of(answer.frame), (Ends{kHost6, kWorld6, 8080, 40000, 63}));
    EXPECT_EQ(wrong_checksums(answer.frame), "");
}

TEST_F(Published, prefers_the_port_of_the_address) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    publish(kHost4, 8080, kTcp, kMail, 25);
    publish(kBack4, 8080, kTcp, kPlain, 110);
    EXPECT_EQ(ends_of(wire(to(kHost4, 8080)).frame), (Ends{kWorld4, kMail4, 5000, 25, 63}));
    EXPECT_EQ(ends_of(wire(to(kBack4, 8080)).frame), (Ends{kWorld4, kPlain4, 5000, 110, 63}));
}

TEST_F(Published, leaves_alone_what_is_not) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    for (const Bytes &frame : {to(kHost4, 8081), to(kBack4, 8080), to("203.0.113.9", 8080),
                               (Eth{} / Ip4{.src = kWorld4, .dst = kHost4} / Udp{.dport = 8080}).bytes()}) {
        const Ran ran = wire(frame);
        EXPECT_EQ(ran.verdict, kNext);
        EXPECT_EQ(hex(ran.frame), hex(frame));
    }
    EXPECT_EQ(out(kMail, to(kBack4, 8080, kMail4)).verdict, kNext) << "an address of the host that no uplink has";
    EXPECT_EQ(ends_of(out(kMail, to("198.51.100.9", 8080, kMail4)).frame).dst, "198.51.100.9");
}

TEST_F(Published, is_judged_as_the_guest_sees_it) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    rules(kWeb, {"in dport 8080 -> drop", "in dst 10.88.0.2 tcp dport 80 -> pass", "fallback -> drop"});
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kRedirect);
    EXPECT_EQ(hits(kWeb, 1), 1u);
    rules(kWeb, {"in tcp dport 80 -> drop"});
    judge_anew();
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kDrop);
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(Published, is_there_for_other_guests) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    const Ran ran = out(kMail, to(kHost4, 8080, kMail4));
    EXPECT_EQ(ran.verdict, kPass);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kWeb);
    EXPECT_EQ(ends_of(ran.frame), (Ends{kMail4, kWeb4, 5000, 80, 64}));
    const Ran answer = out(kWeb, back(kWeb4, 80, kMail4));
    EXPECT_EQ(answer.verdict, kPass);
    EXPECT_EQ(answer.skb.mark, BL_GUEST_MARK | kMail);
    EXPECT_EQ(ends_of(answer.frame), (Ends{kHost4, kMail4, 8080, 5000, 64}));
    EXPECT_EQ(wrong_checksums(answer.frame), "");
}

TEST_F(Published, goes_through_where_marks_are_scrubbed) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    rules(kWeb, {"in src 10.88.0.4 -> drop", "in dport 81 -> drop"});
    bl_guest web = guest(kWeb);
    web.flags &= ~BL_GUEST_CARRIES_MARK;
    set_guest(kWeb, web);
    const Bytes there = out(kMail, to(kHost4, 8080, kMail4)).frame;
    EXPECT_EQ(in(kWeb, there).verdict, kNext);
    EXPECT_EQ(flows().size(), 2u) << "the flow it was judged for";
    EXPECT_EQ(hits(kWeb, 2), 1u) << "counted once";
    EXPECT_EQ(ends_of(out(kWeb, back(kWeb4, 80, kMail4)).frame), (Ends{kHost4, kMail4, 8080, 5000, 64}));
    EXPECT_EQ(in(kWeb, to(kWeb4, 80, kPlain4)).verdict, kDrop) << "another guest's packet is none of that flow";
}

TEST_F(Published, is_there_for_the_guest_itself) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    const Ran ran = out(kWeb, to(kHost4, 8080, kWeb4));
    EXPECT_EQ(ran.verdict, kPass);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kWeb);
    const Ends seen = ends_of(ran.frame);
    EXPECT_EQ(seen.src, kHost4) << "or the guest would answer itself";
    EXPECT_EQ(seen.dst, kWeb4);
    EXPECT_EQ(seen.dport, 80);
    EXPECT_EQ(wrong_checksums(ran.frame), "");
    const Ran answer =
        out(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = kHost4} / Tcp{.sport = 80, .dport = seen.sport}).bytes());
    EXPECT_EQ(answer.verdict, kPass);
    EXPECT_EQ(ends_of(answer.frame), (Ends{kHost4, kWeb4, 8080, 5000, 64}));
}

TEST_F(Published, ends_its_flows_when_it_ends) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kRedirect);
    judge_anew();
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kRedirect);
    ASSERT_OK((map<bl_port_key, bl_port>(programs()->maps.guest_ports).clear()));
    judge_anew();
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kNext);
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(Published, does_not_mix_up_two_connections_that_look_alike_to_the_guest) {
    publish(kHost4, 8080, kTcp, kWeb, 80);
    publish(kBack4, 8080, kTcp, kWeb, 80);
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kRedirect);
    EXPECT_EQ(wire(to(kBack4, 8080)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_nat_port", 1}}));
    EXPECT_EQ(ends_of(out(kWeb, back(kWeb4, 80)).frame), (Ends{kHost4, kWorld4, 8080, 5000, 63}));
}

TEST_F(Published, keeps_its_answers_while_the_route_is_away) {
    publish(nullptr, 8080, kTcp, kWeb, 80);
    EXPECT_EQ(wire(to(kHost4, 8080)).verdict, kRedirect);
    EXPECT_EQ(out(kWeb, back(kWeb4, 80)).verdict, kRedirect);
    ASSERT_OK(set_uplink(false));
    age_flows(BL_FLOW_ROUTE_SECONDS + 1);
    EXPECT_EQ(out(kWeb, back(kWeb4, 80)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_route", 1}}));
    ASSERT_OK(set_uplink(true));
    EXPECT_EQ(ends_of(out(kWeb, back(kWeb4, 80)).frame), (Ends{kHost4, kWorld4, 8080, 5000, 63}));
}

} // namespace
} // namespace beeline::guest::test
