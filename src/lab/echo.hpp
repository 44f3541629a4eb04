// SPDX-License-Identifier: Apache-2.0
//
// Servers that answer every message with itself, and clients that send and compare. Both ends check the hash of every
// message (payload.hpp), so each says for itself whether the way there, or the way back, changed a byte.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lab/lab.hpp"
#include "lab/socket.hpp"

namespace beeline::lab {

/// UDP and TCP at one address and port, in threads of their own until it is destroyed.
class [[nodiscard]] EchoServer {
public:
    struct Options {
        std::string address;
        std::uint16_t port = 0;
        int cpu = -1; ///< Pins its threads; -1: anywhere.
    };
    /// What it has received.
    struct Tally {
        std::uint64_t messages = 0;
        std::uint64_t damaged = 0; ///< Their hash was wrong.
    };

    [[nodiscard]] static Result<std::unique_ptr<EchoServer>> start(const Node &node, const Options &options);
    EchoServer(const EchoServer &) = delete;
    EchoServer &operator=(const EchoServer &) = delete;
    ~EchoServer();

    [[nodiscard]] Tally udp() const { return {udp_.messages.load(), udp_.damaged.load()}; }
    [[nodiscard]] Tally tcp() const { return {tcp_.messages.load(), tcp_.damaged.load()}; }

private:
    struct Counts {
        std::atomic<std::uint64_t> messages = 0, damaged = 0;
        void add(bool good);
    };

    EchoServer() = default;
    void serve_udp();
    void serve_tcp();
    void serve_connection(kernel::UniqueFd fd);

    Options options_;
    kernel::UniqueFd udp_socket_, listener_;
    Counts udp_, tcp_;
    std::atomic<bool> stop_ = false;
    std::mutex lock_;                      ///< Of connections_.
    std::vector<std::thread> connections_; //
    std::thread udp_thread_, tcp_thread_;
};

/// One client's conversation: messages of random sizes, one after the other, each answered before the next.
struct Exchange {
    std::string address;
    std::uint16_t port = 0;
    Transport transport = Transport::udp;
    unsigned messages = 100;
    std::size_t min_bytes = 16; ///< Of the whole message.
    std::size_t max_bytes = 1400;
    std::uint64_t seed = 1;
    std::chrono::milliseconds timeout = std::chrono::seconds(1); ///< For each answer.
    unsigned give_up_after = 3;                                  ///< Unanswered messages.
    int cpu = -1;                                                ///< Pins the client.
    bool udp_checksum = true; ///< False: UDP over IPv4 without a checksum (SO_NO_CHECK).
};

struct Outcome {
    unsigned sent = 0;
    unsigned answered = 0;             ///< With the bytes that were sent.
    unsigned damaged = 0;              ///< Answered with others.
    std::uint64_t bytes = 0;           ///< Of the messages that were answered.
    std::vector<double> round_trip_us; ///< Of the answered ones.

    [[nodiscard]] bool all_good(unsigned messages) const { return answered == messages && damaged == 0; }
};

/// In the calling thread. A lost message is no error; no socket is.
[[nodiscard]] Result<Outcome> exchange(const Node &node, const Exchange &wanted);

} // namespace beeline::lab
