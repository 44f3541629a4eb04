// SPDX-License-Identifier: Apache-2.0
//
// The parser behind the IPv4 header: IPv6, its extension headers, L4, and cuts at every byte.
#include <gtest/gtest.h>

#include <linux/bpf.h>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

class EdgeParseMore : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

const std::string kDns = "udp dport 53 -> drop";
const std::string kWeb = "tcp dport 443 -> drop";

Bytes web6() {
    return (Eth{} / Ip6{} / Tcp{} / Payload("hello")).bytes();
}

TEST_F(EdgeParseMore, Ipv6Header) {
    check(std::vector<Case>{
        {"ports behind the fixed header", {"options -> abort", kWeb}, web6(), 1, XDP_DROP},
        {"39 bytes",
         {"ipv6 -> abort", "ethertype ipv6 malformed -> drop"},
         truncate(web6(), 14 + 39),
         1,
         XDP_DROP,
         {{"short_ip", 1}}},
        {"version 4 under IPv6's ethertype",
         {"ipv6 -> abort", "malformed -> drop"},
         (Eth{} / Ip6{.version = 4} / Tcp{}).bytes(),
         1,
         XDP_DROP,
         {{"bad_version", 1}}},
        {"a payload length beyond the frame",
         {kWeb, "src 2001:db8::1 tcp malformed -> drop"},
         (Eth{} / Ip6{.length = 26} / Tcp{} / Payload(5)).bytes(),
         1,
         XDP_DROP,
         {{"bad_length", 1}}},
        {"payload length 0 is no payload",
         {kWeb, "tcp malformed -> drop"},
         (Eth{} / Ip6{.length = 0} / Tcp{}).bytes(),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"a jumbogram's payload is what the frame holds",
         {"options tcp dport 443 -> drop"},
         (Eth{} / Ip6{.length = 0} / Ext{.proto = 0} / Tcp{}).bytes(),
         0,
         XDP_DROP},
        {"traffic class straddles two bytes",
         {"dscp 47 -> drop"},
         (Eth{} / Ip6{.dscp = 47, .ecn = 2, .flow = 0xfffff} / Tcp{}).bytes(),
         0,
         XDP_DROP},
        {"v4-mapped addresses are IPv6 addresses",
         {"src 192.0.2.1 -> abort", "src ::ffff:192.0.2.0/120 -> drop"},
         (Eth{} / Ip6{.src = "::ffff:192.0.2.1"} / Tcp{}).bytes(),
         1,
         XDP_DROP},
        {"no next header", {"proto 59 malformed none -> drop"}, (Eth{} / Ip6{}).bytes(), 0, XDP_DROP},
    });
}

Packet chain(int headers) {
    Packet p = Eth{} / Ip6{};
    for (int i = 0; i < headers; ++i)
        p = p / Ext{.proto = static_cast<std::uint8_t>(i == 0 ? 0 : 60)};
    return p / Udp{} / Payload(4);
}

TEST_F(EdgeParseMore, Ipv6ExtensionHeaders) {
    check(std::vector<Case>{
        {"one", {"options udp dport 53 -> drop"}, chain(1).bytes(), 0, XDP_DROP},
        {"six", {kDns}, chain(6).bytes(), 0, XDP_DROP},
        {"eight", {kDns}, chain(8).bytes(), 0, XDP_DROP},
        {"nine are too many: the protocol is that of the ninth",
         {kDns, "udp -> abort", "proto 60 options malformed -> drop"},
         chain(9).bytes(),
         2,
         XDP_DROP,
         {{"many_ext", 1}}},
        {"ten", {kDns, "proto 60 malformed -> drop"}, chain(10).bytes(), 1, XDP_DROP, {{"many_ext", 1}}},
        {"routing, mobility, HIP and shim6 headers of several units",
         {kDns},
         (Eth{} / Ip6{} / Ext{.proto = 43, .units = 2} / Ext{.proto = 135} / Ext{.proto = 139, .units = 4} /
          Ext{.proto = 140, .units = 1} / Udp{})
             .bytes(),
         0,
         XDP_DROP},
        {"the longest header, 2048 bytes", {kDns}, (Eth{} / Ip6{} / Ext{.units = 255} / Udp{}).bytes(), 0, XDP_DROP},
        {"AH counts in fours, less two", {kDns}, (Eth{} / Ip6{} / Ah{.units = 4} / Udp{}).bytes(), 0, XDP_DROP},
        {"AH of 8 bytes", {kDns}, (Eth{} / Ip6{} / Ah{.units = 0} / Udp{}).bytes(), 0, XDP_DROP},
        {"ESP ends the chain and has no ports",
         {kDns, "dport 0-65535 -> abort", "proto esp malformed none -> drop"},
         (Eth{} / Ip6{.next = 50} / Udp{}).bytes(),
         2,
         XDP_DROP},
        {"AH in IPv4 is a protocol like others",
         {kDns, "options -> abort", "proto ah -> drop"},
         (Eth{} / Ip4{} / Ah{} / Udp{}).bytes(),
         2,
         XDP_DROP},
        {"a header longer than the payload",
         {kDns, "proto 60 options malformed -> drop"},
         (Eth{} / Ip6{} / Ext{.length = 3} / Udp{} / Payload(7)).bytes(),
         1,
         XDP_DROP,
         {{"short_ext", 1}}},
        {"a header cut at 7 bytes",
         {kDns, "proto 0 malformed -> drop"},
         (Eth{} / Ip6{.next = 0} / Payload(7)).bytes(),
         1,
         XDP_DROP,
         {{"short_ext", 1}}},
        {"the second one cut: the protocol is its number",
         {"udp -> abort", "proto 43 malformed -> drop"},
         (Eth{} / Ip6{} / Ext{.proto = 0, .next = 43} / Payload(4)).bytes(),
         1,
         XDP_DROP,
         {{"short_ext", 1}}},
        {"padding is not payload: a header may not reach into it",
         {"udp -> abort", "malformed -> drop"},
         (Eth{} / Ip6{.length = 8} / Ext{.units = 1} / Udp{} / Payload(8)).bytes(),
         1,
         XDP_DROP,
         {{"short_ext", 1}}},
        {"ICMP's number behind IPv6 is just a number",
         {"icmp -> abort", "proto 1 ipv6 malformed none -> drop"},
         (Eth{} / Ip6{} / Icmp{}).bytes(),
         1,
         XDP_DROP},
        {"ICMPv6's in IPv4 too",
         {"icmpv6 -> abort", "proto 58 ip malformed none -> drop"},
         (Eth{} / Ip4{} / Icmp6{}).bytes(),
         1,
         XDP_DROP},
    });
}

TEST_F(EdgeParseMore, Ipv6Fragments) {
    check(std::vector<Case>{
        {"an atomic fragment is none",
         {"fragment -> abort", "options udp dport 53 -> drop"},
         (Eth{} / Ip6{} / Frag6{} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"a first fragment has ports",
         {"fragment first udp dport 53 -> drop"},
         (Eth{} / Ip6{} / Frag6{.more = true} / Udp{.length = 3000}).bytes(),
         0,
         XDP_DROP},
        {"a later one has none",
         {kDns, "dport !1 -> abort", "fragment later udp -> drop"},
         (Eth{} / Ip6{} / Frag6{.offset = 1, .more = true} / Udp{}).bytes(),
         2,
         XDP_DROP},
        {"the last one neither",
         {kDns, "fragment later udp -> drop"},
         (Eth{} / Ip6{} / Frag6{.offset = 0x1fff} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"behind a hop-by-hop header",
         {kDns, "fragment later options udp -> drop"},
         (Eth{} / Ip6{} / Ext{.proto = 0} / Frag6{.offset = 2} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"extension headers of the fragmented part, before the ports",
         {"fragment first udp dport 53 -> drop"},
         (Eth{} / Ip6{} / Frag6{.more = true} / Ext{.proto = 60} / Udp{.length = 3000}).bytes(),
         0,
         XDP_DROP},
        {"a later fragment keeps what its fragment header says",
         {"proto 60 fragment later malformed none -> drop"},
         (Eth{} / Ip6{} / Frag6{.offset = 1} / Ext{.proto = 60} / Udp{}).bytes(),
         0,
         XDP_DROP},
        {"a fragment header cut at 7 bytes is no fragment",
         {"fragment -> abort", "proto 44 malformed -> drop"},
         (Eth{} / Ip6{.next = 44} / Payload(7)).bytes(),
         1,
         XDP_DROP,
         {{"short_ext", 1}}},
    });
}

TEST_F(EdgeParseMore, TransportHeaders) {
    const auto tcp = [](Tcp t, std::size_t payload = 0) {
        return (Eth{} / Ip4{} / std::move(t) / Payload(payload)).bytes();
    };
    const auto udp = [](Udp u, std::size_t payload = 0) { return (Eth{} / Ip4{} / u / Payload(payload)).bytes(); };
    check(std::vector<Case>{
        {"doff 4 has no ports and no flags",
         {kWeb, "flags !syn -> abort", "tcp malformed -> drop"},
         tcp({.doff = 4}),
         2,
         XDP_DROP,
         {{"bad_doff", 1}}},
        {"doff 15 with its options",
         {"tcp dport 443 malformed none -> drop"},
         tcp({.options = Bytes(40)}),
         0,
         XDP_DROP},
        {"doff 15 without them", {kWeb, "malformed -> drop"}, tcp({.doff = 15}, 39), 1, XDP_DROP, {{"short_l4", 1}}},
        {"doff 6 with one byte too few",
         {kWeb, "malformed -> drop"},
         tcp({.doff = 6}, 3),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"TCP cut at 19 bytes by the IP length",
         {kWeb, "tcp malformed -> drop"},
         (Eth{} / Ip4{.length = 39} / Tcp{}).bytes(),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"UDP length 7", {kDns, "udp malformed -> drop"}, udp({.length = 7}), 1, XDP_DROP, {{"bad_udp_length", 1}}},
        {"UDP length 0", {kDns, "udp malformed -> drop"}, udp({.length = 0}), 1, XDP_DROP, {{"bad_udp_length", 1}}},
        {"UDP length one too many",
         {kDns, "malformed -> drop"},
         udp({.length = 13}, 4),
         1,
         XDP_DROP,
         {{"bad_udp_length", 1}}},
        {"UDP length less than the payload is fine",
         {"udp dport 53 malformed none -> drop"},
         udp({.length = 8}, 4),
         0,
         XDP_DROP},
        {"UDP-Lite says a coverage, no length",
         {"proto udplite dport 53 malformed none -> drop"},
         (Eth{} / Ip4{} / UdpLite{.coverage = 9000}).bytes(),
         0,
         XDP_DROP},
        {"SCTP", {"sctp dport 2905 -> drop"}, (Eth{} / Ip6{} / Sctp{}).bytes(), 0, XDP_DROP},
        {"SCTP cut at 11 bytes",
         {"dport 2905 -> abort", "sctp malformed -> drop"},
         (Eth{} / Ip4{.length = 31} / Sctp{}).bytes(),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"DCCP", {"proto dccp sport 40000 -> drop"}, (Eth{} / Ip4{} / Dccp{}).bytes(), 0, XDP_DROP},
        {"ICMP type and code",
         {"icmp type echo-request code 0 -> drop"},
         (Eth{} / Ip4{} / Icmp{}).bytes(),
         0,
         XDP_DROP},
        {"ICMP cut at 7 bytes has neither, also for a negation",
         {"icmp type !0 -> abort", "icmp malformed -> drop"},
         (Eth{} / Ip4{.proto = 1} / Payload(7)).bytes(),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"neighbour solicitation",
         {"icmpv6 type 135 -> drop"},
         (Eth{} / Ip6{} / Icmp6{.type = 135}).bytes(),
         0,
         XDP_DROP},
        {"ICMP has no ports",
         {"sport 0-65535 -> abort", "icmp -> drop"},
         (Eth{} / Ip4{} / Icmp{}).bytes(),
         1,
         XDP_DROP},
        {"GRE has no L4 field and is not malformed",
         {"sport 0-65535 -> abort", "proto gre malformed none -> drop"},
         (Eth{} / Ip4{.proto = 47} / Payload(4)).bytes(),
         1,
         XDP_DROP},
        {"IP in IP: the outer header counts",
         {"udp -> abort", "proto 4 dst 198.51.100.2 -> drop"},
         (Eth{} / Ip4{} / Ip4{.dst = "203.0.113.1"} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"all flags at once", {"tcp flags all -> drop"}, tcp({.flags = 0xff}), 0, XDP_DROP},
    });
}

/// Every prefix of a packet: the reference model says what must come of each.
TEST_F(EdgeParseMore, CutAtEveryByte) {
    const std::vector<std::string> rules{"udp dport 53 sport 40000 -> drop",
                                         "tcp flags ack dport 443 -> drop",
                                         "icmpv6 type 128 -> drop",
                                         "fragment -> abort",
                                         "options malformed none -> drop",
                                         "vlan 7 inner-vlan 8 ip malformed -> abort",
                                         "src 2001:db8::/32 malformed -> drop",
                                         "vlan any -> abort",
                                         "ttl 64 -> drop",
                                         "malformed -> abort"};
    ASSERT_VALUE(const Subject subject, Subject::load(rules));
    const Vlan seven{.id = 7}, eight{.id = 8};
    const std::vector<Packet> packets{
        Eth{} / Ip4{} / Udp{} / Payload(8),
        Eth{} / seven / eight / Ip4{.options = Bytes(40)} / Tcp{.options = Bytes(12)} / Payload(3),
        Eth{} / Ip6{} / Tcp{} / Payload(1),
        Eth{} / seven / Ip6{} / Ext{.proto = 0, .units = 1} / Ext{.proto = 43} / Frag6{} / Ah{} / Udp{} / Payload(5),
        Eth{} / Ip6{} / Icmp6{} / Payload(8),
        Eth{} / seven / eight / Ip6{} / Frag6{.more = true} / Udp{},
        Eth{} / Arp{},
        chain(9)};
    for (const Packet &packet : packets) {
        const Bytes whole = packet.bytes();
        for (std::size_t size = 14; size <= whole.size(); ++size) {
            check_like_model(subject, truncate(whole, size));
            // The same cut with lengths that know of it.
            Packet honest = packet;
            for (Layer &layer : honest.layers) {
                if (auto *v4 = std::get_if<Ip4>(&layer))
                    v4->length = static_cast<std::uint16_t>(size);
                if (auto *v6 = std::get_if<Ip6>(&layer))
                    v6->length = static_cast<std::uint16_t>(size);
            }
            check_like_model(subject, honest.bytes());
        }
    }
}

} // namespace
} // namespace beeline::edge
