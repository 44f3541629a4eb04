// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

constexpr int kWarmUp = 40; ///< Exchanges after which a connection has been seen enough.

/// Bytes that TCP has carried: sent by one, received by the other.
struct Carried {
    std::uint64_t sent = 0, received = 0;
    bool waiting = false; ///< Some have not been sent yet.
};

Carried carried(int fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return {};
    return {.sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans,
            .received = info.tcpi_bytes_received,
            .waiting = info.tcpi_notsent_bytes != 0};
}

} // namespace

Address Address::of(const std::string &text, std::uint16_t port) {
    Address address;
    sockaddr_in in{};
    sockaddr_in6 in6{};
    if (::inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) {
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        address.size = sizeof in;
        std::memcpy(&address.bytes, &in, sizeof in);
    } else if (::inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr) == 1) {
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(port);
        address.size = sizeof in6;
        std::memcpy(&address.bytes, &in6, sizeof in6);
    }
    return address;
}

Address Address::local_of(int fd) {
    Address address{.bytes = {}, .size = sizeof(sockaddr_storage)};
    if (::getsockname(fd, reinterpret_cast<sockaddr *>(&address.bytes), &address.size) != 0)
        return {};
    return address;
}

Address Address::remote_of(int fd) {
    Address address{.bytes = {}, .size = sizeof(sockaddr_storage)};
    if (::getpeername(fd, reinterpret_cast<sockaddr *>(&address.bytes), &address.size) != 0)
        return {};
    return address;
}

std::uint16_t Address::port() const {
    sockaddr_in in{}; // The port is at the same place in both families.
    std::memcpy(&in, &bytes, sizeof in);
    return ntohs(in.sin_port);
}

kernel::UniqueFd Stage::socket(bool server, const Options &options) const {
    const bool far = options.where == Where::both_at_server || (options.where == Where::as_ever && way.apart && server);
    auto guard = (far ? world_->server() : world_->client()).enter();
    if (!guard) {
        errno = guard.error().code;
        notes.stop("setns");
    }
    kernel::UniqueFd fd(::socket(way.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, options.protocol));
    if (!fd.valid() && options.protocol != 0)
        notes.skip("socket(IPPROTO_MPTCP): " + error_name(errno));
    const int yes = 1;
    if (!fd.valid() || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        notes.stop("socket");
    for (const auto &[option, size] : {std::pair(SO_RCVBUF, options.receive_buffer), {SO_SNDBUF, options.send_buffer}})
        if (size != 0 && ::setsockopt(fd.get(), SOL_SOCKET, option, &size, sizeof size) != 0)
            notes.stop("size of a buffer");
    return fd;
}

kernel::UniqueFd Stage::listen(const Options &options) {
    kernel::UniqueFd fd = socket(true, options);
    const std::string any = way.v6 ? "::" : "0.0.0.0";
    const auto to = Address::of(any, options.service ? own_port(World::kServerPorts) : options.port);
    const int yes = 1;
    if (options.share_port && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0)
        notes.stop("SO_REUSEPORT");
    const int seconds = 5;
    if (options.defer && ::setsockopt(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) != 0)
        notes.stop("TCP_DEFER_ACCEPT");
    if (::bind(fd.get(), to.get(), to.size) != 0 || ::listen(fd.get(), 256) != 0)
        notes.stop("listen");
    return fd;
}

End Stage::end(bool server, kernel::UniqueFd fd) const {
    std::optional<int> cpu = 0;
    if (server && way.two_cpus)
        cpu = 1;
    End made(server ? "server" : "client", std::move(fd), cpu, way.blocking, notes);
    made.set_blocking(way.blocking);
    return made;
}

End Stage::dial(const Address &to, const Options &options) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        kernel::UniqueFd fd = socket(false, options);
        const int no = 0;
        if (options.late_ack && ::setsockopt(fd.get(), IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no) != 0)
            notes.stop("TCP_QUICKACK");
        const auto from = Address::of(way.v6 ? "::" : "0.0.0.0", options.from);
        if (options.from != 0 && ::bind(fd.get(), from.get(), from.size) != 0)
            notes.stop("bind");
        if (::connect(fd.get(), to.get(), to.size) == 0)
            return end(false, std::move(fd));
        // The last connection of these ports waits for the acknowledgement of its end.
        if (errno != EADDRNOTAVAIL || options.from == 0 || std::chrono::steady_clock::now() > deadline)
            notes.stop("connect");
        ::usleep(5000);
    }
}

End Stage::accept(int listener) {
    pollfd entry{.fd = listener, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(patience.count())) != 1)
        notes.stop("nothing to accept");
    kernel::UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.valid())
        notes.stop("accept");
    return end(true, std::move(fd));
}

Pair Stage::connect(const Options &options) {
    const kernel::UniqueFd listener = listen(options);
    const std::uint16_t port =
        options.service ? own_port(World::kServicePorts) : Address::local_of(listener.get()).port();
    const std::string to = !options.to.empty() ? options.to
                           : options.service   ? World::service_address(way)
                                               : World::server_address(way);
    End client = dial(Address::of(to, port), options);
    End server = accept(listener.get());
    return {.client = std::move(client), .server = std::move(server)};
}

bool Stage::exchange(Pair &pair) {
    std::array<char, 64> buffer{};
    const std::string message(64, 'x');
    const auto one_way = [&](const End &from, const End &to) {
        from.here();
        if (!from.all(message))
            return false;
        to.here();
        for (std::size_t got = 0; got < message.size();) {
            const ssize_t n = to.some(buffer.data(), message.size() - got);
            if (n <= 0)
                return false;
            got += static_cast<std::size_t>(n);
        }
        return true;
    };
    return one_way(pair.client, pair.server) && one_way(pair.server, pair.client);
}

void Stage::settle(Pair &pair) {
    const auto there = [&] {
        return accelerator_->on_short_cut(pair.client.fd()) && accelerator_->on_short_cut(pair.server.fd());
    };
    for (int i = 0; i < kWarmUp; ++i)
        if (!exchange(pair))
            notes.stop("settling");
    if (!accelerator_->has_short_cut())
        return;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto stays = [&] { return accelerator_->stays_on_tcp(pair.client.fd()); };
    while (!way.blocking && !there() && !stays() && std::chrono::steady_clock::now() < deadline) {
        ::usleep(2000);
        if (!exchange(pair))
            notes.stop("settling");
    }
    const std::uint64_t before = accelerator_->redirected(pair.client.fd());
    if (!exchange(pair))
        notes.stop("settled");
    if (there())
        notes.path(accelerator_->redirected(pair.client.fd()) > before ? "short cut" : "short cut, but unused");
    else
        notes.path("TCP: " + accelerator_->reason(pair.client.fd()));
}

Pair Stage::settled(const Options &options) {
    Pair pair = connect(options);
    settle(pair);
    return pair;
}

void Stage::arrived(const Pair &pair) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        const Carried client = carried(pair.client.fd()), server = carried(pair.server.fd());
        if (!client.waiting && !server.waiting && client.received >= server.sent && server.received >= client.sent)
            return;
        ::usleep(200);
    }
    notes.note("what was sent has not arrived");
}

std::uint16_t Stage::own_port(std::uint16_t base) const {
    const int number = (way.v6 ? 1 : 0) + (way.apart ? 2 : 0) + (way.blocking ? 4 : 0) + (way.two_cpus ? 8 : 0);
    return static_cast<std::uint16_t>(base + number);
}

} // namespace beeline::conformance
