// SPDX-License-Identifier: Apache-2.0
#include "lab/socket.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/time.h>

namespace beeline::lab {
namespace {

void switch_on(int fd, int level, int option) {
    const int one = 1;
    ::setsockopt(fd, level, option, &one, sizeof one);
}

} // namespace

Result<SocketAddress> SocketAddress::make(const std::string &address, std::uint16_t port) {
    SocketAddress result;
    sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
        std::memcpy(&result.storage, &v4, sizeof v4);
        result.length = sizeof v4;
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
        std::memcpy(&result.storage, &v6, sizeof v6);
        result.length = sizeof v6;
    } else {
        return fail(Kind::usage, EINVAL, "read the address " + address);
    }
    return result;
}

Result<kernel::UniqueFd> open_socket(int family, Transport transport, std::chrono::milliseconds timeout) {
    const int type = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
    kernel::UniqueFd fd(::socket(family, type | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return fail_errno(errno, "make a socket");
    const timeval wait{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait); // Of connect() as well.
    if (transport == Transport::tcp)
        switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    return fd;
}

Result<kernel::UniqueFd> open_server(const SocketAddress &at, Transport transport, std::chrono::milliseconds timeout) {
    BL_TRY(kernel::UniqueFd fd, open_socket(at.family(), transport, timeout));
    if (transport == Transport::tcp)
        switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    if (at.family() == AF_INET6)
        switch_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    if (::bind(fd.get(), at.get(), at.length) != 0)
        return fail_errno(errno, "bind a server's socket");
    if (transport == Transport::tcp && ::listen(fd.get(), 64) != 0)
        return fail_errno(errno, "listen");
    return fd;
}

bool send_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool receive_all(int fd, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (n <= 0)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

} // namespace beeline::lab
