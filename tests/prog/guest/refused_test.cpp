// SPDX-License-Identifier: Apache-2.0
//
// What is no packet of a guest's, or none at all.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class GuestRefuses : public World {};

Bytes icmp6(const char *from, const char *to, std::uint8_t type) {
    return (Eth{} / Ip6{.src = from, .dst = to, .hop_limit = 255} / Icmp6{.type = type} / Payload(std::size_t{16}))
        .bytes();
}

TEST_F(GuestRefuses, packets_with_an_address_that_is_not_the_guests) {
    const std::vector<Bytes> spoofed{
        (Eth{} / Ip4{.src = kMail4} / Udp{}).bytes(),
        (Eth{} / Ip4{.src = kHost4} / Tcp{.flags = kSyn}).bytes(),
        (Eth{} / Ip4{.src = kMail4, .dst = kPlain4} / Udp{}).bytes(),
        (Eth{} / Ip6{.src = kMail6} / Udp{}).bytes(),
        (Eth{} / Ip4{.src = "0.0.0.0"} / Udp{}).bytes(),
        (Eth{} / Ip4{.src = kMail4} / Icmp{}).bytes(),
        (Eth{} / Ip4{.src = kMail4, .id = 2, .mf = true} / Udp{.length = 64} / Payload(std::size_t{16})).bytes(),
    };
    for (const Bytes &frame : spoofed)
        EXPECT_EQ(out(kWeb, frame).verdict, kDrop) << hex(frame);
    EXPECT_EQ(out(kPlain, (Eth{} / Ip6{.src = "::"} / Udp{}).bytes()).verdict, kDrop) << "it has no IPv6";
    EXPECT_EQ(counted(), (Counted{{"spoofed", spoofed.size() + 1}}));
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(GuestRefuses, a_guests_address_from_the_world) {
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kMail4, .dst = kWeb4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(wire((Eth{} / Ip6{.src = kMail6, .dst = kWeb6} / Udp{}).bytes()).verdict, kDrop);
    publish(nullptr, 8080, 17, kWeb, 80);
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kMail4, .dst = kHost4} / Udp{.dport = 8080}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"spoofed", 3}}));
}

TEST_F(GuestRefuses, what_is_not_to_the_guests_address) {
    EXPECT_EQ(in(kWeb, (Eth{} / Ip4{.src = kBack4, .dst = kMail4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kWeb, (Eth{} / Ip4{.src = kBack4, .dst = "255.255.255.255"} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kPlain, (Eth{} / Ip6{.src = kHost6, .dst = kWeb6} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"not_its_address", 3}}));
}

TEST_F(GuestRefuses, neighbours_talk_that_the_device_does_not_need) {
    const auto arp = [](const char *sender) { return (Eth{} / Arp{.sender = sender, .target = kBack4}).bytes(); };
    EXPECT_EQ(out(kMail, arp(kMail4)).verdict, kNext);
    EXPECT_EQ(out(kMail, arp("0.0.0.0")).verdict, kNext) << "a probe (RFC 5227)";
    EXPECT_EQ(in(kMail, arp(kBack4)).verdict, kNext);
    EXPECT_EQ(counted(), Counted{});
    EXPECT_EQ(out(kMail, arp(kWeb4)).verdict, kDrop);
    EXPECT_EQ(out(kMail, truncate(arp(kMail4), 30)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"spoofed", 2}}));
    EXPECT_EQ(out(kWeb, arp(kWeb4)).verdict, kDrop) << "L3 has no ARP";
    EXPECT_EQ(in(kWeb, arp(kBack4)).verdict, kDrop);

    for (const std::uint8_t type : {133, 135, 136})
        EXPECT_EQ(out(kMail, icmp6("fe80::1", "ff02::2", type)).verdict, kNext) << int{type};
    for (const std::uint8_t type : {134, 137})
        EXPECT_EQ(out(kMail, icmp6("fe80::1", "ff02::1", type)).verdict, kDrop) << int{type};
    EXPECT_EQ(in(kMail, icmp6("fe80::1", kMail6, 135)).verdict, kNext);
    EXPECT_EQ(out(kWeb, icmp6("fe80::1", "ff02::2", 135)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"not_ip", 5}}));
}

TEST_F(GuestRefuses, what_cannot_be_read_at_an_uplink_only_where_it_is_for_a_guest) {
    const auto broken = [](const char *to) {
        return (Eth{} / Ip4{.src = kWorld4, .dst = to} / Udp{.length = 7}).bytes();
    };
    EXPECT_EQ(wire(broken(kWeb4)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"bad_udp_length", 1}}));
    EXPECT_EQ(wire(broken(kHost4)).verdict, kNext);
    EXPECT_EQ(counted(), (Counted{{"bad_udp_length", 1}}));
    const Bytes later = (Eth{} / Ip4{.src = kWorld4, .dst = kWeb4, .offset = 3, .proto = 17} / Payload("rest")).bytes();
    EXPECT_EQ(wire(later).verdict, kNext) << "netfilter may put it together";
    EXPECT_EQ(in(kWeb, later).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"stray_fragment", 1}, {"fragment", 1}}));
}

TEST_F(GuestRefuses, nothing_at_a_device_that_is_no_uplink_any_more) {
    auto uplinks = map<std::uint32_t, bl_uplink>(programs()->maps.guest_uplinks);
    ASSERT_VALUE(const bool erased, uplinks.erase(uplink()));
    ASSERT_TRUE(erased);
    EXPECT_EQ(wire((Eth{} / Ip4{.src = kWorld4, .dst = kWeb4} / Udp{}).bytes()).verdict, kNext);
    EXPECT_EQ(counted(), (Counted{{"no_map", 1}}));
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(GuestRefuses, what_is_not_IP_or_in_a_VLAN) {
    const std::vector<Bytes> frames{
        (Eth{} / Vlan{.id = 7} / Ip4{.src = kMail4} / Udp{}).bytes(),
        (Eth{} / Vlan{.id = 7} / Arp{.sender = kMail4}).bytes(),
        (Eth{.type = 0x88cc} / Payload(std::size_t{46})).bytes(),
    };
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(out(kMail, frames[i]).verdict, kDrop) << i;
        EXPECT_EQ(in(kMail, frames[i]).verdict, kDrop) << i;
        EXPECT_EQ(wire(frames[i]).verdict, kNext) << i;
    }
    EXPECT_EQ(counted(), (Counted{{"not_ip", 6}}));
}

TEST_F(GuestRefuses, every_packet_that_is_cut_short) {
    const Bytes inside(28, std::byte{});
    const Packet four = Eth{} / Ip4{.src = kWeb4}, six = Eth{} / Ip6{.src = kWeb6};
    for (const Packet &packet :
         {four / Tcp{}, four / Udp{}, four / Icmp{}, four / Icmp{.type = 3} / Payload(inside), four / Sctp{},
          Eth{} / Ip4{.src = kWeb4, .options = from_hex("94040000")} / Udp{}, six / Tcp{}, six / Udp{}, six / Icmp6{},
          six / Icmp6{.type = 1} / Payload(std::size_t{48}), six / Ext{} / Udp{}, six / Frag6{.more = true} / Udp{}}) {
        const Bytes frame = packet.bytes();
        // Less than an IP header is refused by BPF_PROG_TEST_RUN itself.
        const bool is_six = std::holds_alternative<Ip6>(packet.layers[1]);
        for (std::size_t size = is_six ? 54 : 34; size < frame.size(); ++size) {
            const Bytes cut = truncate(frame, size);
            forget_flows();
            EXPECT_EQ(out(kWeb, cut).verdict, kDrop) << hex(cut);
            const Ran ran = wire(cut);
            EXPECT_EQ(ran.verdict, kNext) << hex(cut);
            EXPECT_EQ(hex(ran.frame), hex(cut));
            EXPECT_EQ(in(kWeb, cut).verdict, kDrop) << hex(cut);
        }
        EXPECT_EQ(flows().size(), 0u);
    }
}

TEST_F(GuestRefuses, errors_that_quote_too_little_for_a_flow) {
    const Bytes sent = (Eth{} / Ip4{.src = kPlain4} / Udp{}).bytes();
    EXPECT_EQ(out(kPlain, sent).verdict, kRedirect);
    rules(kPlain, {"in -> drop"});
    for (std::size_t quoted = 0; quoted <= 28; ++quoted) {
        const Bytes about(sent.begin() + 14, sent.begin() + 14 + static_cast<std::ptrdiff_t>(quoted));
        const Bytes error =
            (Eth{} / Ip4{.src = kWorld4, .dst = kPlain4} / Icmp{.type = 3, .code = 3} / Payload(about)).bytes();
        EXPECT_EQ(wire(error).verdict, quoted == 28 ? kRedirect : kDrop) << quoted;
    }
}

/// The answer of explain, as abi/beeline/guest.h orders it.
struct Told {
    std::uint32_t verdict, rule, reason, way, target, ifindex, target_rule;
    bool operator==(const Told &) const = default;
};
std::ostream &operator<<(std::ostream &out, const Told &t) {
    return out << "verdict " << t.verdict << " rule " << t.rule << " reason " << t.reason << " way " << t.way
               << " target " << t.target << " ifindex " << t.ifindex << " target's rule " << t.target_rule;
}
Told told(const Ran &ran) {
    const auto &cb = ran.skb.cb;
    return {ran.verdict, cb[0], cb[1], cb[2] >> 16, cb[2] & 0xffff, cb[3], cb[4]};
}

class GuestExplain : public World {};

TEST_F(GuestExplain, says_what_would_happen_and_changes_nothing) {
    constexpr std::uint32_t none = BL_GUEST_NONE;
    rules(kWeb, {"in udp dport 7 -> drop", "out udp dport 9 -> drop"});
    rules(kMail, {"in udp dport 8 -> drop"});
    publish(nullptr, 8080, 17, kMail, 80);
    __sk_buff trace{};
    trace.cb[1] = BL_GUEST_TRACE;
    const std::uint32_t mail = guest(kMail).ifindex, web = guest(kWeb).ifindex;
    const auto from = [&](const char *src, const char *dst, std::uint16_t port, std::uint8_t ttl = 64) {
        return (Eth{} / Ip4{.src = src, .dst = dst, .ttl = ttl} / Udp{.dport = port}).bytes();
    };
    const auto explain_out = [&](const Bytes &frame) { return told(out(kWeb, frame, trace)); };
    const auto explain_in = [&](const Bytes &frame) { return told(in(kWeb, frame, trace)); };
    const auto explain_wire = [&](const Bytes &frame) {
        __sk_buff skb{};
        skb.ifindex = uplink();
        return told(run(programs()->progs.guest_wire_explain, frame, skb));
    };
    EXPECT_EQ(explain_out(from(kWeb4, kWorld4, 53)), (Told{kRedirect, 2, 0, BL_WAY_WIRE, none, uplink(), none}));
    EXPECT_EQ(explain_out(from(kWeb4, kWorld4, 9)),
              (Told{kDrop, 1, BL_GUEST_R_RULE, BL_WAY_WIRE, none, uplink(), none}));
    EXPECT_EQ(explain_out(from(kWeb4, kMail4, 53)), (Told{kRedirect, 2, 0, BL_WAY_GUEST, kMail, mail, 1}));
    EXPECT_EQ(explain_out(from(kWeb4, kMail4, 8)), (Told{kDrop, 2, BL_GUEST_R_RULE, BL_WAY_GUEST, kMail, mail, 0}));
    EXPECT_EQ(explain_out(from(kWeb4, kHost4, 8080)), (Told{kRedirect, 2, 0, BL_WAY_GUEST, kMail, mail, 1}));
    EXPECT_EQ(explain_out(from(kWeb4, kBack4, 53)), (Told{kNext, 2, 0, BL_WAY_STACK, none, 0, none}));
    EXPECT_EQ(explain_out(from(kMail4, kWorld4, 53)),
              (Told{kDrop, none, BL_GUEST_R_SPOOFED, BL_WAY_STACK, none, 0, none}));
    EXPECT_EQ(explain_out(truncate(from(kWeb4, kWorld4, 53), 41)),
              (Told{kDrop, none, BL_R_BAD_LENGTH, BL_WAY_STACK, none, 0, none}));
    EXPECT_EQ(explain_in(from(kBack4, kWeb4, 7)), (Told{kDrop, 0, BL_GUEST_R_RULE, BL_WAY_STACK, kWeb, 0, 0}));
    EXPECT_EQ(explain_in(from(kBack4, kWeb4, 53)), (Told{kNext, 2, 0, BL_WAY_STACK, kWeb, 0, 2}));
    EXPECT_EQ(explain_wire(from(kWorld4, kWeb4, 53)), (Told{kRedirect, none, 0, BL_WAY_GUEST, kWeb, web, 2}));
    EXPECT_EQ(explain_wire(from(kWorld4, kHost4, 8080)), (Told{kRedirect, none, 0, BL_WAY_GUEST, kMail, mail, 1}));
    EXPECT_EQ(explain_wire(from(kWorld4, kHost4, 22)), (Told{kNext, none, 0, BL_WAY_STACK, none, 0, none}));
    EXPECT_EQ(explain_wire(from(kMail4, kWeb4, 53)),
              (Told{kDrop, none, BL_GUEST_R_SPOOFED, BL_WAY_GUEST, kWeb, web, none}));
    bl_guest down = guest(kWeb);
    down.flags &= ~BL_GUEST_UP;
    set_guest(kWeb, down);
    EXPECT_EQ(explain_out(from(kWeb4, kWorld4, 53)),
              (Told{kDrop, none, BL_GUEST_R_NO_GUEST, BL_WAY_STACK, none, 0, none}));
    EXPECT_EQ(flows().size(), 0u);
    EXPECT_EQ(counted(), Counted{});
    for (std::size_t rule = 0; rule < 3; ++rule)
        EXPECT_EQ(hits(kWeb, rule), 0u);
}

} // namespace
} // namespace beeline::guest::test
