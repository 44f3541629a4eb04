// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <beeline/edge/packet.hpp>

#include <harness/assert.hpp>
#include <harness/packet.hpp>

namespace beeline::edge {
namespace {

using namespace harness;

TEST(Describe, SaysWhatTheLanguageSaid) {
    for (const char *text :
         {"tcp 192.0.2.1:4000 > 198.51.100.7:443 flags syn", "tcp [2001:db8::1]:4000 > [2001:db8::7]:443 flags syn,ack",
          "udp 192.0.2.1:4000 > 198.51.100.7:443 vlan 7 inner-vlan 8", "icmp 192.0.2.1 > 192.0.2.2 type 3 code 4",
          "icmpv6 2001:db8::1 > 2001:db8::2 type 135 code 0", "udp 192.0.2.1:1 > 192.0.2.2:2 fragment first",
          "udp [2001:db8::1]:1 > [2001:db8::2]:2 fragment first"}) {
        ASSERT_VALUE(const PacketSpec spec, read_packet(text));
        ASSERT_VALUE(const auto frame, build_frame(spec));
        EXPECT_EQ(describe(frame), std::string(text) + ", " + std::to_string(frame.size()) + " bytes");
    }
}

TEST(Describe, NamesWhatIsNoIp) {
    EXPECT_THAT(describe((Eth{} / Arp{}).bytes()), testing::StartsWith("arp 02:00:00:00:00:01 > 02:00:00:00:00:02"));
    EXPECT_THAT(describe((Eth{.type = 0x88cc} / Payload(30)).bytes()), testing::StartsWith("ethertype 0x88cc "));
    EXPECT_EQ(describe(Bytes(5)), "no Ethernet header, 5 bytes");
}

TEST(Describe, LaterFragmentsHaveNoPorts) {
    const std::string text = describe((Eth{} / Ip4{.offset = 100} / Udp{.sport = 1, .dport = 2}).bytes());
    EXPECT_THAT(text, testing::HasSubstr("udp 192.0.2.1 > 198.51.100.2 fragment later"));
}

TEST(Describe, LooksBehindExtensionHeaders) {
    const auto frame = (Eth{} / Ip6{} / Ext{.proto = 0} / Ah{} / Frag6{} / Ext{} / Tcp{.dport = 22}).bytes();
    EXPECT_THAT(describe(frame), testing::HasSubstr("tcp [2001:db8::1]:40000 > [2001:db8:1::2]:22 flags ack"));
}

/// The describer meets whatever is in a capture or comes from the wire.
TEST(Describe, BearsEveryTruncation) {
    const std::vector<Bytes> frames = {(Eth{} / Vlan{} / Vlan{} / Ip4{.options = Bytes(8)} / Tcp{}).bytes(),
                                       (Eth{} / Ip6{} / Ext{.proto = 0} / Ah{} / Frag6{.more = true} / Udp{}).bytes(),
                                       (Eth{} / Ip4{} / Icmp{}).bytes(),
                                       (Eth{} / Ip6{} / Ext{.length = 255} / Sctp{}).bytes()};
    for (const Bytes &frame : frames)
        for (std::size_t size = 0; size <= frame.size(); ++size) {
            const Bytes cut = truncate(frame, size);
            EXPECT_FALSE(describe(cut).empty());
            EXPECT_TRUE(changes(cut, cut).empty());
        }
}

TEST(Changes, NamesTheFieldsOfARewrite) {
    const auto before = (Eth{} / Ip4{} / Udp{.dport = 7999}).bytes();
    const auto after = (Eth{} / Ip4{.dscp = 8} / Udp{.dport = 7998}).bytes();
    std::string text;
    for (const Change &change : changes(before, after))
        text += change.field + " " + change.before + ">" + change.after + ";";
    EXPECT_THAT(text, testing::HasSubstr("dscp 0>8;"));
    EXPECT_THAT(text, testing::HasSubstr("dport 7999>7998;"));
    EXPECT_THAT(text, testing::HasSubstr("ip checksum 0x"));
    EXPECT_THAT(text, testing::HasSubstr(";checksum 0x"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("sport")));
}

TEST(Changes, SeesWhatIsNoField) {
    auto before = (Eth{} / Ip4{} / Udp{} / Payload("a")).bytes();
    auto after = before;
    after.back() = std::byte{'b'};
    ASSERT_EQ(changes(before, after).size(), 1U);
    EXPECT_EQ(changes(before, after)[0].field, "bytes");
    after.push_back(std::byte{0});
    EXPECT_EQ(changes(before, after)[0].field, "length");
}

} // namespace
} // namespace beeline::edge
