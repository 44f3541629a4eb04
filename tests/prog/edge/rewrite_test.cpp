// SPDX-License-Identifier: Apache-2.0
//
// Rewriting: the frame afterwards is compared with one that the packet builder wrote with its own full sums.
#include <gtest/gtest.h>

#include <linux/bpf.h>

#include <harness/packet_sum.hpp>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

class EdgeRewrite : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

const Payload kData("some bytes, an odd number");
const std::string kNewPort = "udp dport 7999 -> rewrite dport 7998";

TEST_F(EdgeRewrite, Ports) {
    const Udp old{.dport = 7999}, renewed{.dport = 7998};
    check(std::vector<Case>{
        {"UDP over IPv4",
         {kNewPort},
         (Eth{} / Ip4{} / old / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{} / renewed / kData).bytes()},
        {"UDP over IPv6",
         {kNewPort},
         (Eth{} / Ip6{} / old / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{} / renewed / kData).bytes()},
        {"behind two tags, options and padding",
         {kNewPort},
         (Eth{} / Vlan{} / Vlan{} / Ip4{.options = Bytes(12)} / old / kData / Padding{9}).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Vlan{} / Vlan{} / Ip4{.options = Bytes(12)} / renewed / kData / Padding{9}).bytes()},
        {"behind extension headers",
         {kNewPort},
         (Eth{} / Ip6{} / Ext{.proto = 0} / Ah{} / old / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{} / Ext{.proto = 0} / Ah{} / renewed / kData).bytes()},
        {"TCP, both ports",
         {"tcp -> rewrite sport 1 dport 65535"},
         (Eth{} / Ip4{} / Tcp{.options = Bytes(12)} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{} / Tcp{.sport = 1, .dport = 65535, .options = Bytes(12)} / kData).bytes()},
        {"to the value it had",
         {"udp -> rewrite dport 7999"},
         (Eth{} / Ip4{} / old / kData).bytes(),
         0,
         XDP_PASS,
         {},
         {}},
        {"UDP without a checksum stays without",
         {kNewPort},
         (Eth{} / Ip4{} / Udp{.dport = 7999, .check = 0} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{} / Udp{.dport = 7998, .check = 0} / kData).bytes()},
        {"a later fragment is not touched", {kNewPort}, (Eth{} / Ip4{.offset = 3} / old / kData).bytes(), 1, XDP_PASS},
        {"UDP shorter than its IP packet: the trailer is not summed",
         {kNewPort},
         (Eth{} / Ip4{} / Udp{.dport = 7999, .length = 12} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{} / Udp{.dport = 7998, .length = 12} / kData).bytes()},
    });
}

TEST_F(EdgeRewrite, Addresses) {
    const std::string four = "dst 198.51.100.2 -> rewrite dst 203.0.113.77";
    const std::string six = "ipv6 -> rewrite src 2001:db8:ffff::9 dst ::1";
    const Ip4 new4{.dst = "203.0.113.77"};
    const Ip6 new6{.src = "2001:db8:ffff::9", .dst = "::1"};
    check(std::vector<Case>{
        {"TCP over IPv4",
         {four},
         (Eth{} / Ip4{} / Tcp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / Tcp{} / kData).bytes()},
        {"UDP without a checksum: IPv4's own",
         {four},
         (Eth{} / Ip4{} / Udp{.check = 0} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / Udp{.check = 0} / kData).bytes()},
        {"ICMP's sum has no addresses in it",
         {four},
         (Eth{} / Ip4{} / Icmp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / Icmp{} / kData).bytes()},
        {"SCTP's neither",
         {four},
         (Eth{} / Ip4{} / Sctp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / Sctp{} / kData).bytes()},
        {"UDP-Lite's covers them",
         {four},
         (Eth{} / Ip4{} / UdpLite{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / UdpLite{} / kData).bytes()},
        {"DCCP's too",
         {four},
         (Eth{} / Ip4{} / Dccp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new4 / Dccp{} / kData).bytes()},
        {"GRE: the header only",
         {four},
         (Eth{} / Ip4{.proto = 47} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{.dst = "203.0.113.77", .proto = 47} / kData).bytes()},
        {"UDP over IPv6",
         {six},
         (Eth{} / Ip6{} / Udp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new6 / Udp{} / kData).bytes()},
        {"ICMPv6's covers them",
         {six},
         (Eth{} / Ip6{} / Icmp6{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new6 / Icmp6{} / kData).bytes()},
        {"behind eight extension headers",
         {six},
         (Eth{} / Ip6{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Tcp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new6 / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Tcp{} / kData).bytes()},
        {"behind nine the checksum is out of reach: dropped",
         {six},
         (Eth{} / Ip6{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Tcp{} / kData)
             .bytes(),
         0,
         XDP_DROP,
         {{"many_ext", 1}, {"rewrite_short", 1}}},
        {"a used-up routing header is one like others",
         {six},
         (Eth{} / Ip6{} / Ext{.proto = 43, .units = 2, .third = 4} / Tcp{} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / new6 / Ext{.proto = 43, .units = 2, .third = 4} / Tcp{} / kData).bytes()},
        {"with segments left the checksum is over another destination: dropped",
         {six},
         (Eth{} / Ip6{} / Ext{.proto = 43, .units = 2, .third = 4, .fourth = 1} / Tcp{} / kData).bytes(),
         0,
         XDP_DROP,
         {{"csum_failed", 1}}},
        {"new addresses match their family only",
         {"fragment none -> rewrite src 2001:db8::9"},
         (Eth{} / Ip4{} / Udp{}).bytes(),
         1,
         XDP_PASS},
    });
}

TEST_F(EdgeRewrite, OtherFields) {
    const Eth macs{.dst = {2, 2, 2, 2, 2, 2}, .src = {4, 4, 4, 4, 4, 4}};
    check(std::vector<Case>{
        {"MACs",
         {"fallback -> rewrite mac src 04:04:04:04:04:04 mac dst 02:02:02:02:02:02"},
         (Eth{} / Arp{}).bytes(),
         0,
         XDP_PASS,
         {},
         (macs / Arp{}).bytes()},
        {"TTL",
         {"ip -> rewrite ttl 1"},
         (Eth{} / Ip4{.options = Bytes(4)} / Udp{}).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{.ttl = 1, .options = Bytes(4)} / Udp{}).bytes()},
        {"hop limit",
         {"ipv6 -> rewrite ttl 255"},
         (Eth{} / Ip6{} / Udp{}).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{.hop_limit = 255} / Udp{}).bytes()},
        {"DSCP leaves ECN alone",
         {"ip -> rewrite dscp ef"},
         (Eth{} / Ip4{.dscp = 9, .ecn = 3} / Udp{}).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{.dscp = 46, .ecn = 3} / Udp{}).bytes()},
        {"and the flow label and the version",
         {"ipv6 -> rewrite dscp 63"},
         (Eth{} / Ip6{.ecn = 2, .flow = 0x54321} / Udp{}).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{.dscp = 63, .ecn = 2, .flow = 0x54321} / Udp{}).bytes()},
        {"TTL of a fragment",
         {"ip -> rewrite ttl 9"},
         (Eth{} / Ip4{.offset = 7, .proto = 17} / Payload(3)).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{.ttl = 9, .offset = 7, .proto = 17} / Payload(3)).bytes()},
        {"TTL of a malformed packet: the header is there",
         {"ip -> rewrite ttl 9"},
         (Eth{} / Ip4{} / Tcp{.doff = 4}).bytes(),
         0,
         XDP_PASS,
         {{"bad_doff", 1}},
         (Eth{} / Ip4{.ttl = 9} / Tcp{.doff = 4}).bytes()},
        {"everything, then back out",
         {"tcp -> rewrite src 203.0.113.1 dst 203.0.113.2 sport 1000 dport 2000 dscp 8 ttl 3 tx"},
         (Eth{} / Ip4{} / Tcp{} / kData).bytes(),
         0,
         XDP_TX,
         {},
         (Eth{.dst = Eth{}.src, .src = Eth{}.dst} /
          Ip4{.src = "203.0.113.2", .dst = "203.0.113.1", .ttl = 3, .dscp = 8} / Tcp{.sport = 2000, .dport = 1000} /
          kData)
             .bytes()},
    });
}

TEST_F(EdgeRewrite, PartialChecksums) {
    const Udp udp{.dport = 7999, .sum = Sum::partial}, renewed{.dport = 7998, .sum = Sum::partial};
    const Tcp tcp{.sum = Sum::partial};
    check(std::vector<Case>{
        {"a new port is not in the pseudo-header: the field stays",
         {kNewPort},
         (Eth{} / Ip4{} / udp / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{} / renewed / kData).bytes()},
        {"a new address is",
         {"ip -> rewrite dst 203.0.113.77"},
         (Eth{} / Ip4{} / tcp / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip4{.dst = "203.0.113.77"} / tcp / kData).bytes()},
        {"the same over IPv6",
         {"ipv6 -> rewrite src ::1"},
         (Eth{} / Ip6{} / udp / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{.src = "::1"} / udp / kData).bytes()},
        {"out of a device the sum is finished",
         {"udp dport 7999 -> rewrite dst 203.0.113.77 dport 7998 redirect lo"},
         (Eth{} / Ip4{} / udp / kData).bytes(),
         0,
         XDP_REDIRECT,
         {{"csum_completed", 1}},
         (Eth{} / Ip4{.dst = "203.0.113.77"} / Udp{.dport = 7998} / kData).bytes()},
        {"ICMPv6",
         {"icmpv6 -> rewrite src ::1"},
         (Eth{} / Ip6{} / Icmp6{.sum = Sum::partial} / kData).bytes(),
         0,
         XDP_PASS,
         {},
         (Eth{} / Ip6{.src = "::1"} / Icmp6{.sum = Sum::partial} / kData).bytes()},
    });
}

/// A complete checksum that happens to be the pseudo-header's sum is still a complete one.
TEST_F(EdgeRewrite, CompleteChecksumThatLooksPartial) {
    for (int i = 0;; ++i) {
        ASSERT_LT(i, 1 << 20);
        Payload data(4);
        data.bytes[0] = static_cast<std::byte>(i);
        data.bytes[1] = static_cast<std::byte>(i >> 8);
        data.bytes[2] = static_cast<std::byte>(i >> 16);
        const Bytes frame = (Eth{} / Ip4{} / Udp{.dport = 7999} / data).bytes();
        if (frame != (Eth{} / Ip4{} / Udp{.dport = 7999, .sum = Sum::partial} / data).bytes())
            continue;
        check(std::vector<Case>{
            {"passed", {kNewPort}, frame, 0, XDP_PASS, {}, (Eth{} / Ip4{} / Udp{.dport = 7998} / data).bytes()},
            {"sent back",
             {"udp -> tx"},
             frame,
             0,
             XDP_TX,
             {},
             (Eth{.dst = Eth{}.src, .src = Eth{}.dst} / Ip4{.src = Ip4{}.dst, .dst = Ip4{}.src} /
              Udp{.sport = 7999, .dport = 40000} / data)
                 .bytes()}});
        return;
    }
}

/// Payload that makes the checksum of the new packet come out as 0.
template <class Ip, class L4>
void with_zero_sum(const char *sentence, const std::string &rule, Ip ip, L4 before, L4 after) {
    after.check = 0;
    Payload data(2);
    Bytes zero = (Eth{} / ip / after / data).bytes();
    const std::size_t last = zero.size() - 2;
    after.check = {};
    for (unsigned value = 0;; ++value) {
        ASSERT_LT(value, 0x10000u) << sentence;
        data.bytes = {static_cast<std::byte>(value >> 8), static_cast<std::byte>(value)};
        zero[last] = data.bytes[0];
        zero[last + 1] = data.bytes[1];
        const Bytes wanted = (Eth{} / ip / after / data).bytes();
        // Written as 0xffff by UDP and as 0 by TCP.
        constexpr bool udp = std::is_same_v<L4, Udp>;
        const std::size_t at = last - (udp ? 2 : 4);
        const auto high = udp ? std::byte{0xff} : std::byte{0};
        if (wanted[at] != high || wanted[at + 1] != high)
            continue;
        check(std::vector<Case>{{sentence, {rule}, (Eth{} / ip / before / data).bytes(), 0, XDP_PASS, {}, wanted}});
        return;
    }
}

TEST_F(EdgeRewrite, ChecksumThatComesOutAsZero) {
    with_zero_sum("UDP over IPv4: 0 would mean none", kNewPort, Ip4{}, Udp{.dport = 7999}, Udp{.dport = 7998});
    with_zero_sum("UDP over IPv6: 0 is not allowed", kNewPort, Ip6{}, Udp{.dport = 7999}, Udp{.dport = 7998});
    with_zero_sum("TCP: 0 is a checksum", "tcp -> rewrite dport 7998", Ip4{}, Tcp{.dport = 7999}, Tcp{.dport = 7998});
}

/// Whoever damaged a packet on the way must still be found out at its end.
TEST_F(EdgeRewrite, WrongChecksumStaysWrong) {
    ASSERT_VALUE(const Subject subject, Subject::load({kNewPort}));
    for (const Packet &ip : {Eth{} / Ip4{} / Udp{.dport = 7999}, Eth{} / Ip6{} / Udp{.dport = 7999}}) {
        Bytes frame = (ip / kData).bytes();
        frame.back() ^= std::byte{0x40};
        ASSERT_VALUE(const Outcome run, subject.run(frame));
        EXPECT_EQ(run.xdp, XDP_PASS);
        EXPECT_EQ(wrong_checksums(run.frame), "udp");
        Bytes repaired = run.frame;
        repaired.back() ^= std::byte{0x40};
        EXPECT_EQ(wrong_checksums(repaired), "") << "only the damage is wrong";
    }
}

/// All fragments of a datagram get the new address; what the receiver puts together has a right checksum.
TEST_F(EdgeRewrite, FragmentsAddUpAtTheReceiver) {
    ASSERT_VALUE(const Subject subject, Subject::load({"ip -> rewrite src 203.0.113.5 dst 203.0.113.77"}));
    const Bytes whole = (Eth{} / Ip4{} / Udp{} / Payload(3001)).bytes();
    const Bytes datagram(whole.begin() + 34, whole.end());
    Bytes received;
    for (std::size_t at = 0; at < datagram.size(); at += 1480) {
        const std::size_t size = std::min<std::size_t>(1480, datagram.size() - at);
        const Payload piece(Bytes(datagram.begin() + static_cast<std::ptrdiff_t>(at),
                                  datagram.begin() + static_cast<std::ptrdiff_t>(at + size)));
        const Bytes fragment =
            (Eth{} / Ip4{.mf = at + size < datagram.size(), .offset = static_cast<std::uint16_t>(at / 8), .proto = 17} /
             piece)
                .bytes();
        ASSERT_VALUE(const Outcome run, subject.run(fragment));
        ASSERT_EQ(run.xdp, XDP_PASS);
        EXPECT_EQ(wrong_checksums(run.frame), "");
        received.insert(received.end(), run.frame.begin() + 34, run.frame.end());
    }
    const Bytes together =
        (Eth{} / Ip4{.src = "203.0.113.5", .dst = "203.0.113.77", .proto = 17} / Payload(received)).bytes();
    EXPECT_EQ(wrong_checksums(together), "");
    EXPECT_EQ(hex(together),
              hex((Eth{} / Ip4{.src = "203.0.113.5", .dst = "203.0.113.77"} / Udp{} / Payload(3001)).bytes()));
}

} // namespace
} // namespace beeline::edge
