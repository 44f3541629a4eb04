// SPDX-License-Identifier: Apache-2.0
//
// IANA's registries of protocol numbers, ethertypes, DSCPs, ICMP and ICMPv6 types and codes; what filters are about.
#include <beeline/policy/names.hpp>

#include <algorithm>

namespace beeline::policy {

namespace {

using rules::NamedNumber;

constexpr NamedNumber kProtocols[] = {
    {"icmp", 1},  {"igmp", 2},   {"ipip", 4},   {"tcp", 6},    {"udp", 17},      {"dccp", 33},  {"6in4", 41},
    {"rsvp", 46}, {"gre", 47},   {"esp", 50},   {"ah", 51},    {"icmpv6", 58},   {"eigrp", 88}, {"ospf", 89},
    {"pim", 103}, {"vrrp", 112}, {"l2tp", 115}, {"sctp", 132}, {"udplite", 136},
};

constexpr NamedNumber kEthertypes[] = {
    {"ip", 0x0800},    {"arp", 0x0806},   {"wol", 0x0842},  {"rarp", 0x8035},           {"vlan", 0x8100},
    {"ipv6", 0x86dd},  {"lacp", 0x8809},  {"mpls", 0x8847}, {"mpls-multicast", 0x8848}, {"pppoe-discovery", 0x8863},
    {"pppoe", 0x8864}, {"eapol", 0x888e}, {"qinq", 0x88a8}, {"lldp", 0x88cc},           {"macsec", 0x88e5},
    {"ptp", 0x88f7},
};

// RFC 2474, 2597, 3246, 5865, 8622.
constexpr NamedNumber kDscps[] = {
    {"cs0", 0},   {"le", 1},    {"cs1", 8},  {"af11", 10}, {"af12", 12}, {"af13", 14}, {"cs2", 16}, {"af21", 18},
    {"af22", 20}, {"af23", 22}, {"cs3", 24}, {"af31", 26}, {"af32", 28}, {"af33", 30}, {"cs4", 32}, {"af41", 34},
    {"af42", 36}, {"af43", 38}, {"cs5", 40}, {"va", 44},   {"ef", 46},   {"cs6", 48},  {"cs7", 56},
};

constexpr NamedNumber kTcpFlags[] = {
    {"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32}, {"ece", 64}, {"cwr", 128},
};

constexpr NamedNumber kIcmpTypes[] = {
    {"echo-reply", 0},          {"unreachable", 3},          {"source-quench", 4},        {"redirect", 5},
    {"echo-request", 8},        {"router-advertisement", 9}, {"router-solicitation", 10}, {"time-exceeded", 11},
    {"parameter-problem", 12},  {"timestamp-request", 13},   {"timestamp-reply", 14},     {"address-mask-request", 17},
    {"address-mask-reply", 18},
};

constexpr NamedNumber kIcmpv6Types[] = {
    {"unreachable", 1},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"parameter-problem", 4},
    {"echo-request", 128},
    {"echo-reply", 129},
    {"mld-query", 130},
    {"mld-report", 131},
    {"mld-done", 132},
    {"router-solicitation", 133},
    {"router-advertisement", 134},
    {"neighbour-solicitation", 135},
    {"neighbour-advertisement", 136},
    {"redirect", 137},
    {"mld2-report", 143},
    {"neighbor-solicitation", 135},
    {"neighbor-advertisement", 136},
};

constexpr NamedNumber kIcmpUnreachable[] = {
    {"net-unreachable", 0},  {"host-unreachable", 1},     {"protocol-unreachable", 2},
    {"port-unreachable", 3}, {"fragmentation-needed", 4}, {"source-route-failed", 5},
    {"net-prohibited", 9},   {"host-prohibited", 10},     {"admin-prohibited", 13},
};
constexpr NamedNumber kIcmpRedirect[] = {{"net-redirect", 0}, {"host-redirect", 1}};
constexpr NamedNumber kIcmpTimeExceeded[] = {{"ttl-exceeded", 0}, {"reassembly-timeout", 1}};

constexpr NamedNumber kIcmpv6Unreachable[] = {
    {"no-route", 0},         {"admin-prohibited", 1}, {"beyond-scope", 2}, {"address-unreachable", 3},
    {"port-unreachable", 4}, {"source-policy", 5},    {"reject-route", 6},
};
constexpr NamedNumber kIcmpv6TimeExceeded[] = {{"hop-limit-exceeded", 0}, {"reassembly-timeout", 1}};
constexpr NamedNumber kIcmpv6ParameterProblem[] = {{"bad-header", 0}, {"unknown-header", 1}, {"unknown-option", 2}};

} // namespace

std::span<const NamedNumber> protocols() {
    return kProtocols;
}

std::span<const NamedNumber> ethertypes() {
    return kEthertypes;
}

std::span<const NamedNumber> dscps() {
    return kDscps;
}

std::span<const NamedNumber> tcp_flags() {
    return kTcpFlags;
}

std::span<const NamedNumber> icmp_types(Family family) {
    if (family == Family::v4)
        return kIcmpTypes;
    return kIcmpv6Types;
}

std::span<const NamedNumber> icmp_codes(Family family, std::uint8_t type) {
    if (family == Family::v4)
        switch (type) {
        case 3:
            return kIcmpUnreachable;
        case 5:
            return kIcmpRedirect;
        case 11:
            return kIcmpTimeExceeded;
        default:
            return {};
        }
    switch (type) {
    case 1:
        return kIcmpv6Unreachable;
    case 3:
        return kIcmpv6TimeExceeded;
    case 4:
        return kIcmpv6ParameterProblem;
    default:
        return {};
    }
}

std::string name_or_number(std::span<const NamedNumber> names, std::uint64_t number) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const NamedNumber &n) { return n.number == number; });
    return found == names.end() ? std::to_string(number) : std::string(found->name);
}

} // namespace beeline::policy
