// SPDX-License-Identifier: Apache-2.0
#include <harness/packet_sum.hpp>

namespace beeline::harness {

namespace {

using View = std::span<const std::byte>;

std::uint32_t at(View bytes, std::size_t i) {
    return std::to_integer<std::uint32_t>(bytes[i]);
}

std::uint32_t at16(View bytes, std::size_t i) {
    return at(bytes, i) << 8 | at(bytes, i + 1);
}

void add(std::string &list, const char *name) {
    list += list.empty() ? name : std::string(" ") + name;
}

/// l4 is the whole segment, addresses the two addresses of the header before it.
void look_at_l4(View addresses, std::uint8_t proto, View l4, std::string &wrong) {
    auto sums_up = [&](View segment) {
        return ones_sum(segment, pseudo_sum(addresses, proto, segment.size())) == 0xffff;
    };
    if (proto == 6 && l4.size() >= 20 && !sums_up(l4))
        add(wrong, "tcp");
    if (proto == 58 && addresses.size() == 32 && l4.size() >= 4 && !sums_up(l4))
        add(wrong, "icmpv6");
    if (proto == 1 && addresses.size() == 8 && l4.size() >= 4 && ones_sum(l4) != 0xffff)
        add(wrong, "icmp");
    if (proto == 33 && l4.size() >= 12 && (at(l4, 5) & 0x0f) == 0 && !sums_up(l4))
        add(wrong, "dccp");
    if (proto == 132 && l4.size() >= 12) {
        std::string zeroed(reinterpret_cast<const char *>(l4.data()), l4.size());
        zeroed.replace(8, 4, 4, '\0');
        if (crc32c(std::as_bytes(std::span(zeroed))) != (at16(l4, 8) << 16 | at16(l4, 10)))
            add(wrong, "sctp");
    }
    if (proto == 17 && l4.size() >= 8) {
        const std::size_t length = at16(l4, 4);
        if (at16(l4, 6) == 0 && addresses.size() == 8)
            return;
        if (at16(l4, 6) == 0 || length < 8 || length > l4.size() || !sums_up(l4.first(length)))
            add(wrong, "udp");
    }
    if (proto == 136 && l4.size() >= 8) {
        const std::size_t said = at16(l4, 4), coverage = said == 0 ? l4.size() : said;
        if (at16(l4, 6) == 0 || coverage < 8 || coverage > l4.size() ||
            ones_sum(l4.first(coverage), pseudo_sum(addresses, proto, l4.size())) != 0xffff)
            add(wrong, "udplite");
    }
}

void look_at_ipv4(View packet, std::string &wrong) {
    const std::size_t header = packet.size() < 20 ? 0 : (at(packet, 0) & 15) * 4;
    if (header < 20 || header > packet.size())
        return;
    if (ones_sum(packet.first(header)) != 0xffff)
        add(wrong, "ipv4");
    const std::size_t total = at16(packet, 2);
    if (total < header || total > packet.size() || (at16(packet, 6) & 0x3fff) != 0)
        return;
    look_at_l4(packet.subspan(12, 8), static_cast<std::uint8_t>(at(packet, 9)), packet.first(total).subspan(header),
               wrong);
}

void look_at_ipv6(View packet, std::string &wrong) {
    if (packet.size() < 40 || at16(packet, 4) + 40u > packet.size())
        return;
    View rest = packet.first(40 + at16(packet, 4)).subspan(40);
    auto proto = static_cast<std::uint8_t>(at(packet, 6));
    while (proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60 || proto == 135 || proto == 139 ||
           proto == 140) {
        if (rest.size() < 8)
            return;
        if (proto == 44 && (at16(rest, 2) & 0xfff9) != 0)
            return;
        const std::size_t n = at(rest, 1), size = proto == 44 ? 8 : proto == 51 ? (n + 2) * 4 : (n + 1) * 8;
        if (size > rest.size())
            return;
        proto = static_cast<std::uint8_t>(at(rest, 0));
        rest = rest.subspan(size);
    }
    look_at_l4(packet.subspan(8, 32), proto, rest, wrong);
}

} // namespace

std::uint16_t ones_sum(View bytes, std::uint32_t start) {
    std::uint64_t sum = start;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += at(bytes, i) << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t pseudo_sum(View addresses, std::uint8_t proto, std::size_t length) {
    std::uint64_t sum = ones_sum(addresses) + proto + (length >> 16) + (length & 0xffff);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint32_t crc32c(View bytes) {
    std::uint32_t crc = ~0u;
    for (std::byte b : bytes) {
        crc ^= std::to_integer<std::uint32_t>(b);
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return __builtin_bswap32(~crc); // sent low byte first
}

std::string wrong_checksums(View frame) {
    std::string wrong;
    std::size_t type_at = 12;
    while (frame.size() >= type_at + 2 && (at16(frame, type_at) == 0x8100 || at16(frame, type_at) == 0x88a8))
        type_at += 4;
    if (frame.size() < type_at + 2)
        return wrong;
    const View packet = frame.subspan(type_at + 2);
    if (at16(frame, type_at) == 0x0800)
        look_at_ipv4(packet, wrong);
    if (at16(frame, type_at) == 0x86dd)
        look_at_ipv6(packet, wrong);
    return wrong;
}

} // namespace beeline::harness
