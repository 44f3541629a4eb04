// SPDX-License-Identifier: Apache-2.0
//
// An AF_XDP socket by system calls alone: what a program of somebody else puts into the edge's map.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <beeline/edge/edge.hpp>
#include <harness/packet.hpp>

#include "lab/lab.hpp"

namespace beeline::edge {

/// Receives in copy mode from one queue of one device. Closing it is destroying it.
class [[nodiscard]] RawXsk {
public:
    [[nodiscard]] static Result<RawXsk> open(const lab::Node &node, const std::string &device, std::uint32_t queue = 0);
    RawXsk(RawXsk &&) noexcept;
    RawXsk &operator=(RawXsk &&) noexcept;
    ~RawXsk();

    /// Puts the socket into the map that `xsk NAME` asks, at the place of its queue.
    [[nodiscard]] Result<> join(const XskStatus &place) const;
    /// The next frame in the receive ring, waiting for it; nothing when none came in time.
    [[nodiscard]] std::optional<harness::Bytes> receive(std::chrono::milliseconds timeout = std::chrono::seconds(5));

private:
    struct State;
    explicit RawXsk(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::edge
