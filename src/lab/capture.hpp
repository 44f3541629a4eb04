// SPDX-License-Identifier: Apache-2.0
//
// What a device really receives, and whether its checksums are right: a packet socket, read in a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "lab/frame_check.hpp"
#include "lab/lab.hpp"

namespace beeline::lab {

/// What a capture found.
struct Captured {
    SumTotals sums;               ///< Of the frames that the device received, not of those it sent.
    std::uint64_t unfinished = 0; ///< The kernel says itself that the checksum is still to be computed (partial).
    std::uint64_t lost = 0;       ///< The socket was full: not looked at.
};

/// Checks every IPv4 and IPv6 frame that comes in on a device. A sender's own device shows partial checksums, so
/// listen where frames must be complete: at the receiver behind XDP_TX or a redirect.
class [[nodiscard]] Capture {
public:
    [[nodiscard]] static Result<std::unique_ptr<Capture>> start(const Node &node, const std::string &device);
    Capture(const Capture &) = delete;
    Capture &operator=(const Capture &) = delete;
    ~Capture();

    /// Ends the capture when the device has been silent for 50 ms (1 s at most).
    [[nodiscard]] Captured stop();

private:
    Capture() = default;
    void listen();
    void look_at(std::span<const std::byte> frame, std::uint32_t status);

    kernel::UniqueFd socket_;
    Captured found_; ///< The thread's, until it has been joined.
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace beeline::lab
