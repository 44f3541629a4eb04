// SPDX-License-Identifier: Apache-2.0
//
// Cleaning up when the user presses Ctrl-C.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::lab {

/// While this lives, SIGINT, SIGTERM and SIGHUP run clean_up in a thread of its own, whatever the other threads do,
/// and end the process with status 128 + signal. The calling thread and those it starts have the signals blocked.
class [[nodiscard]] OnInterrupt {
public:
    [[nodiscard]] static Result<std::unique_ptr<OnInterrupt>> arm(std::function<void()> clean_up);
    OnInterrupt(const OnInterrupt &) = delete;
    OnInterrupt &operator=(const OnInterrupt &) = delete;
    ~OnInterrupt();

private:
    OnInterrupt() = default;
    void watch();

    std::function<void()> clean_up_;
    kernel::UniqueFd signals_; ///< signalfd
    kernel::UniqueFd end_;     ///< eventfd: the thread may go.
    sigset_t before_{};
    std::thread thread_;
};

} // namespace beeline::lab
