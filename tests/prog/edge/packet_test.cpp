// SPDX-License-Identifier: Apache-2.0
//
// The tests' own tools against bytes that others made: RFCs and scapy 2.5.0.
#include <gtest/gtest.h>

#include <harness/packet.hpp>
#include <harness/packet_sum.hpp>

namespace beeline::harness {
namespace {

TEST(PacketSum, AddsUpTheExampleOfRfc1071) {
    // RFC 1071, 3: 0001 f203 f4f5 f6f7 sums to ddf2.
    EXPECT_EQ(ones_sum(from_hex("0001f203f4f5f6f7")), 0xddf2);
    EXPECT_EQ(ones_sum(from_hex("00")), 0);
    EXPECT_EQ(ones_sum(from_hex("ff")), 0xff00); // an odd byte is the high one
}

TEST(PacketSum, KnowsCrc32cCheckValue) {
    // The check value of CRC-32/ISCSI: "123456789" gives e3069283; SCTP sends it low byte first.
    EXPECT_EQ(crc32c(Payload("123456789").bytes), 0x839206e3u);
}

constexpr const char *kEth = "020000000002020000000001";

TEST(Packet, IsWrittenAsScapyWritesIt) {
    const std::string eth = kEth;
    EXPECT_EQ(
        hex((Eth{} / Ip4{.ttl = 1, .dscp = 46, .ecn = 1, .id = 0x1234, .df = true} / Udp{.dport = 7999} / Payload("hi"))
                .bytes()),
        eth + "080045b9001e1234400001117aabc0000201c63364029c401f3f000aefb96869");
    EXPECT_EQ(hex((Eth{} / Vlan{.id = 7, .priority = 5} / Ip6{.dscp = 46, .flow = 5} / Ext{.proto = 0} /
                   Tcp{.flags = kSyn | kAck, .ack = 2} / Payload("hello"))
                      .bytes()),
              eth + "8100a00786dd6b8000050021004020010db800000000000000000000000120010db8000100000000000000000002"
                    "06000104000000009c4001bb0000000100000002501204006e87000068656c6c6f");
    EXPECT_EQ(hex((Eth{} / Ip6{} / Icmp6{} / Payload("abc")).bytes()),
              eth + "86dd60000000000b3a4020010db800000000000000000000000120010db8000100000000000000000002"
                    "80005fdf00010001616263");
    EXPECT_EQ(hex((Eth{} / Ip4{} / Icmp{} / Payload("abc")).bytes()),
              eth + "08004500001f0001000040018ea6c0000201c63364020800339b00010001616263");
    EXPECT_EQ(
        hex((Eth{} / Ip6{} / Frag6{.offset = 3, .more = true, .id = 9, .next = 17} / Payload("12345678")).bytes()),
        eth + "86dd6000000000102c4020010db800000000000000000000000120010db8000100000000000000000002"
              "11000019000000093132333435363738");
    EXPECT_EQ(hex((Eth{} / Arp{}).bytes()), eth + "08060001080006040001020000000001c0000201000000000000c0000202");
}

TEST(PacketSum, AcceptsWhatScapyWrote) {
    for (const char *packet :
         {"080045b9001e1234400001117aabc0000201c63364029c401f3f000aefb96869",
          "8100a00786dd6b8000050021004020010db800000000000000000000000120010db8000100000000000000000002"
          "06000104000000009c4001bb0000000100000002501204006e87000068656c6c6f",
          "86dd60000000000b3a4020010db800000000000000000000000120010db800010000000000000000000280005fdf00010001616263",
          "08004500001f0001000040018ea6c0000201c63364020800339b00010001616263",
          "0800450000240001000040848e1ec0000201c63364029c400b59000000011d50eff861626364"}) {
        Bytes frame = from_hex(std::string(kEth) + packet);
        EXPECT_EQ(wrong_checksums(frame), "") << packet;
        frame.back() ^= std::byte{1};
        EXPECT_NE(wrong_checksums(frame), "") << packet;
    }
}

TEST(PacketSum, NamesWhatIsWrong) {
    const auto wrong = [](const Packet &packet) { return wrong_checksums(packet.bytes()); };
    EXPECT_EQ(wrong(Eth{} / Ip4{.check = 0} / Udp{.check = 1}), "ipv4 udp");
    EXPECT_EQ(wrong(Eth{} / Ip4{} / Udp{.check = 0}), "") << "UDP over IPv4 may have none";
    EXPECT_EQ(wrong(Eth{} / Ip6{} / Udp{.check = 0}), "udp") << "over IPv6 it must";
    EXPECT_EQ(wrong(Eth{} / Ip4{} / Tcp{.sum = Sum::partial} / Payload(5)), "tcp");
    EXPECT_EQ(wrong(Eth{} / Vlan{} / Vlan{} / Ip6{} / Ext{} / Ah{} / Icmp6{.check = 7}), "icmpv6");
    EXPECT_EQ(wrong(Eth{} / Ip4{.mf = true} / Udp{.check = 7}), "") << "a fragment cannot be judged";
    EXPECT_EQ(wrong(Eth{} / Ip4{} / UdpLite{.coverage = 8} / Payload(9)), "");
    EXPECT_EQ(wrong(Eth{} / Ip4{} / UdpLite{.coverage = 8, .check = 1} / Payload(9)), "udplite");
    EXPECT_EQ(wrong(Eth{} / Ip4{} / Dccp{} / Payload(9)), "");
    EXPECT_EQ(wrong(Eth{} / Ip4{} / Sctp{.check = 1}), "sctp");
}

} // namespace
} // namespace beeline::harness
