// SPDX-License-Identifier: Apache-2.0
//
// The names that stand for numbers in rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <beeline/policy/rule.hpp>
#include <beeline/rules/values.hpp>

namespace beeline::policy {

[[nodiscard]] std::span<const rules::NamedNumber> protocols();  ///< IP protocols; each also is a match of its own.
[[nodiscard]] std::span<const rules::NamedNumber> ethertypes(); //
[[nodiscard]] std::span<const rules::NamedNumber> dscps();      ///< ef, af11, cs0...
[[nodiscard]] std::span<const rules::NamedNumber> tcp_flags();  ///< Bits of byte 13 of the TCP header.
[[nodiscard]] std::span<const rules::NamedNumber> icmp_types(Family family);
/// Codes of one ICMP or ICMPv6 type; empty when it has no named ones.
[[nodiscard]] std::span<const rules::NamedNumber> icmp_codes(Family family, std::uint8_t type);

/// The first name of a number; the number as text when there is none.
[[nodiscard]] std::string name_or_number(std::span<const rules::NamedNumber> names, std::uint64_t number);

} // namespace beeline::policy
