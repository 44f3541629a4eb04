// SPDX-License-Identifier: Apache-2.0
#include "lab/frame_check.hpp"

#include <fmt/format.h>

namespace beeline::lab {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kQinq = 0x88a8;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuth = 51, kDestination = 60;

using Bytes = std::span<const std::byte>;

std::uint8_t u8(Bytes b, std::size_t at) {
    return std::to_integer<std::uint8_t>(b[at]);
}
std::uint16_t u16(Bytes b, std::size_t at) {
    return static_cast<std::uint16_t>(u8(b, at) << 8 | u8(b, at + 1));
}

/// addresses: source and destination, 8 or 32 bytes. The sum of an intact packet, its own field included, is 0xffff.
Sum check_l4(Bytes addresses, std::uint8_t protocol, Bytes l4) {
    const bool v4 = addresses.size() == 8;
    std::size_t field = 0;
    switch (protocol) {
    case kTcp:
        field = 16;
        break;
    case kUdp:
        field = 6;
        break;
    case kIcmp:
    case kIcmp6:
        field = 2;
        break;
    default:
        return Sum::absent;
    }
    const std::uint16_t stored = u16(l4, field);
    if (protocol == kUdp && stored == 0)
        return v4 ? Sum::absent : Sum::bad; // RFC 8200 8.1: no zero checksum over IPv6.
    // The pseudo-header (RFC 9293 3.1, RFC 8200 8.1); ICMP of IPv4 has none.
    std::uint32_t pseudo = 0;
    if (protocol != kIcmp)
        pseudo = sum_words(addresses, static_cast<std::uint32_t>(protocol + l4.size()));
    if (sum_words(l4, pseudo) == 0xffff)
        return Sum::good;
    return protocol != kIcmp && stored == pseudo ? Sum::partial : Sum::bad;
}

FrameSums check_transport(FrameSums sums, Bytes addresses, std::uint8_t protocol, Bytes l4) {
    sums.protocol = protocol;
    const std::size_t least = protocol == kTcp ? 20 : protocol == kUdp ? 8 : 4;
    if (l4.size() < least) {
        sums.malformed = true;
        return sums;
    }
    if (protocol == kUdp) {
        const std::size_t length = u16(l4, 4);
        if (length < least || length > l4.size()) {
            sums.malformed = true;
            return sums;
        }
        l4 = l4.first(length);
    }
    sums.l4 = check_l4(addresses, protocol, l4);
    return sums;
}

FrameSums check_ipv4(Bytes ip) {
    FrameSums sums;
    const std::size_t header = ip.empty() ? 0 : (u8(ip, 0) & 15) * 4u;
    if (ip.size() < 20 || header < 20 || ip.size() < header || u16(ip, 2) < header || ip.size() < u16(ip, 2)) {
        sums.malformed = true;
        return sums;
    }
    sums.ip = sum_words(ip.first(header)) == 0xffff ? Sum::good : Sum::bad;
    if (u16(ip, 6) & 0x3fff) // More fragments, or an offset: the sum covers the whole datagram.
        return sums;
    return check_transport(sums, ip.subspan(12, 8), u8(ip, 9), ip.first(u16(ip, 2)).subspan(header));
}

FrameSums check_ipv6(Bytes ip) {
    FrameSums sums;
    if (ip.size() < 40 || ip.size() < 40u + u16(ip, 4)) {
        sums.malformed = true;
        return sums;
    }
    std::uint8_t next = u8(ip, 6);
    Bytes rest = ip.subspan(40, u16(ip, 4));
    while (next == kHopByHop || next == kRouting || next == kFragment || next == kAuth || next == kDestination) {
        const std::size_t length = rest.size() < 8     ? 0
                                   : next == kFragment ? 8
                                   : next == kAuth     ? (u8(rest, 1) + 2) * 4u
                                                       : (u8(rest, 1) + 1) * 8u;
        if (length == 0 || rest.size() < length) {
            sums.malformed = true;
            return sums;
        }
        if (next == kFragment && (u16(rest, 2) & 0xfff9) != 0)
            return sums;
        next = u8(rest, 0);
        rest = rest.subspan(length);
    }
    return check_transport(sums, ip.subspan(8, 32), next, rest);
}

} // namespace

std::uint16_t sum_words(std::span<const std::byte> bytes, std::uint32_t start) {
    std::uint64_t sum = start;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2)
        sum += u16(bytes, at);
    if (bytes.size() % 2 != 0)
        sum += static_cast<std::uint64_t>(u8(bytes, bytes.size() - 1)) << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

FrameSums check_frame(std::span<const std::byte> frame) {
    std::size_t at = 12;
    for (int tags = 0; tags < 2 && frame.size() >= at + 6 && (u16(frame, at) == kVlan || u16(frame, at) == kQinq);
         ++tags)
        at += 4;
    if (frame.size() < at + 2)
        return {.malformed = true};
    switch (u16(frame, at)) {
    case kIpv4:
        return check_ipv4(frame.subspan(at + 2));
    case kIpv6:
        return check_ipv6(frame.subspan(at + 2));
    default:
        return {};
    }
}

void SumTotals::add(const FrameSums &sums) {
    ++frames;
    if (sums.l4 != Sum::absent) {
        tcp += sums.protocol == kTcp;
        udp += sums.protocol == kUdp;
        icmp += sums.protocol == kIcmp || sums.protocol == kIcmp6;
    }
    malformed += sums.malformed;
    partial += sums.l4 == Sum::partial;
    bad += sums.ip == Sum::bad || sums.l4 == Sum::bad;
}

std::string SumTotals::text() const {
    return fmt::format("{} frames: {} TCP, {} UDP, {} ICMP checked, {} bad", frames, tcp, udp, icmp,
                       bad + partial + malformed);
}

} // namespace beeline::lab
