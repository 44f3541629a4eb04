// SPDX-License-Identifier: Apache-2.0
//
// The descriptors that the daemon waits for.
#pragma once

#include <optional>
#include <vector>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::daemon {

/// SIGHUP, SIGTERM and SIGINT, a tick every second, a log reader and a network monitor.
class [[nodiscard]] EventLoop {
public:
    /// Blocks the signals in the calling thread and those it starts.
    [[nodiscard]] static Result<EventLoop> create();

    /// Also wakes when fd (of a log reader) is readable; nothing: not any more.
    [[nodiscard]] Result<> watch(std::optional<int> fd);

    /// Also wakes when fd (of a network monitor) is readable. It must stay open.
    [[nodiscard]] Result<> watch_network(int fd);

    struct Wake {
        bool tick = false;
        bool reload = false;
        bool end = false;
        bool readable = false; ///< The watched descriptor.
        bool network = false;  ///< The network monitor.
    };
    [[nodiscard]] Result<Wake> wait();

private:
    EventLoop(kernel::UniqueFd epoll, kernel::UniqueFd signals, kernel::UniqueFd timer)
        : epoll_(std::move(epoll)), signals_(std::move(signals)), timer_(std::move(timer)) {}
    kernel::UniqueFd epoll_, signals_, timer_;
    std::optional<int> watched_;
    int network_ = -1;
};

} // namespace beeline::daemon
