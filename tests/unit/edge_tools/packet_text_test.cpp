// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <beeline/edge/packet.hpp>

#include <harness/assert.hpp>

namespace beeline::edge {
namespace {

using testing::HasSubstr;

TEST(PacketText, ReadsTheExampleOfTheHelp) {
    ASSERT_VALUE(const PacketSpec spec, read_packet("tcp 192.0.2.1:4000 > 198.51.100.7:443 in eth0"));
    EXPECT_EQ(spec.proto, 6);
    EXPECT_EQ(rules::to_text(spec.src), "192.0.2.1");
    EXPECT_EQ(rules::to_text(spec.dst), "198.51.100.7");
    EXPECT_EQ(spec.sport, 4000);
    EXPECT_EQ(spec.dport, 443);
    EXPECT_EQ(spec.flags, 0x02) << "a new connection, when nothing is said";
    EXPECT_EQ(spec.device, "eth0");
}

TEST(PacketText, ReadsEveryOption) {
    ASSERT_VALUE(const PacketSpec spec,
                 read_packet("tcp [2001:db8::1]:1>[2001:db8::2]:https flags syn,ack ttl 3 dscp 46 vlan 7 inner-vlan 8 "
                             "length 200 mac src 02:00:00:00:00:0a mac dst 02:00:00:00:00:0b fragment first in lo"));
    EXPECT_TRUE(spec.src.v6);
    EXPECT_EQ(spec.sport, 1);
    EXPECT_EQ(spec.dport, 443);
    EXPECT_EQ(spec.flags, 0x12);
    EXPECT_EQ(spec.ttl, 3);
    EXPECT_EQ(spec.dscp, 46);
    EXPECT_EQ(spec.vlan, 7);
    EXPECT_EQ(spec.inner_vlan, 8);
    EXPECT_EQ(spec.length, 200U);
    EXPECT_EQ(spec.src_mac[5], 0x0a);
    EXPECT_EQ(spec.dst_mac[5], 0x0b);
    EXPECT_TRUE(spec.first_fragment);
    EXPECT_FALSE(spec.later_fragment);
}

TEST(PacketText, ReadsProtocolsWithoutPorts) {
    ASSERT_VALUE(const PacketSpec icmp, read_packet("icmp 192.0.2.1 > 192.0.2.2 type 3 code 4"));
    EXPECT_EQ(icmp.proto, 1);
    EXPECT_EQ(icmp.type, 3);
    EXPECT_EQ(icmp.code, 4);
    ASSERT_VALUE(const PacketSpec icmp6, read_packet("icmpv6 2001:db8::1 > 2001:db8::2"));
    EXPECT_EQ(icmp6.type, 128) << "an echo request, when nothing is said";
    ASSERT_VALUE(const PacketSpec gre, read_packet("gre 192.0.2.1 > 192.0.2.2"));
    EXPECT_EQ(gre.proto, 47);
    ASSERT_VALUE(const PacketSpec number, read_packet("253 192.0.2.1 > 192.0.2.2 fragment later"));
    EXPECT_EQ(number.proto, 253);
    EXPECT_TRUE(number.later_fragment);
}

TEST(PacketText, FlagsMayBeNone) {
    ASSERT_VALUE(const PacketSpec spec, read_packet("tcp 192.0.2.1:1 > 192.0.2.2:2 flags none"));
    EXPECT_EQ(spec.flags, 0);
}

struct Wrong {
    const char *text;
    const char *error; ///< Part of the message.
};

class WrongPacket : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPacket, NamesColumnAndCause) {
    const auto spec = read_packet(GetParam().text);
    ASSERT_FALSE(spec.has_value());
    EXPECT_EQ(spec.error().kind, Kind::usage);
    EXPECT_THAT(spec.error().message(), HasSubstr(GetParam().error)) << GetParam().text;
    EXPECT_EQ(spec.error().message().find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongPacket,
    testing::Values(
        Wrong{"", "column 1: the packet ends here; expected PROTOCOL SRC"}, Wrong{"tcp", "column 4: the packet ends"},
        Wrong{"tpc 192.0.2.1:1 > 192.0.2.2:2", "column 1: 'tpc' is no protocol"},
        Wrong{"256 192.0.2.1 > 192.0.2.2", "column 1: '256' is no protocol"},
        Wrong{"tcp 192.0.2.1 > 192.0.2.2:2", "column 5: '192.0.2.1' has no port; expected 192.0.2.1:PORT"},
        Wrong{"tcp 192.0.2.1:99999 > 192.0.2.2:2", "column 5: '99999' is no port"},
        Wrong{"tcp 192.0.2.1: > 192.0.2.2:2", "column 5: '' is no port"},
        Wrong{"tcp 192.0.2.1:1-5 > 192.0.2.2:2", "column 5: '1-5' is no port"},
        Wrong{"tcp 192.0.2.1:1 192.0.2.2:2", "column 17: '192.0.2.2:2' is not '>'"},
        Wrong{"tcp 192.0.2.1:1 > ", "the packet ends here"}, Wrong{"tcp 192.0.2.300:1 > 192.0.2.2:2", "column 5: "},
        Wrong{"tcp 192.0.2.1:1 > [2001:db8::1]:2", "column 19: source and destination are not of one family"},
        Wrong{"tcp [2001:db8::1:5 > [2001:db8::1]:2", "column 5: '[2001:db8::1:5' is no address"},
        Wrong{"tcp [2001:db8::1]5 > [2001:db8::1]:2", "is no address"},
        Wrong{"udp 2001:db8::1 > 2001:db8::2", "column 5: '2001:db8::1' has no port; expected [2001:db8::1]:PORT"},
        Wrong{"icmp 192.0.2.1:8 > 192.0.2.2", "column 6: icmp has no ports"},
        Wrong{"udp 192.0.2.1:1 > 192.0.2.2:2 flags syn", "column 37: flags belong to tcp"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 flags sin", "'sin' is no TCP flag"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 flags syn,", "'' is no TCP flag"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 type 8", "type belongs to icmp"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 ttl 256", "column 35: '256' is no ttl; expected ttl and a number, 0..255"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 ttl", "column 34: the packet ends here"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 dscp 64", "'64' is no dscp"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 vlan 4096", "'4096' is no vlan"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 inner-vlan 2", "an inner tag without an outer one"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 length 3401", "'3401' is no length"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 fragment middle", "'middle' is no fragment"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 mac from 02:00:00:00:00:01", "'from' is not src or dst"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 mac src 02:00", "column 39: "},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 in", "expected the name of a device"},
        Wrong{"tcp 192.0.2.1:1 > 192.0.2.2:2 please", "'please' says nothing about a packet; expected flags"}));

TEST(Hex, SkipsBlanksAndColons) {
    ASSERT_VALUE(const auto bytes, read_hex("00ff: Ab\n01"));
    EXPECT_EQ(bytes, (std::vector<std::byte>{std::byte{0}, std::byte{255}, std::byte{0xab}, std::byte{1}}));
}

TEST(Hex, NamesTheColumnOfWhatIsNone) {
    for (const char *text : {"0", "0g", "zz", "00 1"}) {
        const auto bytes = read_hex(text);
        ASSERT_FALSE(bytes.has_value()) << text;
        EXPECT_EQ(bytes.error().kind, Kind::usage);
    }
    EXPECT_THAT(read_hex("00 1").error().message(), HasSubstr("column 4"));
}

} // namespace
} // namespace beeline::edge
