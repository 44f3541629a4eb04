// SPDX-License-Identifier: Apache-2.0
//
// Hops, sizes, and the ICMP errors that the host owes.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class GuestAnswers : public World {};

/// The error that quotes `size` bytes of the frame's packet; MAC addresses have changed places.
Bytes quoting(const Packet &headers, const Bytes &frame, std::size_t size) {
    const auto begin = frame.begin() + 14;
    return (headers / Payload(Bytes(begin, begin + static_cast<std::ptrdiff_t>(size)))).bytes();
}

const Eth kSwapped{.dst = {0x02, 0, 0, 0, 0, 0x01}, .src = {0x02, 0, 0, 0, 0, 0x02}};

TEST_F(GuestAnswers, say_that_time_is_exceeded) {
    const Bytes tcp = (Eth{} / Ip4{.src = kWeb4, .ttl = 1} / Tcp{} / Payload(std::size_t{100})).bytes();
    const Bytes udp = (Eth{} / Ip4{.src = kWeb4, .ttl = 0} / Udp{}).bytes();
    const Ip4 ip{.src = kHost4, .dst = kWeb4, .id = 0};
    const Icmp icmp{.type = 11, .id = 0, .seq = 0};
    const Ran ran = out(kWeb, tcp);
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kWeb);
    EXPECT_EQ(hex(ran.frame), hex(quoting(kSwapped / ip / icmp, tcp, 40)));
    EXPECT_EQ(wrong_checksums(ran.frame), "");
    EXPECT_EQ(hex(out(kWeb, udp).frame), hex(quoting(kSwapped / ip / icmp, udp, 28)));
    const Bytes six = (Eth{} / Ip6{.src = kWeb6, .hop_limit = 1} / Udp{} / Payload(std::size_t{50})).bytes();
    const Ran ran6 = out(kWeb, six);
    EXPECT_EQ(ran6.verdict, kRedirect);
    EXPECT_EQ(hex(ran6.frame),
              hex(quoting(kSwapped / Ip6{.src = kHost6, .dst = kWeb6} / Icmp6{.type = 3, .id = 0, .seq = 0}, six, 60)));
    EXPECT_EQ(wrong_checksums(ran6.frame), "");
    EXPECT_EQ(counted(), (Counted{{"ttl", 3}}));
    EXPECT_EQ(hits(kWeb, 0), 0u) << "what went nowhere is not counted as gone";
}

TEST_F(GuestAnswers, say_so_to_the_world_too) {
    const Bytes frame = (Eth{} / Ip4{.src = kWorld4, .dst = kPlain4, .ttl = 1} / Udp{}).bytes();
    const Ran ran = wire(frame);
    EXPECT_EQ(ran.verdict, kRedirect);
    const Packet headers = kSwapped / Ip4{.src = kHost4, .dst = kWorld4, .id = 0} / Icmp{.type = 11, .id = 0, .seq = 0};
    EXPECT_EQ(hex(ran.frame), hex(quoting(headers, frame, 28)));
    EXPECT_EQ(counted(), (Counted{{"ttl", 1}}));
}

TEST_F(GuestAnswers, do_not_count_guests_as_hops) {
    for (const std::uint8_t ttl : {1, 64}) {
        const Ran ran = out(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = kMail4, .ttl = ttl} / Udp{}).bytes());
        EXPECT_EQ(ran.verdict, kPass);
        EXPECT_EQ(ends_of(ran.frame).ttl, ttl);
        const Ran six = out(kWeb, (Eth{} / Ip6{.src = kWeb6, .dst = kMail6, .hop_limit = ttl} / Udp{}).bytes());
        EXPECT_EQ(six.verdict, kPass);
        EXPECT_EQ(ends_of(six.frame).ttl, ttl);
    }
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(GuestAnswers, count_the_host_as_one) {
    for (const std::uint8_t ttl : {2, 64, 255}) {
        const Ran ran = out(kPlain, (Eth{} / Ip4{.src = kPlain4, .ttl = ttl} / Udp{}).bytes());
        EXPECT_EQ(hex(ran.frame),
                  hex((Eth{} / Ip4{.src = kPlain4, .ttl = static_cast<std::uint8_t>(ttl - 1)} / Udp{}).bytes()));
        const Ran back =
            wire((Eth{} / Ip4{.src = kWorld4, .dst = kPlain4, .ttl = ttl} / Udp{.sport = 53, .dport = 40000}).bytes());
        EXPECT_EQ(ends_of(back.frame).ttl, ttl - 1);
        EXPECT_EQ(wrong_checksums(back.frame), "");
        EXPECT_EQ(ends_of(out(kWeb, (Eth{} / Ip6{.src = kWeb6, .hop_limit = ttl} / Udp{}).bytes()).frame).ttl, ttl - 1);
    }
    const Bytes to_host = (Eth{} / Ip4{.src = kWeb4, .dst = kBack4, .ttl = 1} / Udp{}).bytes();
    EXPECT_EQ(hex(out(kWeb, to_host).frame), hex(to_host)) << "the stack counts for itself";
}

TEST_F(GuestAnswers, say_that_a_packet_is_too_big) {
    ASSERT_OK(set_uplink_mtu(1300));
    for (const bool df : {true, false}) {
        const Bytes frame =
            (Eth{} / Ip4{.src = kWeb4, .id = 5, .df = df} / Udp{} / Payload(std::size_t{1300 - 28 + 1})).bytes();
        const Ran ran = out(kWeb, frame);
        EXPECT_EQ(ran.verdict, kRedirect);
        const Packet headers =
            kSwapped / Ip4{.src = kHost4, .dst = kWeb4, .id = 0} / Icmp{.type = 3, .code = 4, .id = 0, .seq = 1300};
        EXPECT_EQ(hex(ran.frame), hex(quoting(headers, frame, 40)));
        EXPECT_EQ(wrong_checksums(ran.frame), "");
    }
    const Bytes six = (Eth{} / Ip6{.src = kWeb6} / Tcp{} / Payload(std::size_t{1300 - 60 + 1})).bytes();
    const Ran ran6 = out(kWeb, six);
    EXPECT_EQ(ran6.verdict, kRedirect);
    const Packet headers6 = kSwapped / Ip6{.src = kHost6, .dst = kWeb6} / Icmp6{.type = 2, .id = 0, .seq = 1300};
    EXPECT_EQ(hex(ran6.frame), hex(quoting(headers6, six, 60)));
    EXPECT_EQ(counted(), (Counted{{"too_big", 3}}));
    const Ran fits = out(kWeb, (Eth{} / Ip4{.src = kWeb4} / Udp{} / Payload(std::size_t{1300 - 28})).bytes());
    EXPECT_EQ(ends_of(fits.frame).src, kHost4);
    EXPECT_EQ(counted(), Counted{});
}

TEST_F(GuestAnswers, look_at_segments_where_a_device_will_cut) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4} / Tcp{} / Payload(std::size_t{3000})).bytes();
    __sk_buff skb{};
    skb.gso_size = 1460;
    skb.gso_segs = 3;
    EXPECT_EQ(ends_of(out(kWeb, frame, skb).frame).src, kHost4);
    EXPECT_EQ(counted(), Counted{});
    skb.gso_size = 1461;
    out(kWeb, frame, skb);
    EXPECT_EQ(counted(), (Counted{{"too_big", 1}}));
}

TEST_F(GuestAnswers, come_from_the_address_asked_where_a_guest_takes_less) {
    bl_guest mail = guest(kMail);
    mail.mtu = 1000;
    set_guest(kMail, mail);
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{} / Payload(std::size_t{1000})).bytes();
    const Ran ran = out(kWeb, frame);
    const Packet headers =
        kSwapped / Ip4{.src = kMail4, .dst = kWeb4, .id = 0} / Icmp{.type = 3, .code = 4, .id = 0, .seq = 1000};
    EXPECT_EQ(hex(ran.frame), hex(quoting(headers, frame, 40)));
}

TEST_F(GuestAnswers, are_not_made_to_errors_or_later_fragments) {
    const Packet four = Eth{} / Ip4{.src = kWeb4, .ttl = 1};
    EXPECT_EQ(out(kWeb, (four / Icmp{.type = 3} / Payload(std::size_t{28})).bytes()).verdict, kDrop);
    EXPECT_EQ(
        out(kWeb, (Eth{} / Ip6{.src = kWeb6, .hop_limit = 1} / Icmp6{.type = 1} / Payload(std::size_t{48})).bytes())
            .verdict,
        kDrop);
    EXPECT_EQ(
        out(kWeb,
            (Eth{} / Ip4{.src = kWeb4, .id = 3, .mf = true} / Udp{.length = 64} / Payload(std::size_t{16})).bytes())
            .verdict,
        kRedirect);
    EXPECT_EQ(
        out(kWeb,
            (Eth{} / Ip4{.src = kWeb4, .ttl = 1, .id = 3, .offset = 3, .proto = 17} / Payload(std::size_t{40})).bytes())
            .verdict,
        kDrop);
    EXPECT_EQ(counted(), (Counted{{"ttl", 3}, {"no_answer", 3}, {"unrelated", 2}}));
}

} // namespace
} // namespace beeline::guest::test
