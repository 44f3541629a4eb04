// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/packet.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "edge/tools/packet_names.hpp"

namespace beeline::edge {
namespace {

/// Offset of what the language calls a later fragment: that of a datagram cut for an MTU of 1500.
constexpr std::uint16_t kLaterOffset = 1480;

class Bytes {
public:
    void u8(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
    void u16(unsigned value) {
        u8(value >> 8 & 0xff);
        u8(value & 0xff);
    }
    void u32(std::uint32_t value) {
        u16(value >> 16);
        u16(value & 0xffff);
    }
    void zeros(std::size_t count) { bytes_.resize(bytes_.size() + count); }
    template <class Range>
    void all(const Range &range, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            u8(static_cast<unsigned>(range[i]));
    }
    void set16(std::size_t at, std::uint16_t value) {
        bytes_[at] = static_cast<std::byte>(value >> 8);
        bytes_[at + 1] = static_cast<std::byte>(value & 0xff);
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::span<const std::byte> from(std::size_t at) const { return std::span(bytes_).subspan(at); }
    std::vector<std::byte> take() && { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

/// The ones' complement sum of RFC 1071 over 16-bit words, not folded.
std::uint64_t sum(std::span<const std::byte> bytes, std::uint64_t start = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        start += static_cast<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    return start;
}

std::uint16_t folded_complement(std::uint64_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::size_t address_bytes(const PacketSpec &spec) {
    return spec.src.v6 ? 16 : 4;
}

/// Bytes of the L4 header; 0 for later fragments and protocols without one here.
std::size_t l4_bytes(const PacketSpec &spec) {
    if (spec.later_fragment)
        return 0;
    switch (spec.proto) {
    case kProtoTcp:
        return 20;
    case kProtoUdp:
    case kProtoUdplite:
    case kProtoIcmp:
    case kProtoIcmpv6:
        return 8;
    case kProtoSctp:
    case kProtoDccp:
        return 12;
    default:
        return 0;
    }
}

void put_ethernet(Bytes &frame, const PacketSpec &spec) {
    frame.all(spec.dst_mac, 6);
    frame.all(spec.src_mac, 6);
    if (spec.vlan) {
        frame.u16(spec.inner_vlan ? kEthService : kEthVlan);
        frame.u16(*spec.vlan);
    }
    if (spec.inner_vlan) {
        frame.u16(kEthVlan);
        frame.u16(*spec.inner_vlan);
    }
    frame.u16(spec.src.v6 ? kEthIpv6 : kEthIpv4);
}

/// RFC 791, with the header checksum.
void put_ipv4(Bytes &frame, const PacketSpec &spec, std::size_t payload) {
    const std::size_t start = frame.size();
    frame.u8(0x45);
    frame.u8(spec.dscp << 2);
    frame.u16(static_cast<unsigned>(20 + payload));
    frame.u16(1); // identification
    frame.u16(spec.first_fragment ? 0x2000 : spec.later_fragment ? kLaterOffset / 8 : 0);
    frame.u8(spec.ttl);
    frame.u8(spec.proto);
    frame.u16(0);
    frame.all(spec.src.address, 4);
    frame.all(spec.dst.address, 4);
    frame.set16(start + 10, folded_complement(sum(frame.from(start))));
}

/// RFC 8200, with a fragment header when there is something to say in it.
void put_ipv6(Bytes &frame, const PacketSpec &spec, std::size_t payload) {
    const bool fragment = spec.first_fragment || spec.later_fragment;
    frame.u32(0x60000000u | static_cast<std::uint32_t>(spec.dscp) << 22);
    frame.u16(static_cast<unsigned>(payload + (fragment ? 8 : 0)));
    frame.u8(fragment ? kProtoFragment : spec.proto);
    frame.u8(spec.ttl);
    frame.all(spec.src.address, 16);
    frame.all(spec.dst.address, 16);
    if (!fragment)
        return;
    frame.u8(spec.proto);
    frame.u8(0);
    frame.u16(spec.first_fragment ? 1 : kLaterOffset);
    frame.u32(1); // identification
}

/// The pseudo header that TCP, UDP, UDP-Lite, DCCP and ICMPv6 sum up.
std::uint64_t pseudo_header(const PacketSpec &spec, std::size_t length) {
    std::uint64_t total = spec.proto + length;
    total = sum(std::as_bytes(std::span(spec.src.address)).first(address_bytes(spec)), total);
    return sum(std::as_bytes(std::span(spec.dst.address)).first(address_bytes(spec)), total);
}

/// Where the checksum of a protocol is in its header; nothing where there is none of this kind (SCTP has a CRC32c,
/// which no rule looks at and no rewrite of ours changes: it stays zero).
std::optional<std::size_t> checksum_offset(std::uint8_t proto) {
    switch (proto) {
    case kProtoTcp:
        return 16;
    case kProtoUdp:
    case kProtoUdplite:
    case kProtoDccp:
        return 6;
    case kProtoIcmp:
    case kProtoIcmpv6:
        return 2;
    default:
        return std::nullopt;
    }
}

void put_l4_header(Bytes &frame, const PacketSpec &spec, std::size_t payload) {
    if (is_icmp(spec.proto)) {
        frame.u8(spec.type);
        frame.u8(spec.code);
        frame.zeros(6);
        return;
    }
    frame.u16(spec.sport.value_or(0));
    frame.u16(spec.dport.value_or(0));
    switch (spec.proto) {
    case kProtoTcp:
        frame.u32(1); // sequence number
        frame.u32(0);
        frame.u8(5 << 4);
        frame.u8(spec.flags);
        frame.u16(65535); // window
        frame.u32(0);
        break;
    case kProtoDccp:
        frame.u8(3); // data offset in words
        frame.zeros(7);
        break;
    case kProtoSctp:
        frame.zeros(8);
        break;
    default: // UDP; UDP-Lite has the coverage in place of the length, all of it
        frame.u16(static_cast<unsigned>(payload));
        frame.u16(0);
    }
}

void put_l4(Bytes &frame, const PacketSpec &spec, std::size_t payload) {
    const std::size_t start = frame.size(), header = l4_bytes(spec);
    if (header != 0)
        put_l4_header(frame, spec, payload);
    frame.zeros(payload - header);
    const std::optional<std::size_t> offset = checksum_offset(spec.proto);
    // The sum covers the whole datagram, which a first fragment is not.
    if (header == 0 || !offset || spec.first_fragment)
        return;
    const std::uint64_t pseudo = spec.proto == kProtoIcmp ? 0 : pseudo_header(spec, payload);
    std::uint16_t checksum = folded_complement(sum(frame.from(start), pseudo));
    if (checksum == 0 && (spec.proto == kProtoUdp || spec.proto == kProtoUdplite))
        checksum = 0xffff; // RFC 768: 0 means none
    frame.set16(start + *offset, checksum);
}

} // namespace

Result<std::vector<std::byte>> build_frame(const PacketSpec &spec) {
    const std::size_t tags = (spec.vlan ? 4 : 0) + (spec.inner_vlan ? 4 : 0);
    const bool fragment = spec.first_fragment || spec.later_fragment;
    const std::size_t ip = spec.src.v6 ? 40 + (fragment ? 8 : 0) : 20;
    const std::size_t headers = 14 + tags + ip + l4_bytes(spec);
    const std::size_t length = spec.length == 0 ? headers : spec.length;
    if (length < headers || length > kMaxJudgedFrame)
        return fail(Kind::usage, 0, fmt::format("a frame of {} bytes", length),
                    fmt::format("the headers of this packet alone are {} bytes, and {} are the most", headers,
                                kMaxJudgedFrame));
    const std::size_t payload = length - (14 + tags + ip);
    Bytes frame;
    put_ethernet(frame, spec);
    if (spec.src.v6)
        put_ipv6(frame, spec, payload);
    else
        put_ipv4(frame, spec, payload);
    put_l4(frame, spec, payload);
    return std::move(frame).take();
}

} // namespace beeline::edge
