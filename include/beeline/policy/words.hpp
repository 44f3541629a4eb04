// SPDX-License-Identifier: Apache-2.0
//
// The words that judge packets and connections. A part makes its vocabulary of those that it wants: their meaning is
// one for all parts, found by their numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <beeline/rules/vocabulary.hpp>

namespace beeline::policy {

// clang-format off
namespace word {
enum : std::uint16_t {
    ip, ipv6, arp, proto, src, dst, sport, dport, flags, type, code, ethertype, vlan, inner_vlan, mac_src, mac_dst,
    ttl, dscp, length, fragment, options, malformed, device, in, out, cgroup, process, user,
    protocol = 256, ///< protocol + n: the name of protocol n alone (`tcp`).
};
} // namespace word

namespace action {
enum : std::uint16_t { pass, drop, abort, tx, redirect, cpu, xsk, log, rewrite, accelerate, tcp };
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

/// Highest user id that somebody can have: the next one means "none" to the kernel.
inline constexpr std::uint32_t kMaxUser = 0xfffffffe;

/// All matches there are; MatchWord::id is of word. A part leaves out what it cannot ask.
[[nodiscard]] std::vector<rules::MatchWord> match_words();
/// A value within limits, by number or by one of names.
[[nodiscard]] constexpr rules::ValueSpec number_spec(std::string_view expected, rules::Interval limits,
                                                     std::span<const rules::NamedNumber> names = {}) {
    return {.kind = rules::ValueKind::number, .expected = expected, .limits = limits, .names = names};
}

} // namespace beeline::policy
