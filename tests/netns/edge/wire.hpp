// SPDX-License-Identifier: Apache-2.0
//
// Single frames: put on a device as they are, and seen where they arrive.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <beeline/kernel/fd.hpp>
#include <harness/packet.hpp>

#include "lab/lab.hpp"

namespace beeline::edge {

using harness::Bytes;

/// A packet socket on one device of one node.
class [[nodiscard]] Wire {
public:
    [[nodiscard]] static Result<Wire> open(const lab::Node &node, const std::string &device);

    /// Sends a frame out of the device.
    [[nodiscard]] Result<> send(std::span<const std::byte> frame) const;
    /// Sends with the L4 checksum left to the device (CHECKSUM_PARTIAL): the field must hold the pseudo-header's sum.
    [[nodiscard]] Result<> send_partial(std::span<const std::byte> frame, std::uint16_t l4, std::uint16_t field) const;

    struct Frame {
        Bytes bytes;          ///< With the VLAN tag that the kernel had taken off.
        bool partial = false; ///< The kernel says that the checksum is still to be computed.
    };
    /// The next frame that the device received (not sent), waiting for it; nothing when none came in time.
    [[nodiscard]] std::optional<Frame> receive(std::chrono::milliseconds timeout = std::chrono::seconds(5)) const;
    /// Forgets what has arrived so far.
    void forget() const;

private:
    Wire(kernel::UniqueFd fd) : fd_(std::move(fd)) {}
    kernel::UniqueFd fd_;
};

} // namespace beeline::edge
