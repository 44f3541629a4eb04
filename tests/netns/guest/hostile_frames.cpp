// SPDX-License-Identifier: Apache-2.0
#include "hostile_frames.hpp"

namespace beeline::guest {
namespace {

using namespace harness;

constexpr std::uint8_t kFragment6 = 44, kDestination6 = 60, kUdp = 17;
const MacBytes kElse{0x02, 0x66, 0x66, 0x66, 0x66, 0x66};

Payload goods() {
    return Payload(kSmuggled);
}

class Frames {
public:
    explicit Frames(const Macs &macs) : eth_{.dst = macs.host, .src = macs.own} {}

    [[nodiscard]] const Eth &eth() const { return eth_; }
    void add(std::string how, const Packet &packet) { all_.push_back({std::move(how), packet.bytes()}); }
    [[nodiscard]] std::vector<Smuggled> all() { return std::move(all_); }

private:
    Eth eth_;
    std::vector<Smuggled> all_;
};

const Ip4 kTo4{.src = "10.88.0.2", .dst = "10.9.0.2"}, kToGuest4{.src = "10.88.0.2", .dst = "10.88.0.3"};
const Ip6 kTo6{.src = "fd88::2", .dst = "fd09::2"}, kToGuest6{.src = "fd88::2", .dst = "fd88::3"};
const Udp kForbidden{.sport = 4001, .dport = 9}, kAllowed{.sport = 4001, .dport = 4000};

Ip4 with(Ip4 ip, auto change) {
    change(ip);
    return ip;
}

Ip6 with(Ip6 ip, auto change) {
    change(ip);
    return ip;
}

void add_plain(Frames &frames) {
    const Eth &eth = frames.eth();
    for (const Ip4 &to : {kTo4, kToGuest4}) {
        frames.add("UDP to a forbidden port", eth / to / kForbidden / goods());
        frames.add("TCP to a forbidden port", eth / to / Tcp{.dport = 9, .flags = kSyn} / goods());
        frames.add("TCP to a forbidden port in the middle", eth / to / Tcp{.dport = 9} / goods());
    }
    for (const Ip6 &to : {kTo6, kToGuest6}) {
        frames.add("UDP to a forbidden port, IPv6", eth / to / kForbidden / goods());
        frames.add("TCP to a forbidden port, IPv6", eth / to / Tcp{.dport = 9, .flags = kSyn} / goods());
    }
    frames.add("forbidden address", eth / Ip4{.src = "10.88.0.2", .dst = "10.9.0.3"} / kAllowed / goods());
    frames.add("forbidden address, IPv6", eth / Ip6{.src = "fd88::2", .dst = "fd09::3"} / kAllowed / goods());
    frames.add("ping to a forbidden address", eth / Ip4{.src = "10.88.0.2", .dst = "10.9.0.3"} / Icmp{} / goods());
}

void add_sources(Frames &frames) {
    const Eth &eth = frames.eth();
    for (const char *source : {"10.88.0.3", "10.9.0.1", "10.9.0.2", "198.51.100.7", "0.0.0.0", "127.0.0.1"}) {
        for (const char *to : {"10.9.0.2", "10.88.0.3"})
            frames.add(std::string("source ") + source, eth / Ip4{.src = source, .dst = to} / kAllowed / goods());
    }
    for (const char *source : {"fd88::3", "fd09::1", "fd09::2", "2001:db8::7", "::", "::1", "fe80::7"})
        for (const char *to : {"fd09::2", "fd88::3"})
            frames.add(std::string("source ") + source, eth / Ip6{.src = source, .dst = to} / kAllowed / goods());
}

void add_ethernet(Frames &frames) {
    const Eth &eth = frames.eth();
    const MacBytes everyone{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, group{0x01, 0x00, 0x5e, 0, 0, 0x01};
    for (const MacBytes &to : {everyone, group, kElse, MacBytes{}})
        frames.add("other destination MAC", Eth{.dst = to, .src = eth.src} / kTo4 / kForbidden / goods());
    for (const MacBytes &from : {everyone, group, kElse, MacBytes{}, eth.dst})
        frames.add("other source MAC", Eth{.dst = eth.dst, .src = from} / kTo4 / kForbidden / goods());
    for (const std::uint16_t type : {0x8863, 0x88cc, 0x8847, 0x88e5, 0x0800 + 0x4000, 0x0100})
        frames.add("ethertype " + std::to_string(type),
                   Eth{.dst = eth.dst, .src = eth.src, .type = type} / kTo4 / kAllowed / goods());
    frames.add("IPv6 that says IPv4", Eth{.dst = eth.dst, .src = eth.src, .type = 0x0800} / kTo6 / kAllowed / goods());
    frames.add("IPv4 that says IPv6", Eth{.dst = eth.dst, .src = eth.src, .type = 0x86dd} / kTo4 / kAllowed / goods());
    for (const std::uint16_t id : {0, 7}) {
        frames.add("VLAN", eth / Vlan{.id = id} / kTo4 / kAllowed / goods());
        frames.add("VLAN to a guest", eth / Vlan{.id = id} / kToGuest6 / kAllowed / goods());
        frames.add("provider's VLAN", eth / Vlan{.id = id, .tpid = 0x88a8} / kTo4 / kAllowed / goods());
        frames.add("two VLANs", eth / Vlan{.id = id, .tpid = 0x88a8} / Vlan{.id = 5} / kTo4 / kAllowed / goods());
    }
}

/// Fragments' bytes behind the IP header: UDP to the forbidden port, cut.
void add_fragments4(Frames &frames) {
    const Eth &eth = frames.eth();
    const auto piece = [](std::uint16_t id, std::uint16_t offset, bool more, std::uint8_t proto = kUdp) {
        return with(kTo4, [&](Ip4 &ip) {
            ip.id = id;
            ip.offset = offset;
            ip.mf = more;
            ip.proto = proto;
        });
    };
    const Udp whole{.sport = 4001, .dport = 9, .length = 32};
    frames.add("first fragment, nothing but UDP's header", eth / piece(11, 0, true) / whole);
    frames.add("its later fragment", eth / piece(11, 1, false) / goods());
    frames.add("later fragment before the first", eth / piece(12, 1, false) / goods());
    frames.add("the first one behind it", eth / piece(12, 0, true) / whole);
    const Bytes tcp = (Eth{} / Tcp{.dport = 9, .flags = kSyn}).bytes();
    frames.add("first fragment with a part of TCP's header",
               eth / piece(13, 0, true, 6) / Payload(Bytes(tcp.begin() + 14, tcp.begin() + 22)));
    frames.add("the rest of TCP's header", eth / piece(13, 1, false, 6) / goods());
    // The first one of the same datagram is allowed and known, then come others in its place.
    frames.add("allowed first fragment's place taken", eth / piece(14, 0, true) / whole / goods());
    frames.add("options and fragment",
               eth / with(piece(15, 0, true), [](Ip4 &ip) { ip.options = Bytes(8, std::byte{1}); }) / whole / goods());
}

void add_options(Frames &frames) {
    const Eth &eth = frames.eth();
    const auto optioned = [](Bytes options, const char *to = "10.9.0.2") {
        return with(kTo4, [&](Ip4 &ip) {
            ip.dst = to;
            ip.options = std::move(options);
        });
    };
    frames.add("IPv4 options", eth / optioned(Bytes(40, std::byte{1})) / kForbidden / goods());
    frames.add("router alert", eth / optioned(from_hex("94040000")) / kForbidden / goods());
    frames.add("loose source route", eth / optioned(from_hex("8307040a09000200"), "10.9.0.3") / kAllowed / goods());
    frames.add("strict source route", eth / optioned(from_hex("8907040a09000300")) / kAllowed / goods());
    frames.add("loose source route by an allowed host",
               eth / optioned(from_hex("8307040a09000300")) / kAllowed / goods());
    frames.add("IPv4 header that is said to be short",
               eth / with(kTo4, [](Ip4 &ip) { ip.ihl = 4; }) / kForbidden / goods());
    frames.add("version 5", eth / with(kTo4, [](Ip4 &ip) { ip.version = 5; }) / kAllowed / goods());
    frames.add("longer than the frame", eth / with(kTo4, [](Ip4 &ip) { ip.length = 1400; }) / kForbidden / goods());
}

void add_extensions(Frames &frames) {
    const Eth &eth = frames.eth();
    for (const Ip6 &to : {kTo6, kToGuest6}) {
        for (const std::uint8_t proto : {0, 60, 43, 135, 139, 140})
            frames.add("extension header " + std::to_string(proto),
                       eth / to / Ext{.proto = proto} / kForbidden / goods());
        frames.add("routing header by an allowed host",
                   eth / to / Ext{.proto = 43, .units = 2, .fourth = 1} / kAllowed / goods());
        frames.add("long extension header", eth / to / Ext{.units = 12} / kForbidden / goods());
        frames.add("three extension headers",
                   eth / to / Ext{.proto = 0} / Ext{.proto = 43} / Ext{} / kForbidden / goods());
        frames.add("authentication header", eth / to / Ah{} / kForbidden / goods());
        frames.add("fragment that is whole", eth / to / Frag6{.id = 21} / kForbidden / goods());
        frames.add("whole fragment and options", eth / to / Frag6{.id = 22} / Ext{} / kForbidden / goods());
    }
    Packet chain = eth / kTo6;
    for (int i = 0; i < 12; ++i)
        chain = std::move(chain) / Ext{};
    frames.add("twelve extension headers", std::move(chain) / kForbidden / goods());
    frames.add("first fragment without UDP",
               eth / kTo6 / Frag6{.more = true, .id = 23, .next = kDestination6} / Ext{.next = kUdp});
    frames.add("later fragment with UDP",
               eth / kTo6 / Frag6{.offset = 1, .id = 23, .next = kDestination6} / kForbidden / goods());
    frames.add("later fragment that says it is UDP", eth / kTo6 / Frag6{.offset = 1, .id = 24, .next = kUdp} / goods());
    frames.add("fragment header behind another",
               eth / kTo6 / Ext{.next = kFragment6} / Frag6{.more = true, .id = 25} / kForbidden / goods());
}

} // namespace

std::vector<Smuggled> smuggled_frames(const Macs &macs) {
    Frames frames(macs);
    add_plain(frames);
    add_sources(frames);
    add_ethernet(frames);
    add_fragments4(frames);
    add_options(frames);
    add_extensions(frames);
    return frames.all();
}

std::vector<Smuggled> smuggled_errors(const Macs &macs) {
    Frames frames(macs);
    const Eth &eth = frames.eth();
    const Packet about4 = Ip4{.src = "10.9.0.2", .dst = "10.88.0.2"} / Udp{.sport = 4000, .dport = 4001} / goods();
    const Packet about6 = Ip6{.src = "fd09::2", .dst = "fd88::2"} / Udp{.sport = 4000, .dport = 4001} / goods();
    frames.add("error about an allowed flow, to a forbidden address",
               eth / Ip4{.src = "10.88.0.2", .dst = "10.9.0.3"} / Icmp{.type = 3, .code = 3} / about4);
    frames.add("error about an allowed flow, to a forbidden address, IPv6",
               eth / Ip6{.src = "fd88::2", .dst = "fd09::3"} / Icmp6{.type = 1, .code = 4} / about6);
    frames.add("error about an allowed flow from another source",
               eth / Ip4{.src = "10.88.0.3", .dst = "10.9.0.2"} / Icmp{.type = 3, .code = 3} / about4);
    frames.add("error about another guest's flow",
               eth / Ip4{.src = "10.88.0.2", .dst = "10.9.0.3"} / Icmp{.type = 3, .code = 3} /
                   Ip4{.src = "10.9.0.3", .dst = "10.88.0.3"} / Udp{.sport = 4000, .dport = 4001} / goods());
    return frames.all();
}

std::vector<Smuggled> smuggled_claims(const Macs &macs) {
    Frames frames(macs);
    const Eth &eth = frames.eth();
    const MacBytes everyone{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (const char *claimed : {"10.88.0.3", "10.9.0.1", "10.9.0.2", "169.254.1.1"})
        for (const std::uint16_t operation : {1, 2})
            for (const MacBytes &to : {everyone, eth.dst})
                frames.add(std::string("ARP claims ") + claimed,
                           Eth{.dst = to, .src = eth.src} / Arp{operation, claimed, claimed} / goods());
    // Solicitation, advertisement, router's solicitation and advertisement, redirect.
    for (const std::uint8_t type : {135, 136, 133, 134, 137})
        for (const std::uint8_t hops : {64, 255})
            for (const char *from : {"fd88::2", "fd88::3", "fe80::7", "2001:db8::7"})
                for (const char *to : {"fd09::2", "fd09::3", "fd88::3"})
                    frames.add("neighbour discovery " + std::to_string(type) + " from " + from + " to " + to,
                               eth / Ip6{.src = from, .dst = to, .hop_limit = hops} / Icmp6{.type = type} / goods());
    for (const char *from : {"fd88::2", "fe80::1"})
        frames.add("router's advertisement to all",
                   eth / Ip6{.src = from, .dst = "ff02::1", .hop_limit = 255} / Icmp6{.type = 134} / goods());
    return frames.all();
}

} // namespace beeline::guest
