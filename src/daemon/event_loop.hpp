// SPDX-License-Identifier: Apache-2.0
//
// The descriptors that the daemon waits for.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::daemon {

/// Descriptors that others hold: a log reader's, a network monitor's, the tender's of [local].
enum class Source : std::uint8_t { log, network, sockets };

/// SIGHUP, SIGTERM and SIGINT, a tick every second, and the sources.
class [[nodiscard]] EventLoop {
public:
    /// Blocks the signals in the calling thread and those it starts.
    [[nodiscard]] static Result<EventLoop> create();

    /// Also wakes when fd is readable, which takes the place of the one before; nothing: not any more.
    [[nodiscard]] Result<> watch(Source source, std::optional<int> fd);

    struct Wake {
        bool tick = false;
        bool reload = false;
        bool end = false;
        std::array<bool, 3> readable{}; ///< By Source.
        [[nodiscard]] bool from(Source source) const { return readable.at(static_cast<std::size_t>(source)); }
    };
    /// With a timeout it may wake for nothing.
    [[nodiscard]] Result<Wake> wait(std::optional<std::chrono::milliseconds> timeout);

private:
    EventLoop(kernel::UniqueFd epoll, kernel::UniqueFd signals, kernel::UniqueFd timer)
        : epoll_(std::move(epoll)), signals_(std::move(signals)), timer_(std::move(timer)) {}
    kernel::UniqueFd epoll_, signals_, timer_;
    std::array<std::optional<int>, 3> sources_;
};

} // namespace beeline::daemon
