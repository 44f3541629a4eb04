// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace beeline::programs {
namespace {

constexpr int kPatienceMs = 20000;
constexpr std::size_t kPiece = 65536; ///< Read and written at a time.

Result<kernel::UniqueFd> connected(std::uint16_t port) {
    kernel::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
        return fail_errno(errno, "connect to port " + std::to_string(port));
    return fd;
}

} // namespace

Result<Client> Client::connect(const Scene &scene, std::uint16_t port) {
    Result<kernel::UniqueFd> fd = fail_errno(ECONNREFUSED, "connect");
    for (int i = 0; i < 1500; ++i) {
        fd = scene.netns().within([&] { return connected(port); });
        if (fd || fd.error().code != ECONNREFUSED)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (!fd)
        return std::unexpected(fd.error());
    return Client(*std::move(fd));
}

Result<Client> Client::connect(const std::string &path) {
    kernel::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
        return fail_errno(errno, "connect to " + path);
    return Client(std::move(fd));
}

Result<> Client::send(std::string_view &rest) {
    const ssize_t did = ::send(fd_.get(), rest.data(), std::min(rest.size(), kPiece), MSG_NOSIGNAL);
    if (did < 0)
        return errno == EAGAIN ? Result<>() : fail_errno(errno, "send");
    rest.remove_prefix(static_cast<std::size_t>(did));
    sent_ += static_cast<std::uint64_t>(did);
    return {};
}

Result<> Client::receive(std::string &reply, std::size_t at_most) {
    std::array<char, kPiece> piece; // NOLINT: filled by recv()
    const ssize_t did = ::recv(fd_.get(), piece.data(), std::min(piece.size(), at_most - reply.size()), 0);
    if (did < 0)
        return errno == EAGAIN ? Result<>() : fail_errno(errno, "receive");
    if (did == 0)
        return fail_errno(ENODATA,
                          "the connection ended after " + std::to_string(reply.size()) + " bytes of the reply");
    reply.append(piece.data(), static_cast<std::size_t>(did));
    return {};
}

template <class Complete>
Result<std::string> Client::exchange(std::string_view request, std::size_t at_most, Complete &&complete) {
    std::string reply;
    while (!request.empty() || !complete(reply)) {
        const bool full = reply.size() >= at_most;
        pollfd ready{.fd = fd_.get(),
                     .events = static_cast<short>((request.empty() ? 0 : POLLOUT) | (full ? 0 : POLLIN)),
                     .revents = 0};
        if (::poll(&ready, 1, kPatienceMs) != 1)
            return fail_errno(ETIMEDOUT, std::to_string(request.size()) + " bytes left to send, " +
                                             std::to_string(reply.size()) + " received");
        if ((ready.revents & POLLOUT) != 0)
            BL_CHECK(send(request));
        if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !full)
            BL_CHECK(receive(reply, at_most));
    }
    return reply;
}

Result<std::string> Client::ask(std::string_view request, std::size_t size) {
    return exchange(request, size, [&](const std::string &reply) { return reply.size() == size; });
}

Result<std::string> Client::ask_until(std::string_view request, std::string_view end) {
    return exchange(request, std::string::npos, [&](const std::string &reply) { return reply.ends_with(end); });
}

std::string bytes(std::size_t size, std::uint32_t seed) {
    std::mt19937 engine(seed);
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; i += 4) {
        const std::uint32_t word = engine();
        std::copy_n(reinterpret_cast<const char *>(&word), std::min<std::size_t>(4, size - i), text.data() + i);
    }
    return text;
}

} // namespace beeline::programs
