// SPDX-License-Identifier: Apache-2.0
//
// Two processes that talk to each other over a connection, as event loops do: epoll and non-blocking sockets.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::lab {

struct Talk {
    enum class Kind : std::uint8_t {
        ping_pong, ///< `bytes` there and back.
        stream,    ///< Writes of `bytes`, reads of 64 KiB.
        flood,     ///< Writes of `bytes` that nobody reads, until no more are taken for a while.
    };
    Kind kind = Kind::ping_pong;
    std::size_t bytes = 64;
    std::chrono::milliseconds time{200};
    std::array<int, 2> cpus{}; ///< Of the client and of the server.
};

struct Heard {
    double figure = 0;       ///< The median round trip in us; MB/s; KiB that were taken.
    std::uint64_t bytes = 0; ///< By both ends, as far as `figure` is about them.
};

/// The figures are taken while only the two ends run; what is looked at between the steps costs them nothing.
class [[nodiscard]] TwoEnds {
public:
    /// fds: the client's and the server's.
    [[nodiscard]] static Result<TwoEnds> start(std::array<kernel::UniqueFd, 2> fds, const Talk &talk);
    TwoEnds(TwoEnds &&) noexcept;
    TwoEnds &operator=(TwoEnds &&) = delete;
    ~TwoEnds(); ///< Ends the processes.

    /// Requests and answers until ready() says true, for 3 s at the most and some hundred at least.
    [[nodiscard]] Result<> warm_up(const std::function<Result<bool>()> &ready);
    [[nodiscard]] Result<Heard> talk();
    /// Another MiB, or what the flood has left, in writes of the same size: every byte is compared.
    [[nodiscard]] Result<> check();

private:
    struct State;
    explicit TwoEnds(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::lab
