// SPDX-License-Identifier: Apache-2.0
//
// What the devices run. The slot, index 0 of the program array, always holds the live policy: one write to it changes
// the policy of all devices, as they run edge_root, which jumps through it. The device of a generation that has just
// one runs the policy itself between changes: that saves the jump, and one link is swapped by one write too.
#pragma once

#include <cstdint>
#include <filesystem>

#include <beeline/edge/program.hpp>
#include <beeline/result.hpp>

#include "edge/state.hpp"

namespace beeline::edge {

[[nodiscard]] Result<> put_in_slot(int progs_fd, int prog_fd);
/// Id of the program in the slot; 0: empty.
[[nodiscard]] Result<std::uint32_t> slot_id(int progs_fd);

/// The generation pinned in live jumps through the slot, as it must while the slot changes.
[[nodiscard]] Result<> use_slot(const std::filesystem::path &live, const State &state, const Kept &kept);
/// It runs as it should between changes.
[[nodiscard]] Result<> settle(const std::filesystem::path &live, const State &state, const Kept &kept,
                              const Program &program);

} // namespace beeline::edge
