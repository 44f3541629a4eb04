// SPDX-License-Identifier: Apache-2.0
//
// Numbers on the wire that the packet language, the builder and the describer share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <beeline/rules/values.hpp>

namespace beeline::edge {

inline constexpr std::uint16_t kEthIpv4 = 0x0800, kEthArp = 0x0806, kEthIpv6 = 0x86dd;
inline constexpr std::uint16_t kEthVlan = 0x8100, kEthService = 0x88a8;

inline constexpr std::uint8_t kProtoIcmp = 1, kProtoTcp = 6, kProtoUdp = 17, kProtoDccp = 33, kProtoFragment = 44,
                              kProtoIcmpv6 = 58, kProtoSctp = 132, kProtoUdplite = 136;

/// IANA's numbers, RFC 9293 3.1 for the flags.
inline constexpr std::array<rules::NamedNumber, 16> kProtocols = {{
    {"icmp", 1},
    {"igmp", 2},
    {"ipip", 4},
    {"tcp", 6},
    {"udp", 17},
    {"dccp", 33},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"icmpv6", 58},
    {"ospf", 89},
    {"pim", 103},
    {"vrrp", 112},
    {"l2tp", 115},
    {"sctp", 132},
    {"udplite", 136},
}};
inline constexpr std::array<rules::NamedNumber, 8> kTcpFlags = {
    {{"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32}, {"ece", 64}, {"cwr", 128}}};

/// Ports stand in the first four bytes of the L4 header.
constexpr bool has_ports(std::uint8_t proto) {
    return proto == kProtoTcp || proto == kProtoUdp || proto == kProtoUdplite || proto == kProtoSctp ||
           proto == kProtoDccp;
}
constexpr bool is_icmp(std::uint8_t proto) {
    return proto == kProtoIcmp || proto == kProtoIcmpv6;
}

} // namespace beeline::edge
