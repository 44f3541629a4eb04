// SPDX-License-Identifier: Apache-2.0
//
// Telling a program once more that there is something to read.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace beeline::local {

/// Makes the process's socket of that inode readable anew for its edge-triggered epolls, if bytes sent by TCP are in
/// it. False when the process or the socket has gone.
bool wake_reader(pid_t pid, std::uint64_t inode);

} // namespace beeline::local
