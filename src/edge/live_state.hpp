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
[[nodiscard]] Result<std::optional<State>> live_state(const kernel::PinDir &pins);
/// The same, where an edge must be up.
[[nodiscard]] Result<State> need_state(const kernel::PinDir &pins);
/// The record as it stands, without a lock and without mending anything: for those who only look.
[[nodiscard]] Result<State> look(const std::filesystem::path &pins);

} // namespace beeline::edge
