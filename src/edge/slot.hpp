// SPDX-License-Identifier: Apache-2.0
//
// The slot that all devices jump through: index 0 of the program array.
#pragma once

#include <cstdint>

#include <beeline/result.hpp>

namespace beeline::edge {

[[nodiscard]] Result<> put_in_slot(int progs_fd, int prog_fd);
/// Id of the program in the slot; 0: empty.
[[nodiscard]] Result<std::uint32_t> slot_id(int progs_fd);

} // namespace beeline::edge
