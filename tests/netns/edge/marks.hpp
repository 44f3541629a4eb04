// SPDX-License-Identifier: Apache-2.0
//
// Two policies that disagree on every packet, each by two changes: whoever has one mark and not the other was judged by
// a mixture.
#pragma once

#include <cstdint>
#include <string>

#include "host.hpp"
#include "wire.hpp"

namespace beeline::edge {

enum class Mark : std::uint8_t { none, a, b, mixed, lost };
[[nodiscard]] std::string name(Mark mark);

inline constexpr std::uint8_t kTtlOfA = 11, kDscpOfA = 12, kTtlOfB = 21, kDscpOfB = 22;

/// Marks UDP to port 7; the two have different numbers of rules, and what marks in one drops in the other would it be
/// taken for a rule of the other.
[[nodiscard]] Text marking_a(std::vector<std::string> devices);
[[nodiscard]] Text marking_b(std::vector<std::string> devices);
/// The rule that marks.
[[nodiscard]] const std::string &rule_of_a();
[[nodiscard]] const std::string &rule_of_b();

/// Sends one packet from a device to the one behind the edge, and reads its mark there.
[[nodiscard]] Mark probe(const Wire &from, const Wire &to);

} // namespace beeline::edge
