// SPDX-License-Identifier: Apache-2.0
//
// The process that undoes `up --confirm` when nobody confirms: it must not depend on the shell, the SSH connection or
// the daemon that may be gone by then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::cli {

class [[nodiscard]] Guard {
public:
    /// Starts the process, before the change is made: a change that cannot be guarded must not happen. Call it in a
    /// process with one thread.
    [[nodiscard]] static Result<Guard> start(const std::string &pins, std::chrono::seconds wait);
    /// The change is made: from now on it has `wait` to be confirmed.
    [[nodiscard]] Result<> arm(std::uint32_t generation);
    /// The change was not made: the guard ends. When neither is said because this process is killed, the guard looks
    /// for itself whether a change waits for a confirmation.
    void dismiss();

private:
    explicit Guard(kernel::UniqueFd pipe) : pipe_(std::move(pipe)) {}
    kernel::UniqueFd pipe_;
};

} // namespace beeline::cli
