// SPDX-License-Identifier: Apache-2.0
#include "lab/conversation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

#include <sys/socket.h>

#include "lab/socket.hpp"

namespace beeline::lab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint16_t kPort = 7777;
constexpr std::chrono::seconds kPatience(20); // of the guest's time
constexpr unsigned kWarmUp = 200;             // fills caches of routes, neighbours and slabs
constexpr unsigned kTransactions = 1000;      // of one run
constexpr unsigned kConnections = 200;        // of one run
constexpr std::size_t kChunk = 256 * 1024;    // some packets of the largest size, so that the last one does not tell
constexpr unsigned kChunks = 16;              // 4 MiB

using Message = std::array<std::byte, 64>;

/// As many messages as the client sends, each answered with itself.
bool answer(int fd, unsigned messages) {
    Message message{};
    for (unsigned i = 0; i < messages; ++i)
        if (!receive_all(fd, message) || !send_all(fd, message))
            return false;
    return true;
}

bool ask(int fd, unsigned messages) {
    Message message{};
    for (unsigned i = 0; i < messages; ++i)
        if (!send_all(fd, message) || !receive_all(fd, message))
            return false;
    return true;
}

/// Chunk by chunk from one socket to the other, by the same thread: who runs when is not left to the scheduler, whose
/// choices make figures of free-running ends differ by a fifth.
bool stream(int from, int to) {
    static std::vector<std::byte> chunk(kChunk);
    for (unsigned i = 0; i < kChunks; ++i)
        if (!send_all(from, chunk) || !receive_all(to, chunk))
            return false;
    return true;
}

/// Nanoseconds that f took for one of count.
template <class F>
Result<double> timed(unsigned count, F &&f) {
    const Clock::time_point start = Clock::now();
    if (!f())
        return fail(Kind::host, ETIMEDOUT, "the conversation broke off");
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / count;
}

Result<std::vector<double>> transactions(int client, int server, unsigned runs) {
    bool served = false;
    std::thread thread([&] {
        served = answer(server, kWarmUp + runs * kTransactions);
        if (!served)
            ::shutdown(server, SHUT_RDWR); // a client that still waits is told
    });
    std::vector<double> costs;
    auto measured = [&]() -> Result<> {
        BL_TRY([[maybe_unused]] const double warm, timed(kWarmUp, [&] { return ask(client, kWarmUp); }));
        for (unsigned run = 0; run < runs; ++run) {
            BL_TRY(const double ns, timed(kTransactions, [&] { return ask(client, kTransactions); }));
            costs.push_back(ns);
        }
        return {};
    }();
    if (!measured)
        ::shutdown(client, SHUT_RDWR);
    thread.join();
    BL_CHECK(measured);
    return served ? Result<std::vector<double>>(std::move(costs)) : fail(Kind::host, 0, "the server broke off");
}

Result<std::vector<double>> streams(int client, int server, unsigned runs) {
    std::vector<double> costs;
    BL_TRY([[maybe_unused]] const double opened, timed(1, [&] { return stream(client, server); })); // windows are open
    for (unsigned run = 0; run < runs; ++run) {
        BL_TRY(const double ns, timed(kChunks * kChunk / 1024, [&] { return stream(client, server); }));
        costs.push_back(ns);
    }
    return costs;
}

/// Sockets that are still to connect.
Result<std::vector<kernel::UniqueFd>> open_clients(const Path &path, const SocketAddress &address) {
    std::vector<kernel::UniqueFd> clients;
    BL_CHECK(path.client->within([&]() -> Result<> {
        while (clients.size() < kConnections) {
            BL_TRY(clients.emplace_back(), open_socket(address.family(), Transport::tcp, kPatience));
        }
        return {};
    }));
    return clients;
}

/// From its first packet to its last, all by this thread: whom connect() asks answers within the call.
bool connect_once(kernel::UniqueFd client, const SocketAddress &address, int listener) {
    if (::connect(client.get(), address.get(), address.length) != 0)
        return false;
    const kernel::UniqueFd accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    client = {}; // the end that closes first keeps its port for a while
    return accepted.valid();
}

Result<std::vector<double>> connections(const Path &path, const SocketAddress &address, int listener, unsigned runs) {
    std::vector<double> costs;
    for (unsigned run = 0; run <= runs; ++run) {
        BL_TRY(auto clients, open_clients(path, address));
        BL_TRY(const double ns, timed(kConnections, [&] {
                   return std::ranges::all_of(
                       clients, [&](auto &client) { return connect_once(std::move(client), address, listener); });
               }));
        if (run > 0) // the first one warms up
            costs.push_back(ns);
    }
    return costs;
}

/// Room for a chunk on its way, whatever the defaults of this kernel are.
void widen(int fd) {
    constexpr int kBytes = 1 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kBytes, sizeof kBytes);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kBytes, sizeof kBytes);
}

} // namespace

Result<Costs> converse(const Path &path, unsigned runs) {
    BL_TRY(const auto address, SocketAddress::make(path.address, kPort));
    BL_TRY(const auto listener, path.server->within([&] { return open_server(address, Transport::tcp, kPatience); }));
    BL_TRY(const auto socket,
           path.client->within([&] { return open_socket(address.family(), Transport::tcp, kPatience); }));
    widen(listener.get());
    widen(socket.get());
    if (::connect(socket.get(), address.get(), address.length) != 0)
        return fail_errno(errno, "connect to " + path.address);
    const kernel::UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted.valid())
        return fail_errno(errno, "accept");
    Costs costs;
    BL_TRY(costs.transaction, transactions(socket.get(), accepted.get(), runs));
    BL_TRY(costs.kib, streams(socket.get(), accepted.get(), runs));
    BL_TRY(costs.connection, connections(path, address, listener.get(), runs));
    return costs;
}

} // namespace beeline::lab
