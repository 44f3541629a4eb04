// SPDX-License-Identifier: Apache-2.0
//
// What the processes of TwoEnds do. They share a Board with the one that made them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lab/two_ends.hpp"

namespace beeline::lab {

inline constexpr std::size_t kSamples = 1 << 17;
inline constexpr std::size_t kPattern = 1 << 20;

/// In shared memory.
struct Board {
    /// The steps of both ends; each waits for the leave to begin the next one, and says what it has finished.
    enum Step : std::uint32_t { none, warm, talked, checked };
    std::atomic<std::uint32_t> leave = none;
    std::array<std::atomic<std::uint32_t>, 2> finished{};
    std::atomic<std::uint64_t> round_trips = 0; ///< While warming up.
    std::atomic<std::uint64_t> total = 0;       ///< Bytes of the stream, once they are known.
    std::atomic<std::uint32_t> damaged = 0;
    double began = 0, ended = 0; ///< CLOCK_MONOTONIC, seconds.
    std::uint32_t samples = 0;
    std::array<float, kSamples> round_trip_us{};
    std::array<std::byte, kPattern> pattern{}; ///< What is sent, again and again.
};

/// Never returns. Any error ends the process with a status that is not 0.
[[noreturn]] void work(int fd, bool client, const Talk &talk, Board &board);

} // namespace beeline::lab
