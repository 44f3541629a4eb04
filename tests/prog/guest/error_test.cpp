// SPDX-License-Identifier: Apache-2.0
//
// ICMP errors: those that come for flows, and those that the host owes.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

/// What comes behind the ICMP header: an IP packet without its frame.
Bytes inner(const Bytes &frame, std::size_t size = 28) {
    const auto end = frame.begin() + 14 + static_cast<std::ptrdiff_t>(std::min(size, frame.size() - 14));
    return {frame.begin() + 14, end};
}

Bytes error4(const char *from, const char *to, std::uint8_t type, std::uint8_t code, const Bytes &about,
             std::uint8_t ttl = 64) {
    return (Eth{} / Ip4{.src = from, .dst = to, .ttl = ttl} / Icmp{.type = type, .code = code, .id = 0, .seq = 1400} /
            Payload(about))
        .bytes();
}

Bytes error6(const char *from, const char *to, std::uint8_t type, const Bytes &about, std::uint8_t ttl = 64) {
    return (Eth{} / Ip6{.src = from, .dst = to, .hop_limit = ttl} /
            Icmp6{.type = type, .code = 0, .id = 0, .seq = 1400} / Payload(about))
        .bytes();
}

/// A frame that a program sent on, as the next hop's error quotes it.
Bytes sent_on(const Ran &ran, std::uint32_t verdict = kRedirect) {
    EXPECT_EQ(ran.verdict, verdict);
    return ran.frame;
}

constexpr const char *kRouter4 = "198.51.100.77", *kRouter6 = "2001:db8:1::77";

class GuestErrors : public World {};

TEST_F(GuestErrors, about_masqueraded_packets_reach_the_guest_as_if_it_had_sent_them) {
    const Packet from = Eth{} / Ip4{.src = kWeb4};
    const Packet hop = Eth{} / Ip4{.src = kWeb4, .ttl = 63}; // the host's uplink took one
    struct Case {
        const char *sentence;
        Bytes packet, less;
        std::size_t quoted = 28;
    };
    const std::vector<Case> cases{
        {"TCP", (from / Tcp{}).bytes(), (hop / Tcp{}).bytes()},
        {"all of a TCP header", (from / Tcp{}).bytes(), (hop / Tcp{}).bytes(), 40},
        {"UDP", (from / Udp{}).bytes(), (hop / Udp{}).bytes()},
        {"UDP without a checksum", (from / Udp{.sport = 41000, .check = 0}).bytes(),
         (hop / Udp{.sport = 41000, .check = 0}).bytes()},
        {"echo", (from / Icmp{.id = 7}).bytes(), (hop / Icmp{.id = 7}).bytes()},
        {"echo with identifier 0", (from / Icmp{.id = 0}).bytes(), (hop / Icmp{.id = 0}).bytes()},
    };
    rules(kWeb, {"in -> drop"});
    for (const Case &c : cases)
        for (const auto &[type, code] : {std::pair<std::uint8_t, std::uint8_t>{3, 4}, {3, 1}, {11, 0}})
            for (const char *source : {kRouter4, kWorld4}) {
                SCOPED_TRACE(std::string(c.sentence) + " type " + std::to_string(type) + " from " + source);
                const Bytes sent = sent_on(out(kWeb, c.packet));
                const Ran ran = wire(error4(source, kHost4, type, code, inner(sent, c.quoted)));
                EXPECT_EQ(ran.verdict, kRedirect);
                EXPECT_EQ(wrong_checksums(ran.frame), "");
                EXPECT_EQ(hex(ran.frame), hex(error4(source, kWeb4, type, code, inner(c.less, c.quoted), 63)));
            }
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(GuestErrors, in_IPv6_reach_the_guest_likewise) {
    rules(kWeb, {"in -> drop"});
    const Packet from = Eth{} / Ip6{.src = kWeb6};
    const Packet hop = Eth{} / Ip6{.src = kWeb6, .hop_limit = 63};
    for (const auto &[packet, less] : {std::pair{from / Tcp{}, hop / Tcp{}},
                                       {from / Udp{}, hop / Udp{}},
                                       {from / Icmp6{.id = 7}, hop / Icmp6{.id = 7}}})
        for (const std::uint8_t type : {1, 2, 3}) {
            const Bytes sent = sent_on(out(kWeb, packet.bytes()));
            const Ran ran = wire(error6(kRouter6, kHost6, type, inner(sent, 60)));
            EXPECT_EQ(ran.verdict, kRedirect);
            EXPECT_EQ(wrong_checksums(ran.frame), "");
            EXPECT_EQ(hex(ran.frame), hex(error6(kRouter6, kWeb6, type, inner(less.bytes(), 60), 63)));
        }
}

TEST_F(GuestErrors, of_the_guest_about_a_published_port_leave_as_the_hosts) {
    publish(nullptr, 8080, 17, kWeb, 80);
    rules(kWeb, {"out -> drop"});
    const Bytes asked = (Eth{} / Ip4{.src = kWorld4, .dst = kHost4} / Udp{.dport = 8080}).bytes();
    const Bytes got = sent_on(wire(asked));
    const Ran ran = out(kWeb, error4(kWeb4, kWorld4, 3, 3, inner(got)));
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ends_of(ran.frame).src, kHost4);
    EXPECT_EQ(ends_of(ran.frame).dst, kWorld4);
    EXPECT_EQ(ends_of(ran.frame).ttl, 63);
    EXPECT_EQ(wrong_checksums(ran.frame), "");
    const Bytes about(ran.frame.begin() + 42, ran.frame.end());
    const auto ends = [](const Bytes &bytes) { return Bytes(bytes.begin() + 12, bytes.begin() + 24); };
    EXPECT_EQ(hex(ends(about)), hex(ends(inner(asked))));
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(GuestErrors, between_guests_go_straight) {
    const Bytes sent = sent_on(out(kMail, (Eth{} / Ip4{.src = kMail4, .dst = kWeb4} / Udp{}).bytes()), kPass);
    rules(kWeb, {"out -> drop"});
    const Ran ran = out(kWeb, error4(kWeb4, kMail4, 3, 3, inner(sent)));
    EXPECT_EQ(ran.verdict, kPass);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kMail);
    EXPECT_EQ(ends_of(ran.frame).ttl, 64);
    bl_guest mail = guest(kMail);
    mail.flags &= ~BL_GUEST_CARRIES_MARK;
    set_guest(kMail, mail);
    rules(kMail, {"in -> drop"});
    EXPECT_EQ(in(kMail, ran.frame).verdict, kNext) << "though its mark was scrubbed off";
}

TEST_F(GuestErrors, about_nothing_known_are_judged_by_rules) {
    const Bytes about = inner((Eth{} / Ip4{.src = kWeb4} / Udp{.sport = 7}).bytes());
    EXPECT_EQ(wire(error4(kRouter4, kHost4, 3, 3, about)).verdict, kNext) << "the host's own";
    EXPECT_EQ(wire(error4(kRouter4, kWeb4, 3, 3, about)).verdict, kRedirect);
    rules(kWeb, {"icmp type 3 -> drop"});
    judge_anew();
    EXPECT_EQ(wire(error4(kRouter4, kWeb4, 3, 3, about)).verdict, kDrop);
    EXPECT_EQ(in(kWeb, error4(kBack4, kWeb4, 3, 3, about)).verdict, kDrop);
    EXPECT_EQ(out(kWeb, error4(kWeb4, kWorld4, 3, 3, about)).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"unrelated", 4}, {"rule", 3}}));
}

TEST_F(GuestErrors, are_not_about_flows_that_rules_have_ended) {
    const Bytes sent = sent_on(out(kPlain, (Eth{} / Ip4{.src = kPlain4} / Udp{}).bytes()));
    rules(kPlain, {"in -> drop", "out -> drop"});
    judge_anew();
    EXPECT_EQ(wire(error4(kRouter4, kPlain4, 3, 3, inner(sent))).verdict, kDrop);
}

TEST_F(GuestErrors, keep_no_flow_alive) {
    const Bytes sent = sent_on(out(kPlain, (Eth{} / Ip4{.src = kPlain4} / Udp{}).bytes()));
    age_flows(BL_FLOW_SHORT_SECONDS + 1);
    rules(kPlain, {"in -> drop"});
    EXPECT_EQ(wire(error4(kRouter4, kPlain4, 3, 3, inner(sent))).verdict, kDrop);
}

} // namespace
} // namespace beeline::guest::test
