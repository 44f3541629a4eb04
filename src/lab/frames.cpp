// SPDX-License-Identifier: Apache-2.0
#include "lab/frames.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "lab/frame_check.hpp"

namespace beeline::lab {
namespace {

constexpr std::size_t kEthernet = 14, kIpv4 = 20, kIpv6 = 40, kUdp = 8;
constexpr std::uint8_t kProtocolUdp = 17, kTtl = 64;

using Bytes = std::span<std::byte>;

void put16(Bytes at, std::size_t offset, std::size_t value) {
    at[offset] = static_cast<std::byte>(value >> 8);
    at[offset + 1] = static_cast<std::byte>(value);
}

void put(Bytes at, std::size_t offset, std::span<const std::uint8_t> values) {
    std::ranges::transform(values, at.begin() + static_cast<std::ptrdiff_t>(offset),
                           [](std::uint8_t v) { return static_cast<std::byte>(v); });
}

/// The field's own bytes are zero in there.
std::uint16_t checksum(std::span<const std::byte> bytes, std::uint32_t start = 0) {
    return static_cast<std::uint16_t>(~sum_words(bytes, start));
}

void put_ipv4(Bytes ip, const kernel::IpAddress &source, const kernel::IpAddress &destination) {
    ip[0] = std::byte{0x45};
    put16(ip, 2, ip.size());
    ip[8] = std::byte{kTtl};
    ip[9] = std::byte{kProtocolUdp};
    put(ip, 12, std::span(source.bytes).first(4));
    put(ip, 16, std::span(destination.bytes).first(4));
    put16(ip, 10, checksum(ip.first(kIpv4)));
}

void put_ipv6(Bytes ip, const kernel::IpAddress &source, const kernel::IpAddress &destination) {
    ip[0] = std::byte{0x60};
    put16(ip, 4, ip.size() - kIpv6);
    ip[6] = std::byte{kProtocolUdp};
    ip[7] = std::byte{kTtl};
    put(ip, 8, source.bytes);
    put(ip, 24, destination.bytes);
}

} // namespace

Result<std::vector<std::byte>> build(const UdpFrame &wanted) {
    BL_TRY(const auto source, kernel::IpAddress::parse(wanted.source));
    BL_TRY(const auto destination, kernel::IpAddress::parse(wanted.destination));
    if (source.v6 != destination.v6)
        return fail(Kind::usage, EINVAL, fmt::format("a frame {} -> {}", wanted.source, wanted.destination),
                    "take both addresses from one family");
    const std::size_t ip_header = source.v6 ? kIpv6 : kIpv4;
    std::vector<std::byte> frame(std::max(wanted.bytes, kEthernet + ip_header + kUdp));
    const Bytes all(frame), ip = all.subspan(kEthernet), udp = ip.subspan(ip_header);
    put(all, 0, wanted.to);
    put(all, 6, wanted.from);
    put16(all, 12, source.v6 ? 0x86dd : 0x0800);
    source.v6 ? put_ipv6(ip, source, destination) : put_ipv4(ip, source, destination);

    put16(udp, 0, wanted.source_port);
    put16(udp, 2, wanted.destination_port);
    put16(udp, 4, udp.size());
    if (wanted.udp_checksum || source.v6) {
        const auto addresses = source.v6 ? ip.subspan(8, 32) : ip.subspan(12, 8);
        const std::uint16_t pseudo = sum_words(addresses, static_cast<std::uint32_t>(kProtocolUdp + udp.size()));
        const std::uint16_t sum = checksum(udp, pseudo);
        put16(udp, 6, sum != 0 ? sum : 0xffff); // RFC 768: 0 means none.
    }
    return frame;
}

} // namespace beeline::lab
