// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the edge's words, between its vocabulary and what gives them meaning.
#pragma once

#include <cstdint>

namespace beeline::edge {

// clang-format off
namespace word {
enum : std::uint16_t {
    ip, ipv6, arp, proto, src, dst, sport, dport, flags, type, code, ethertype, vlan, inner_vlan, mac_src, mac_dst,
    ttl, dscp, length, fragment, options, malformed, device,
    protocol = 256, ///< protocol + n: the name of protocol n alone (`tcp`).
};
} // namespace word

namespace action {
enum : std::uint16_t { pass, drop, abort, tx, redirect, cpu, xsk, log, rewrite };
} // namespace action

namespace parameter {
enum : std::uint16_t { target, every, src, dst, sport, dport, dscp, ttl, mac_src, mac_dst };
} // namespace parameter
// clang-format on

// Values of `vlan any`, `vlan none`: beyond all ids.
inline constexpr std::uint64_t kVlanAny = 4096;
inline constexpr std::uint64_t kVlanNone = 4097;

// Values of `fragment first|later|none`, `options none`, `malformed none`.
inline constexpr std::uint64_t kNone = 0;
inline constexpr std::uint64_t kFirst = 1;
inline constexpr std::uint64_t kLater = 2;

} // namespace beeline::edge
