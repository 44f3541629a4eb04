// SPDX-License-Identifier: Apache-2.0
//
// Plain UDP and TCP sockets of the lab's clients and servers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::lab {

enum class Transport : std::uint8_t { udp, tcp };

/// An address and a port as the socket calls want them.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] static Result<SocketAddress> make(const std::string &address, std::uint16_t port);
    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
};

/// Belongs to the network namespace of the calling thread. Calls on it end after timeout with EAGAIN.
[[nodiscard]] Result<kernel::UniqueFd> open_socket(int family, Transport transport, std::chrono::milliseconds timeout);

/// A socket that is bound, and listens when it is TCP.
[[nodiscard]] Result<kernel::UniqueFd> open_server(const SocketAddress &at, Transport transport,
                                                   std::chrono::milliseconds timeout);

/// All of bytes, or false.
[[nodiscard]] bool send_all(int fd, std::span<const std::byte> bytes);
/// Exactly so many bytes, or false: the other end closed, an error, the timeout.
[[nodiscard]] bool receive_all(int fd, std::span<std::byte> bytes);

} // namespace beeline::lab
