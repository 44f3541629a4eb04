// SPDX-License-Identifier: Apache-2.0
#include "netns/cli/zoo.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

namespace beeline::cli_test {

using namespace harness;

namespace {

/// To nobody here: the stack must neither answer nor count what is passed to it.
constexpr Eth kEth{.dst = {0x02, 0xff, 0, 0, 0, 0x99}, .src = {0x02, 0xff, 0, 0, 0, 0x98}};

Bytes of(const Packet &packet) {
    return (Packet{{Layer(kEth)}} / packet).bytes();
}

void add_ipv4(std::vector<Kind> &all) {
    all.push_back({"tcp syn", of(Ip4{} / Tcp{.flags = kSyn})});
    all.push_back({"tcp syn ack", of(Ip4{} / Tcp{.flags = kSyn | kAck})});
    all.push_back({"tcp no flags", of(Ip4{} / Tcp{.flags = 0})});
    all.push_back({"tcp christmas", of(Ip4{} / Tcp{.flags = 0xff})});
    all.push_back({"tcp options", of(Ip4{} / Tcp{.options = Bytes(20, std::byte{1})} / Payload(5))});
    all.push_back({"tcp doff 4", of(Ip4{} / Tcp{.doff = 4})});
    all.push_back({"tcp doff 15 of 5", of(Ip4{} / Tcp{.doff = 15})});
    all.push_back({"udp", of(Ip4{} / Udp{.dport = 7999} / Payload("hello"))});
    all.push_back({"udp to another port", of(Ip4{} / Udp{.dport = 7998})});
    all.push_back({"udp without checksum", of(Ip4{} / Udp{.dport = 7999, .check = 0} / Payload("hello"))});
    all.push_back({"udp lying length", of(Ip4{} / Udp{.length = 999})});
    all.push_back({"udp length below 8", of(Ip4{} / Udp{.length = 7})});
    all.push_back({"udplite", of(Ip4{} / UdpLite{})});
    all.push_back({"sctp", of(Ip4{} / Sctp{})});
    all.push_back({"dccp", of(Ip4{} / Dccp{})});
    all.push_back({"icmp echo", of(Ip4{} / Icmp{})});
    all.push_back({"icmp unreachable", of(Ip4{} / Icmp{.type = 3, .code = 4} / Payload(28))});
    all.push_back({"gre", of(Ip4{.proto = 47} / Payload(20))});
    all.push_back({"ip options", of(Ip4{.options = Bytes(8, std::byte{1})} / Udp{})});
    all.push_back({"first fragment", of(Ip4{.mf = true} / Udp{.length = 2000} / Payload(64))});
    all.push_back({"later fragment", of(Ip4{.offset = 185} / Payload(64))});
    all.push_back({"ttl 1", of(Ip4{.ttl = 1} / Udp{})});
    all.push_back({"dscp 46", of(Ip4{.dscp = 46} / Udp{})});
    all.push_back({"ihl 4", of(Ip4{.ihl = 4} / Udp{})});
    all.push_back({"version 5", of(Ip4{.version = 5} / Udp{})});
    all.push_back({"length beyond the frame", of(Ip4{.length = 1400} / Udp{})});
    all.push_back({"length below the header", of(Ip4{.length = 10} / Udp{})});
    all.push_back({"cut ip header", truncate(of(Ip4{} / Udp{}), 30)});
    all.push_back({"cut tcp header", truncate(of(Ip4{} / Tcp{}), 45)});
    all.push_back({"padded", of(Ip4{} / Udp{.dport = 7999} / Padding(10))});
    all.push_back({"large", of(Ip4{} / Udp{} / Payload(1400))});
}

void add_ipv6(std::vector<Kind> &all) {
    all.push_back({"v6 tcp syn", of(Ip6{} / Tcp{.flags = kSyn})});
    all.push_back({"v6 udp", of(Ip6{} / Udp{.dport = 7999})});
    all.push_back({"v6 echo", of(Ip6{} / Icmp6{})});
    all.push_back({"v6 hop-by-hop", of(Ip6{} / Ext{.proto = 0} / Udp{.dport = 7999})});
    all.push_back({"v6 eight headers", of(Ip6{} / Ext{.proto = 0} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} /
                                          Ext{} / Udp{.dport = 7999})});
    all.push_back({"v6 nine headers", of(Ip6{} / Ext{.proto = 0} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} / Ext{} /
                                         Ext{} / Ext{} / Udp{.dport = 7999})});
    all.push_back({"v6 ah", of(Ip6{} / Ah{} / Tcp{.flags = kSyn})});
    all.push_back({"v6 first fragment", of(Ip6{} / Frag6{.more = true} / Udp{.length = 2000} / Payload(64))});
    all.push_back({"v6 later fragment", of(Ip6{} / Frag6{.offset = 185} / Payload(64))});
    all.push_back({"v6 atomic fragment", of(Ip6{} / Frag6{} / Udp{.dport = 7999})});
    all.push_back({"v6 cut extension", truncate(of(Ip6{} / Ext{.proto = 0, .units = 3} / Udp{}), 60)});
    all.push_back({"v6 lying length", of(Ip6{.length = 999} / Udp{})});
    all.push_back({"v6 version 4", of(Ip6{.version = 4} / Udp{})});
    all.push_back({"v6 hop limit 1", of(Ip6{.hop_limit = 1} / Udp{})});
}

void add_others(std::vector<Kind> &all) {
    all.push_back({"vlan", of(Vlan{.id = 7} / Ip4{} / Udp{.dport = 7999})});
    all.push_back({"another vlan", of(Vlan{.id = 6} / Ip4{} / Tcp{})});
    all.push_back({"qinq", of(Vlan{.id = 8, .tpid = 0x88a8} / Vlan{.id = 9} / Ip6{} / Tcp{.flags = kSyn})});
    all.push_back({"three tags", of(Vlan{.id = 8} / Vlan{.id = 9} / Vlan{.id = 10} / Ip4{} / Udp{})});
    all.push_back({"cut tag", truncate(of(Vlan{.id = 7} / Ip4{} / Udp{}), 16)});
    all.push_back({"arp", (kEth / Arp{}).bytes()});
    all.push_back({"lldp", (Eth{.dst = kEth.dst, .src = kEth.src, .type = 0x88cc} / Payload(46)).bytes()});
    all.push_back({"header alone", (Eth{.dst = kEth.dst, .src = kEth.src, .type = 0x9000} / Payload(Bytes{})).bytes()});
}

} // namespace

std::vector<Kind> packet_zoo() {
    std::vector<Kind> all;
    add_ipv4(all);
    add_ipv6(all);
    add_others(all);
    return all;
}

std::vector<std::string> zoo_rules() {
    // Every rule drops: what arrives is nobody's, and the counters tell who decided.
    return {"mac dst !02:ff:00:00:00:99 -> pass", // the kernel's own chatter
            "malformed ip -> drop",
            "malformed ipv6 -> drop",
            "malformed -> drop",
            "fragment later -> drop",
            "fragment first -> drop",
            "inner-vlan 9 -> drop",
            "vlan 7 -> drop",
            "vlan any -> drop",
            "ip options -> drop",
            "ipv6 options udp -> drop",
            "ttl 1 -> drop",
            "dscp 46 -> drop",
            "length >1000 -> drop",
            "tcp flags syn/syn,ack ip -> drop",
            "tcp flags syn/syn,ack -> drop",
            "tcp flags none -> drop",
            "tcp -> drop",
            "ip udp dport 7999 -> drop",
            "udp dport 7999 -> drop",
            "udp -> drop",
            "icmp type 8 -> drop",
            "icmp -> drop",
            "icmpv6 -> drop",
            "proto {sctp, dccp, udplite} sport 40000 -> drop",
            "ip -> drop",
            "ethertype arp -> drop",
            "ethertype 0x88cc -> drop",
            "fallback -> drop"};
}

std::vector<Kind> scapy_zoo(const std::string &pcap) {
    constexpr std::size_t kFileHeader = 24, kRecordHeader = 16, kLengthAt = 8; // pcap(5), in our byte order
    const std::string command = "/usr/bin/python3 " BEELINE_SCAPY_KINDS " " + pcap;
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe(popen(command.c_str(), "r"), pclose);
    std::ifstream file;
    std::vector<Kind> all;
    std::array<char, 100> line{};
    while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr)
        all.push_back({std::string("scapy: ") + line.data(), {}});
    file.open(pcap, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::size_t at = kFileHeader;
    for (Kind &kind : all) {
        std::uint32_t length = 0;
        std::memcpy(&length, bytes.data() + at + kLengthAt, sizeof length);
        at += kRecordHeader;
        const auto *frame = reinterpret_cast<const std::byte *>(bytes.data() + at);
        kind.frame.assign(frame, frame + length);
        at += length;
    }
    return all;
}

} // namespace beeline::cli_test
