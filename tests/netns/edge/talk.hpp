// SPDX-License-Identifier: Apache-2.0
//
// A conversation through the edge that proves itself: every payload there and back is hashed, and neither stack may
// have found a checksum wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/echo.hpp"
#include "lab/lab.hpp"

namespace beeline::edge {

struct Talk {
    const lab::Node *client = nullptr, *server = nullptr;
    std::string to;     ///< The address the client talks to...
    std::string listen; ///< ...and the one that the server listens on; empty: the same.
    std::uint16_t port = 7999, listen_port = 7998;
    std::vector<lab::Transport> transports = {lab::Transport::udp, lab::Transport::tcp};
    unsigned messages = 60;
    std::size_t udp_min = 16, udp_max = 1400, tcp_max = 20000; ///< Bytes of one message.
    bool udp_checksum = true;
};

/// The server closes its TCP connections late, so that the client's last ACK comes from a time-wait socket, complete
/// where all others are partial. Failures are reported to GoogleTest.
void expect_good(const Talk &talk);

/// No message gets an answer.
void expect_silence(const Talk &talk);

} // namespace beeline::edge
