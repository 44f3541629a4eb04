// SPDX-License-Identifier: Apache-2.0
//
// To the world with the uplink's address, and back.
#include <arpa/inet.h>

#include <set>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class Masquerade : public World {
protected:
    /// Sends a guest's packet and gives back the source port it left with.
    std::uint16_t port_of(std::uint32_t slot, const Bytes &frame) {
        const Ran ran = out(slot, frame);
        EXPECT_EQ(ran.verdict, kRedirect);
        EXPECT_EQ(wrong_checksums(ran.frame), "");
        return ends_of(ran.frame).sport;
    }
};

TEST_F(Masquerade, takes_the_uplinks_address_and_a_port_of_its_range_and_gives_answers_back) {
    const Packet there = Eth{} / Ip4{.src = kWeb4};
    const Packet back = Eth{} / Ip4{.src = kWorld4, .dst = kHost4};
    const Packet there6 = Eth{} / Ip6{.src = kWeb6};
    const Packet back6 = Eth{} / Ip6{.src = kWorld6, .dst = kHost6};
    struct Case {
        const char *sentence;
        Packet packet;
        std::function<Packet(std::uint16_t)> answer;
        Packet expected; ///< As the guest gets it.
        bool six = false;
    };
    const Packet home = Eth{} / Ip4{.src = kWorld4, .dst = kWeb4, .ttl = 63};
    const Packet home6 = Eth{} / Ip6{.src = kWorld6, .dst = kWeb6, .hop_limit = 63};
    const std::vector<Case> cases{
        {"TCP", there / Tcp{.flags = kSyn} / Payload("hello"),
         [&](std::uint16_t port) { return back / Tcp{.sport = 443, .dport = port, .flags = kSyn | kAck}; },
         home / Tcp{.sport = 443, .dport = 40000, .flags = kSyn | kAck}},
        {"UDP", there / Udp{} / Payload("odd"),
         [&](std::uint16_t port) { return back / Udp{.sport = 53, .dport = port} / Payload("answer"); },
         home / Udp{.sport = 53, .dport = 40000} / Payload("answer")},
        {"UDP without a checksum stays so", there / Udp{.check = 0} / Payload("odd"),
         [&](std::uint16_t port) { return back / Udp{.sport = 53, .dport = port, .check = 0}; },
         home / Udp{.sport = 53, .dport = 40000, .check = 0}},
        {"echo", there / Icmp{.id = 7} / Payload("ping"),
         [&](std::uint16_t port) { return back / Icmp{.type = 0, .id = port} / Payload("ping"); },
         home / Icmp{.type = 0, .id = 7} / Payload("ping")},
        {"echo with identifier 0", there / Icmp{.id = 0} / Payload("ping"),
         [&](std::uint16_t port) { return back / Icmp{.type = 0, .id = port} / Payload("ping"); },
         home / Icmp{.type = 0, .id = 0} / Payload("ping")},
        {"IP options", Eth{} / Ip4{.src = kWeb4, .options = from_hex("94040000")} / Udp{.sport = 40001},
         [&](std::uint16_t port) {
             return Eth{} / Ip4{.src = kWorld4, .dst = kHost4} / Udp{.sport = 53, .dport = port};
         },
         home / Udp{.sport = 53, .dport = 40001}},
        {"TCP in IPv6", there6 / Tcp{.flags = kSyn},
         [&](std::uint16_t port) { return back6 / Tcp{.sport = 443, .dport = port, .flags = kSyn | kAck}; },
         home6 / Tcp{.sport = 443, .dport = 40000, .flags = kSyn | kAck}, true},
        {"UDP in IPv6", there6 / Udp{} / Payload("odd"),
         [&](std::uint16_t port) { return back6 / Udp{.sport = 53, .dport = port} / Payload("answer"); },
         home6 / Udp{.sport = 53, .dport = 40000} / Payload("answer"), true},
        {"echo in IPv6", there6 / Icmp6{.id = 7},
         [&](std::uint16_t port) { return back6 / Icmp6{.type = 129, .id = port}; },
         home6 / Icmp6{.type = 129, .id = 7}, true},
    };
    for (const Case &c : cases) {
        SCOPED_TRACE(c.sentence);
        const Ran ran = out(kWeb, c.packet.bytes());
        EXPECT_EQ(ran.verdict, kRedirect);
        EXPECT_EQ(wrong_checksums(ran.frame), "");
        Ends ends = ends_of(ran.frame);
        EXPECT_EQ(ends.src, c.six ? kHost6 : kHost4);
        EXPECT_EQ(ends.dst, c.six ? kWorld6 : kWorld4);
        EXPECT_EQ(ends.ttl, 63);
        const bool options = std::string(c.sentence) == "IP options";
        std::uint16_t port = ends.sport;
        if (options)
            port = static_cast<std::uint16_t>(std::to_integer<int>(ran.frame[38]) << 8 |
                                              std::to_integer<int>(ran.frame[39]));
        EXPECT_GE(port, kNatLow);
        EXPECT_LE(port, kNatHigh);
        const Ran again = out(kWeb, c.packet.bytes());
        EXPECT_EQ(hex(again.frame), hex(ran.frame)) << "the next packet goes the same way";
        for (int i = 0; i < 2; ++i) {
            const Ran answer = wire(c.answer(port).bytes());
            EXPECT_EQ(answer.verdict, kRedirect);
            EXPECT_EQ(hex(answer.frame), hex(c.expected.bytes()));
        }
        const Ran more = out(kWeb, c.packet.bytes());
        EXPECT_EQ(hex(more.frame), hex(ran.frame)) << "and after the answer";
    }
    EXPECT_EQ(counted(), Counted{});
    EXPECT_EQ(flows().size(), 2 * cases.size() - 2) << "the two UDP cases are one flow";
}

TEST_F(Masquerade, gives_guests_with_the_same_port_different_ones) {
    std::set<std::uint16_t> ports;
    settle(1, 61000, 61003);
    for (const std::uint32_t slot : {kWeb, kMail})
        for (const std::uint16_t sport : {1000, 1001}) {
            const char *source = slot == kWeb ? kWeb4 : kMail4;
            ports.insert(port_of(slot, (Eth{} / Ip4{.src = source} / Udp{.sport = sport}).bytes()));
        }
    EXPECT_EQ(ports, (std::set<std::uint16_t>{61000, 61001, 61002, 61003}));
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kWeb4} / Udp{.sport = 1002}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_nat_port", 1}}));
    EXPECT_EQ(flows().size(), 8u) << "nothing is left of the flow that found no port";
    EXPECT_NE(port_of(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = "198.51.100.3"} / Udp{.sport = 1002}).bytes()), 0)
        << "another destination has all ports";
}

TEST_F(Masquerade, gives_a_port_to_another_only_when_both_directions_are_silent) {
    settle(1, 61000, 61000);
    const Bytes first = (Eth{} / Ip4{.src = kWeb4} / Udp{.sport = 1000}).bytes();
    const Bytes second = (Eth{} / Ip4{.src = kMail4} / Udp{.sport = 1000}).bytes();
    EXPECT_EQ(port_of(kWeb, first), 61000);
    age_flows(BL_FLOW_SHORT_SECONDS - 1);
    EXPECT_EQ(port_of(kWeb, first), 61000);
    age_flows(2); // the answers' entry is past its time, but the guest still sends
    EXPECT_EQ(out(kMail, second).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_nat_port", 1}}));
    age_flows(BL_FLOW_SHORT_SECONDS);
    EXPECT_EQ(port_of(kMail, second), 61000);
    EXPECT_EQ(flows().size(), 2u) << "both entries of the old flow are gone";
    EXPECT_EQ(out(kWeb, first).verdict, kDrop);
}

TEST_F(Masquerade, needs_an_address_on_the_uplink) {
    auto uplinks = map<std::uint32_t, bl_uplink>(programs()->maps.guest_uplinks);
    ASSERT_OK(uplinks.update(uplink(), bl_uplink{.addr4 = 0, .addr6 = {}, .mtu = 1500}));
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kWeb4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(out(kWeb, (Eth{} / Ip6{.src = kWeb6} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_nat_port", 2}}));
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(Masquerade, is_not_for_guests_that_do_not_want_it) {
    const Ran ran = out(kPlain, (Eth{} / Ip4{.src = kPlain4} / Udp{}).bytes());
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ends_of(ran.frame), (Ends{kPlain4, kWorld4, 40000, 53, 63}));
    const Ran back = wire((Eth{} / Ip4{.src = kWorld4, .dst = kPlain4} / Udp{.sport = 53, .dport = 40000}).bytes());
    EXPECT_EQ(back.verdict, kRedirect);
}

TEST_F(Masquerade, leaves_what_is_no_uplinks_to_the_stack) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4, .dst = "192.168.7.9"} / Udp{}).bytes();
    const Ran ran = out(kWeb, frame);
    EXPECT_EQ(ran.verdict, kNext);
    EXPECT_EQ(hex(ran.frame), hex(frame));
    EXPECT_EQ(counted(), (Counted{{"not_uplink", 1}}));
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = "8.8.8.8"} / Udp{}).bytes()).verdict, kNext);
    EXPECT_EQ(counted(), Counted{}) << "no route at all: the kernel answers as for an address of its own";
}

TEST_F(Masquerade, takes_fragments_along) {
    const Bytes data(24, std::byte{7});
    // The first fragment's checksum is over all of the datagram; only its change can be seen here.
    const auto first = [&](const char *src, const char *dst, Udp udp) {
        udp.length = 8 + 16 + 24;
        return (Eth{} / Ip4{.src = src, .dst = dst, .id = 9, .mf = true} / udp / Payload(std::size_t{16})).bytes();
    };
    const auto later = [&](const char *src, const char *dst) {
        return (Eth{} / Ip4{.src = src, .dst = dst, .id = 9, .offset = 3, .proto = 17} / Payload(data)).bytes();
    };
    EXPECT_EQ(out(kWeb, later(kWeb4, kWorld4)).verdict, kDrop) << "nobody knows yet what it is";
    EXPECT_EQ(counted(), (Counted{{"fragment", 1}}));
    const Ran begun = out(kWeb, first(kWeb4, kWorld4, {.check = 0}));
    EXPECT_EQ(begun.verdict, kRedirect);
    const std::uint16_t port = ends_of(begun.frame).sport;
    EXPECT_EQ(ends_of(begun.frame), (Ends{kHost4, kWorld4, port, 53, 63}));
    const Ran rest = out(kWeb, later(kWeb4, kWorld4));
    EXPECT_EQ(rest.verdict, kRedirect);
    const Packet header = Eth{} / Ip4{.src = kHost4, .ttl = 63, .id = 9, .offset = 3, .proto = 17};
    EXPECT_EQ(hex(rest.frame), hex((header / Payload(data)).bytes())) << "addresses and TTL change, data do not";
    EXPECT_EQ(wire(later(kWorld4, kHost4)).verdict, kNext) << "not a guest's as far as anybody knows";
    EXPECT_EQ(counted(), (Counted{{"stray_fragment", 1}}));
    const Ran answer = wire(first(kWorld4, kHost4, {.sport = 53, .dport = port, .check = 0}));
    EXPECT_EQ(answer.verdict, kRedirect);
    EXPECT_EQ(ends_of(answer.frame), (Ends{kWorld4, kWeb4, 53, 40000, 63}));
    const Ran answers_rest = wire(later(kWorld4, kHost4));
    EXPECT_EQ(answers_rest.verdict, kRedirect);
    EXPECT_EQ(ends_of(answers_rest.frame).dst, kWeb4);
    EXPECT_EQ(flows().size(), 2u);
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(Masquerade, keeps_its_flow_while_the_route_is_away) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4} / Tcp{}).bytes();
    const std::uint16_t port = port_of(kWeb, frame);
    age_flows(BL_FLOW_ROUTE_SECONDS + 1);
    ASSERT_OK(set_uplink(false));
    EXPECT_EQ(out(kWeb, frame).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_route", 1}}));
    ASSERT_OK(set_uplink(true));
    EXPECT_EQ(port_of(kWeb, frame), port);
}

TEST_F(Masquerade, begins_when_the_route_comes) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4} / Udp{}).bytes();
    ASSERT_OK(set_uplink(false));
    EXPECT_EQ(out(kWeb, frame).verdict, kNext) << "the stack says that there is no route";
    ASSERT_OK(set_uplink(true));
    age_flows(BL_FLOW_ROUTE_SECONDS + 1);
    const Ran ran = out(kWeb, frame);
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ends_of(ran.frame).src, kHost4);
}

} // namespace
} // namespace beeline::guest::test
