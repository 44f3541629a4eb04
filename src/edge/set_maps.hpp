// SPDX-License-Identifier: Apache-2.0
//
// The live sets: what is in their maps.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/program.hpp>

#include "edge/state.hpp"

namespace beeline::edge {

/// Copies what was added at run time into the sets of the same name and type of a new program.
[[nodiscard]] Result<> carry_runtime_entries(const State &before, const Program &old, const Tables &tables,
                                             const Program &program);

/// Writes, deletes and lists entries; entry is the text of one.
[[nodiscard]] Result<> add_entry(const State::SetPlace &set, const Program &program, const std::string &entry,
                                 std::optional<std::chrono::seconds> lifetime);
[[nodiscard]] Result<bool> del_entry(const State::SetPlace &set, const Program &program, const std::string &entry);
[[nodiscard]] Result<std::vector<SetEntry>> list_entries(const State::SetPlace &set, const Program &program);
[[nodiscard]] Result<std::uint64_t> count_entries(const State::SetPlace &set, const Program &program);
/// Deletes what is past its time. Looks only into sets that were ever given an entry with an end.
[[nodiscard]] Result<std::uint64_t> sweep_entries(const State &state, const Program &program);

} // namespace beeline::edge
