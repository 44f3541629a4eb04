// SPDX-License-Identifier: Apache-2.0
//
// What the parser makes of odd packets: docs/edge.md, one table for each of its points.
#include <gtest/gtest.h>

#include <linux/bpf.h>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

class EdgeParse : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

const std::string kDns = "udp dport 53 -> drop";
const std::string kWeb = "tcp dport 443 -> drop";
const std::string kOdd = "malformed -> abort";

Bytes dns4() {
    return (Eth{} / Ip4{} / Udp{} / Payload("question")).bytes();
}
TEST_F(EdgeParse, VlanTags) {
    check(std::vector<Case>{
        {"an untagged frame has no tag", {"vlan any -> abort", kDns}, dns4(), 1, XDP_DROP},
        {"ports are found behind one tag",
         {"vlan 7 udp dport 53 -> drop"},
         (Eth{} / Vlan{.id = 7, .priority = 5} / Ip4{} / Udp{}).bytes(),
         0,
         XDP_DROP},
        {"802.1ad then 802.1Q: outer and inner ids",
         {"vlan 9 -> abort", "vlan 100 inner-vlan 9 udp dport 53 -> drop"},
         (Eth{} / Vlan{.id = 100, .tpid = 0x88a8} / Vlan{.id = 9} / Ip4{} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"802.1Q twice is two tags as well",
         {"inner-vlan 9 vlan 100 -> drop"},
         (Eth{} / Vlan{.id = 100} / Vlan{.id = 9} / Ip6{} / Udp{}).bytes(),
         0,
         XDP_DROP},
        {"a third tag is not looked through: the ethertype is its own",
         {kDns, "ethertype 0x8100 vlan 1 inner-vlan 2 -> drop"},
         (Eth{} / Vlan{.id = 1} / Vlan{.id = 2} / Vlan{.id = 3} / Ip4{} / Udp{}).bytes(),
         1,
         XDP_DROP},
        {"a cut tag is a tag without an id",
         {"vlan 0 -> drop", "vlan !5 -> drop", "vlan any ethertype 0x8100 -> abort"},
         truncate((Eth{} / Vlan{.id = 0} / Ip4{} / Udp{}).bytes(), 17),
         2,
         XDP_ABORTED,
         {{"short_vlan", 1}}},
        {"a cut second tag leaves the first one whole",
         {"inner-vlan 0 -> drop", "vlan 4095 ethertype 0x8100 malformed -> abort"},
         truncate((Eth{} / Vlan{.id = 4095} / Vlan{} / Ip4{} / Udp{}).bytes(), 21),
         1,
         XDP_ABORTED,
         {{"short_vlan", 1}}},
        {"priority tag: id 0",
         {"vlan 0 ip -> drop"},
         (Eth{} / Vlan{.id = 0, .priority = 7} / Ip4{}).bytes(),
         0,
         XDP_DROP},
    });
}

TEST_F(EdgeParse, OtherEthertypes) {
    check(std::vector<Case>{
        {"ARP has no IP fields, not even for a negation",
         {"src !10.0.0.0/8 -> abort", "ttl <255 -> abort", "proto !6 -> abort", "arp -> drop"},
         (Eth{} / Arp{}).bytes(),
         3,
         XDP_DROP},
        {"an unknown ethertype is not malformed",
         {kOdd, "ethertype 0x88b5 -> drop"},
         (Eth{} / Payload(10)).bytes(),
         1,
         XDP_DROP},
        {"an 802.3 length is an ethertype below 0x0600",
         {"ethertype 38 -> drop"},
         (Eth{.type = 38} / Payload(38)).bytes(),
         0,
         XDP_DROP},
        {"fourteen bytes are a whole Ethernet header",
         {"ethertype 0x88b5 malformed none -> drop"},
         (Eth{} / Payload(0)).bytes(),
         0,
         XDP_DROP},
    });
}

TEST_F(EdgeParse, Ipv4Header) {
    const auto ip4 = [](Ip4 ip) { return (Eth{} / std::move(ip) / Udp{} / Payload(8)).bytes(); };
    check(std::vector<Case>{
        {"ihl 5 has no options", {"options -> abort", kDns}, dns4(), 1, XDP_DROP},
        {"ihl 15: ports behind 40 bytes of options",
         {"options udp dport 53 -> drop"},
         ip4({.options = Bytes(40)}),
         0,
         XDP_DROP},
        {"ihl 4 leaves no IP field",
         {kDns, "src 192.0.2.1 -> abort", "ethertype ip malformed -> drop"},
         ip4({.ihl = 4}),
         2,
         XDP_DROP,
         {{"bad_ihl", 1}}},
        {"ihl 0 the same", {kDns, "ip -> abort", "malformed -> drop"}, ip4({.ihl = 0}), 2, XDP_DROP, {{"bad_ihl", 1}}},
        {"version 6 under IPv4's ethertype",
         {kDns, "ip -> abort", "malformed -> drop"},
         ip4({.version = 6}),
         2,
         XDP_DROP,
         {{"bad_version", 1}}},
        {"a header cut at 19 bytes",
         {"ip -> abort", "malformed -> drop"},
         truncate(dns4(), 14 + 19),
         1,
         XDP_DROP,
         {{"short_ip", 1}}},
        {"20 bytes that promise more have addresses but no ports",
         {"dport 53 -> abort", "src 192.0.2.1 malformed udp -> drop"},
         truncate(dns4(), 14 + 20),
         1,
         XDP_DROP,
         {{"bad_length", 1}}},
        {"options longer than the total length",
         {kDns, "options src 192.0.2.1 malformed -> drop"},
         ip4({.options = Bytes(8), .length = 24}),
         1,
         XDP_DROP,
         {{"bad_length", 1}}},
        {"total length 0",
         {kDns, "dst 198.51.100.2 malformed -> drop"},
         ip4({.length = 0}),
         1,
         XDP_DROP,
         {{"bad_length", 1}}},
        {"total length one byte more than the frame",
         {kDns, "malformed -> drop"},
         ip4({.length = 37}),
         1,
         XDP_DROP,
         {{"bad_length", 1}}},
        {"bytes behind the total length are padding",
         {"malformed -> abort", kDns},
         (Eth{} / Ip4{} / Udp{} / Padding{18}).bytes(),
         1,
         XDP_DROP},
        {"a total length that leaves 7 bytes has no UDP header",
         {kDns, "udp malformed -> drop"},
         ip4({.length = 27}),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"dscp and ecn are told apart",
         {"dscp 47 -> abort", "dscp ef -> drop"},
         ip4({.dscp = 46, .ecn = 3}),
         1,
         XDP_DROP},
        {"df is no fragment", {"fragment -> abort", kDns}, ip4({.df = true}), 1, XDP_DROP},
    });
}

TEST_F(EdgeParse, Ipv4Fragments) {
    const Payload sixteen(16);
    check(std::vector<Case>{
        {"a first fragment has ports",
         {"fragment later -> abort", "fragment first udp dport 53 -> drop"},
         (Eth{} / Ip4{.mf = true} / Udp{} / sixteen).bytes(),
         1,
         XDP_DROP},
        {"a middle fragment never has ports, though its bytes look like them",
         {kDns, "dport 0-65535 -> abort", "fragment first -> abort", "fragment later udp -> drop"},
         (Eth{} / Ip4{.mf = true, .offset = 185} / Udp{} / sixteen).bytes(),
         3,
         XDP_DROP},
        {"nor does the last one",
         {kDns, "fragment none -> abort", "fragment -> drop"},
         (Eth{} / Ip4{.offset = 370} / Udp{} / sixteen).bytes(),
         2,
         XDP_DROP},
        {"a negated port does not match a later fragment",
         {"dport !80 -> abort", "udp -> drop"},
         (Eth{} / Ip4{.offset = 1} / Udp{} / sixteen).bytes(),
         1,
         XDP_DROP},
        {"a tiny first fragment without the ports is malformed",
         {kWeb, "tcp malformed fragment first -> drop"},
         (Eth{} / Ip4{.mf = true, .proto = 6} / Payload(8)).bytes(),
         1,
         XDP_DROP,
         {{"short_l4", 1}}},
        {"a first fragment's UDP length is that of the datagram",
         {"malformed -> abort", kDns},
         (Eth{} / Ip4{.mf = true} / Udp{.length = 3000} / sixteen).bytes(),
         1,
         XDP_DROP},
        {"later fragments of protocols without ports keep their protocol",
         {"icmp fragment later -> drop"},
         (Eth{} / Ip4{.offset = 1, .proto = 1} / Payload(3)).bytes(),
         0,
         XDP_DROP},
    });
}

} // namespace
} // namespace beeline::edge
