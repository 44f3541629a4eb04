// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <beeline/edge/packet.hpp>

#include <harness/assert.hpp>
#include <harness/packet_sum.hpp>

namespace beeline::edge {
namespace {

class Frame : public testing::TestWithParam<const char *> {};

/// The sums are those that a receiver computes, by code that shares nothing with the builder.
TEST_P(Frame, HasTheChecksumsOfAReceiver) {
    ASSERT_VALUE(const PacketSpec spec, read_packet(GetParam()));
    ASSERT_VALUE(const auto frame, build_frame(spec));
    EXPECT_EQ(harness::wrong_checksums(frame), "") << GetParam();
    if (spec.length != 0) {
        EXPECT_EQ(frame.size(), spec.length);
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, Frame,
    testing::Values("tcp 192.0.2.1:4000 > 198.51.100.7:443",
                    "tcp 192.0.2.1:4000 > 198.51.100.7:443 length 1501 dscp 46 ttl 1",
                    "tcp [2001:db8::1]:4000 > [2001:db8::7]:443 length 101", "udp 192.0.2.1:4000 > 198.51.100.7:443",
                    "udp 192.0.2.1:4000 > 198.51.100.7:443 vlan 7 inner-vlan 9 length 99",
                    "udp [2001:db8::1]:4000 > [2001:db8::7]:443 vlan 4095 dscp 63",
                    "udplite 192.0.2.1:1 > 192.0.2.2:2 length 77", "udplite [2001:db8::1]:1 > [2001:db8::2]:2",
                    "dccp 192.0.2.1:1 > 192.0.2.2:2", "dccp [2001:db8::1]:1 > [2001:db8::2]:2",
                    "icmp 192.0.2.1 > 192.0.2.2 type 3 code 1 length 98", "icmpv6 2001:db8::1 > 2001:db8::2 length 118",
                    "gre 192.0.2.1 > 192.0.2.2 length 60", "tcp 192.0.2.1:1 > 192.0.2.2:2 fragment later length 60",
                    "udp [2001:db8::1]:1 > [2001:db8::2]:2 fragment first length 100",
                    "udp [2001:db8::1]:1 > [2001:db8::2]:2 fragment later length 100"));

TEST(BuildFrame, WritesAUdpSumOfZeroAsAllOnes) {
    // The source port is chosen so that the sum over this packet comes out as zero.
    unsigned all_ones = 0;
    for (unsigned port = 1; port <= 65535; ++port) {
        PacketSpec spec{.proto = 17, .sport = static_cast<std::uint16_t>(port), .dport = 9};
        spec.src.bits = spec.dst.bits = 32;
        ASSERT_VALUE(const auto frame, build_frame(spec));
        const unsigned sum = std::to_integer<unsigned>(frame[40]) << 8 | std::to_integer<unsigned>(frame[41]);
        ASSERT_NE(sum, 0U) << "port " << port << ": zero would mean that there is none (RFC 768)";
        all_ones += sum == 0xffff ? 1 : 0;
    }
    EXPECT_EQ(all_ones, 1U) << "one of all ports makes the sum zero";
}

TEST(BuildFrame, RefusesALengthBelowTheHeaders) {
    ASSERT_VALUE(const PacketSpec spec, read_packet("tcp 192.0.2.1:1 > 192.0.2.2:2 length 53"));
    const auto frame = build_frame(spec);
    ASSERT_FALSE(frame.has_value());
    EXPECT_EQ(frame.error().kind, Kind::usage);
    EXPECT_THAT(frame.error().message(), testing::HasSubstr("54 bytes"));
}

TEST(BuildFrame, TakesTheLongestFrameThatIsJudged) {
    ASSERT_VALUE(const PacketSpec spec, read_packet("udp 192.0.2.1:1 > 192.0.2.2:2 length 3400"));
    ASSERT_VALUE(const auto frame, build_frame(spec));
    EXPECT_EQ(frame.size(), 3400U);
    EXPECT_EQ(harness::wrong_checksums(frame), "");
}

} // namespace
} // namespace beeline::edge
