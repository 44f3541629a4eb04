// SPDX-License-Identifier: Apache-2.0
//
// docs/edge.md, "What a packet's fields are, and when they are there", point by point.
#include <harness/model.hpp>

#include <algorithm>

#include <beeline/edge.h>

namespace beeline::model {

namespace {

/// A piece of the frame that is eaten from the front.
class Cursor {
public:
    Cursor(View frame, std::size_t begin, std::size_t end) : frame_(frame), at_(begin), end_(end) {}

    [[nodiscard]] std::size_t at() const { return at_; }
    [[nodiscard]] std::size_t left() const { return end_ - at_; }
    [[nodiscard]] std::uint8_t byte(std::size_t i) const { return std::to_integer<std::uint8_t>(frame_[at_ + i]); }
    [[nodiscard]] std::uint16_t word(std::size_t i) const {
        return static_cast<std::uint16_t>(byte(i) * 256 + byte(i + 1));
    }
    template <std::size_t N>
    [[nodiscard]] std::array<std::uint8_t, 16> address(std::size_t i) const {
        std::array<std::uint8_t, 16> bytes{};
        for (std::size_t k = 0; k < N; ++k)
            bytes[k] = byte(i + k);
        return bytes;
    }
    [[nodiscard]] edge::Mac mac(std::size_t i) const {
        edge::Mac bytes{};
        for (std::size_t k = 0; k < 6; ++k)
            bytes[k] = byte(i + k);
        return bytes;
    }
    void skip(std::size_t size) { at_ += size; }
    void limit(std::size_t size) { end_ = std::min(end_, at_ + size); }

private:
    View frame_;
    std::size_t at_, end_;
};

/// 7. The cursor holds what the IP header says is its payload.
std::uint32_t parse_l4(const Cursor &c, Fields &f) {
    const Fields::Ip &ip = *f.ip;
    const bool v4 = ip.family == edge::Family::v4;
    const auto ports = [&] {
        f.ports = Fields::Ports{c.word(0), c.word(2)};
        f.segment = Fields::Segment{c.at(), c.left()};
        return BL_R_NONE;
    };
    if (ip.later) // 6.
        return BL_R_NONE;
    switch (ip.proto) {
    case 6: // TCP
        if (c.left() < 20)
            return BL_R_SHORT_L4;
        if (c.byte(12) / 16 < 5)
            return BL_R_BAD_DOFF;
        if (c.byte(12) / 16 * 4u > c.left())
            return BL_R_SHORT_L4;
        f.tcp_flags = c.byte(13);
        return ports();
    case 17: // UDP
        if (c.left() < 8)
            return BL_R_SHORT_L4;
        if (c.word(4) < 8 || (c.word(4) > c.left() && !ip.fragment))
            return BL_R_BAD_UDP_LENGTH;
        ports();
        if (!ip.fragment)
            f.segment->size = c.word(4);
        return BL_R_NONE;
    case 136: // UDP-Lite
        return c.left() < 8 ? BL_R_SHORT_L4 : ports();
    case 33:  // DCCP
    case 132: // SCTP
        return c.left() < 12 ? BL_R_SHORT_L4 : ports();
    default:
        if (ip.proto != (v4 ? 1 : 58)) // neither ICMP nor ICMPv6
            return BL_R_NONE;
        if (c.left() < 8)
            return BL_R_SHORT_L4;
        f.icmp = Fields::Icmp{c.byte(0), c.byte(1)};
        f.segment = Fields::Segment{c.at(), c.left()};
        return BL_R_NONE;
    }
}

/// RFC 791, 3.1; docs/guest.md has what guests may send.
void read_options(const Cursor &c, std::size_t header, Fields::Ip &ip) {
    std::size_t at = 20;
    while (at < header && c.byte(at) != 0) {
        if (c.byte(at) == 131 || c.byte(at) == 137) {
            ip.source_route = true;
            return;
        }
        const std::size_t size = c.byte(at) == 1 ? 1 : at + 1 < header ? c.byte(at + 1) : 0;
        if (size == 0 || (size == 1 && c.byte(at) != 1) || at + size > header) {
            ip.bad_options = true;
            return;
        }
        at += size;
    }
}

/// 4.
std::uint32_t parse_ipv4(Cursor c, Fields &f) {
    if (c.left() < 20)
        return BL_R_SHORT_IP;
    if (c.byte(0) / 16 != 4)
        return BL_R_BAD_VERSION;
    const std::size_t header = c.byte(0) % 16 * 4u, total = c.word(2);
    if (header < 20)
        return BL_R_BAD_IHL;
    const std::uint16_t fragment = c.word(6);
    f.ip = Fields::Ip{.family = edge::Family::v4,
                      .src = c.address<4>(12),
                      .dst = c.address<4>(16),
                      .proto = c.byte(9),
                      .ttl = c.byte(8),
                      .dscp = static_cast<std::uint8_t>(c.byte(1) / 4),
                      .options = header > 20,
                      .fragment = fragment % 0x4000 != 0, // all but the reserved bit and DF
                      .later = fragment % 0x2000 != 0,
                      .at = c.at()};
    if (total < header || total > c.left())
        return BL_R_BAD_LENGTH;
    c.limit(total);
    read_options(c, header, *f.ip);
    c.skip(header);
    return parse_l4(c, f);
}

bool is_extension(std::uint8_t proto) {
    constexpr std::array<std::uint8_t, 8> kAll{0, 43, 44, 51, 60, 135, 139, 140};
    return std::find(kAll.begin(), kAll.end(), proto) != kAll.end();
}

std::size_t extension_size(std::uint8_t proto, const Cursor &c) {
    if (proto == 44)
        return 8;
    return proto == 51 ? (c.byte(1) + 2u) * 4 : (c.byte(1) + 1u) * 8;
}

/// 5.
std::uint32_t parse_ipv6(Cursor c, Fields &f) {
    if (c.left() < 40)
        return BL_R_SHORT_IP;
    if (c.byte(0) / 16 != 6)
        return BL_R_BAD_VERSION;
    const std::size_t said = c.word(4);
    f.ip = Fields::Ip{.family = edge::Family::v6,
                      .src = c.address<16>(8),
                      .dst = c.address<16>(24),
                      .proto = c.byte(6),
                      .ttl = c.byte(7),
                      .dscp = static_cast<std::uint8_t>(c.word(0) / 64 % 64),
                      .options = is_extension(c.byte(6)),
                      .at = c.at()};
    c.skip(40);
    if (said > c.left())
        return BL_R_BAD_LENGTH;
    if (said != 0 || f.ip->proto != 0)
        c.limit(said);
    for (int walked = 0; is_extension(f.ip->proto); ++walked) {
        if (walked == 8)
            return BL_R_MANY_EXT;
        if (c.left() < 8)
            return BL_R_SHORT_EXT;
        const bool fragment = f.ip->proto == 44;
        if (fragment) {
            f.ip->later |= c.word(2) / 8 != 0;
            f.ip->fragment |= f.ip->later || c.word(2) % 2 != 0;
        }
        const std::size_t size = extension_size(f.ip->proto, c);
        if (size > c.left())
            return BL_R_SHORT_EXT;
        f.ip->routed |= f.ip->proto == 43 && c.byte(3) != 0;
        f.ip->proto = c.byte(0);
        c.skip(size);
        if (f.ip->later)
            return BL_R_NONE;
    }
    return parse_l4(c, f);
}

} // namespace

Fields parse(View frame) {
    Fields f;
    f.length = frame.size();
    Cursor c(frame, 0, frame.size());
    if (c.left() < 14) { // 1.
        f.reason = BL_R_SHORT_ETHERNET;
        return f;
    }
    f.dst_mac = c.mac(0);
    f.src_mac = c.mac(6);
    f.ethertype = c.word(12);
    c.skip(14);
    for (int tag = 0; tag < 2 && (f.ethertype == 0x8100 || f.ethertype == 0x88a8); ++tag) { // 2.
        f.tagged = true;
        if (c.left() < 4) {
            f.reason = BL_R_SHORT_VLAN;
            return f;
        }
        (tag == 0 ? f.vlan : f.inner_vlan) = c.word(0) % 4096;
        f.ethertype = c.word(2);
        c.skip(4);
    }
    if (f.ethertype == 0x0800) // 3.
        f.reason = parse_ipv4(c, f);
    else if (f.ethertype == 0x86dd)
        f.reason = parse_ipv6(c, f);
    return f;
}

std::string Fields::text() const {
    std::string out = "length " + std::to_string(length);
    const auto say = [&out](const char *name, const auto &value) {
        if (value)
            out += std::string(" ") + name + " " + std::to_string(*value);
    };
    say("ethertype", ethertype);
    out += tagged ? " tagged" : "";
    say("vlan", vlan);
    say("inner-vlan", inner_vlan);
    if (ip) {
        out += ip->family == edge::Family::v4 ? " ip" : " ipv6";
        out += " proto " + std::to_string(ip->proto) + " ttl " + std::to_string(ip->ttl) + " dscp " +
               std::to_string(ip->dscp) + (ip->options ? " options" : "") + (ip->fragment ? " fragment" : "") +
               (ip->later ? " later" : "");
        const std::size_t size = ip->family == edge::Family::v4 ? 4 : 16;
        out += " src " + harness::hex(std::as_bytes(std::span(ip->src)).first(size));
        out += " dst " + harness::hex(std::as_bytes(std::span(ip->dst)).first(size));
    }
    if (ports)
        out += " sport " + std::to_string(ports->src) + " dport " + std::to_string(ports->dst);
    say("flags", tcp_flags);
    if (icmp)
        out += " type " + std::to_string(icmp->type) + " code " + std::to_string(icmp->code);
    static constexpr const char *kNames[] = BL_EDGE_REASON_NAMES;
    if (reason != 0)
        out += std::string(" malformed: ") + kNames[reason];
    return out;
}

} // namespace beeline::model
