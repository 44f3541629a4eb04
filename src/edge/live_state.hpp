// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <beeline/kernel/pin_dir.hpp>

#include "edge/state.hpp"

namespace beeline::edge {

/// How long a command waits for another one to finish.
inline constexpr std::chrono::seconds kLockWait{5};

/// Inode of the calling thread's network namespace.
[[nodiscard]] Result<std::uint64_t> this_netns();

/// What is live, after finishing what somebody who died left half done; nothing when no edge is up. An edge of another
/// network namespace is a conflict.
[[nodiscard]] Result<std::optional<State>> live_state(kernel::PinDir &pins);
/// The same, where an edge must be up.
[[nodiscard]] Result<State> need_state(kernel::PinDir &pins);
/// The lock on the pins, where an edge must be up: nothing is made where there is none.
[[nodiscard]] Result<kernel::PinDir> lock_live(const std::filesystem::path &pins);
/// Removes the directory unless somebody has something in it.
[[nodiscard]] Result<> remove_unused(kernel::PinDir pins);
/// Kind::conflict when this edge is that of another network namespace.
[[nodiscard]] Result<> check_netns(const State &state, const std::filesystem::path &pins);
/// The record as it stands, without a lock and without mending anything: for those who only look.
[[nodiscard]] Result<State> look(const std::filesystem::path &pins);

} // namespace beeline::edge
