// SPDX-License-Identifier: Apache-2.0
//
// Guests as people read them, and what their view has in common with the edge's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <beeline/guest/guest.hpp>

#include "cli/output.hpp"

namespace beeline::cli {

/// "2026-01-31 12:00:00", in the time zone of whoever asks.
[[nodiscard]] std::string local_time(std::chrono::system_clock::time_point time);
/// Counters that are not zero, or all of them.
void print_odd(Output &out, const std::vector<std::pair<std::string, std::uint64_t>> &odd, bool all);

void print_guests(Output &out, const guest::Status &status, bool all);
/// One line for each guest.
void print_guest_table(Output &out, const std::vector<guest::GuestStatus> &guests);
/// All there is to say about one.
void print_guest(Output &out, const guest::GuestStatus &guest);

} // namespace beeline::cli
