// SPDX-License-Identifier: Apache-2.0
//
// Both directions of one end in an event loop, where every byte is checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <netns/local/stream.hpp>

namespace beeline::conformance {

/// 1 B to 1 MiB, each magnitude as often as the others.
[[nodiscard]] std::size_t random_size(std::mt19937_64 &random);

/// What an end still has to send and to read.
struct Flow {
    static constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

    int fd;
    Stream sending, reading;
    std::mt19937_64 random;
    std::uint64_t to_send = kNoEnd, to_read = kNoEnd;
    std::string failure = {}; ///< Of a call, when it says anything but that there is nothing to do.

    [[nodiscard]] bool sends() const { return failure.empty() && sending.position() < to_send; }
    [[nodiscard]] bool reads() const { return failure.empty() && reading.position() < to_read; }
    [[nodiscard]] bool complete() const { return failure.empty() && !sends() && !reads(); }
    void write();
    void read(std::vector<char> &buffer);
};

/// One round of all that is ready. False when there is nothing more to do, or nothing was ready for so long.
[[nodiscard]] bool pump(std::vector<Flow> &flows, std::chrono::milliseconds patience);

} // namespace beeline::conformance
