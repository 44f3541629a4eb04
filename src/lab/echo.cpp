// SPDX-License-Identifier: Apache-2.0
#include "lab/echo.hpp"

#include <algorithm>
#include <optional>

#include <netinet/tcp.h>
#include <sched.h>

#include "lab/host.hpp"
#include "lab/payload.hpp"

namespace beeline::lab {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick(100); ///< How long a server's call blocks before it looks whether it shall stop.

/// The client is in FIN_WAIT2 by then, so that its last ACK comes from a time-wait socket. Such packets carry a
/// complete checksum even where the device would compute it, and show a rewrite that relies on partial ones.
constexpr milliseconds kLateClose(100);

void pin_for_good(int cpu) {
    if (cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

/// One message off a stream; nothing when it ended or made no sense. good says whether its hash was right.
std::optional<std::vector<std::byte>> receive_message(int fd, bool &good) {
    std::vector<std::byte> message(kMinMessage);
    good = false;
    if (!receive_all(fd, message))
        return std::nullopt;
    const auto header = header_of(message);
    if (!header)
        return message; // The length is not to be trusted: only the header goes back, as damaged.
    message.resize(kMinMessage + header->bytes);
    if (!receive_all(fd, std::span(message).subspan(kMinMessage)))
        return std::nullopt;
    good = intact(message);
    return message;
}

enum class Answer : std::uint8_t { good, damaged, none };

/// Sends one message and waits for it to come back. A late answer to an older message is skipped.
Answer ask_udp(int fd, const std::vector<std::byte> &message, std::span<std::byte> got) {
    if (!send_all(fd, message))
        return Answer::none;
    const std::uint32_t number = header_of(message)->number;
    while (true) {
        const ssize_t n = ::recv(fd, got.data(), got.size(), 0);
        if (n < 0)
            return Answer::none;
        const std::span<const std::byte> answer(got.data(), static_cast<std::size_t>(n));
        if (std::ranges::equal(answer, message))
            return Answer::good;
        const auto header = header_of(answer);
        if (!header || !intact(answer) || header->number >= number)
            return Answer::damaged;
    }
}

Answer ask_tcp(int fd, const std::vector<std::byte> &message, std::span<std::byte> got) {
    const auto answer = got.first(message.size());
    if (!send_all(fd, message) || !receive_all(fd, answer))
        return Answer::none;
    return std::ranges::equal(answer, message) ? Answer::good : Answer::damaged;
}

} // namespace

void EchoServer::Counts::add(bool good) {
    ++messages;
    damaged += good ? 0 : 1;
}

Result<std::unique_ptr<EchoServer>> EchoServer::start(const Node &node, const Options &options) {
    BL_TRY(const auto at, SocketAddress::make(options.address, options.port));
    std::unique_ptr<EchoServer> self(new EchoServer);
    self->options_ = options;
    BL_CHECK(node.within([&]() -> Result<> {
        BL_TRY(self->udp_socket_, open_server(at, Transport::udp, kTick));
        BL_TRY(self->listener_, open_server(at, Transport::tcp, kTick));
        return {};
    }));
    self->udp_thread_ = std::thread([server = self.get()] { server->serve_udp(); });
    self->tcp_thread_ = std::thread([server = self.get()] { server->serve_tcp(); });
    return self;
}

EchoServer::~EchoServer() {
    stop_ = true;
    for (std::thread *thread : {&udp_thread_, &tcp_thread_}) {
        if (thread->joinable())
            thread->join();
    }
    for (std::thread &connection : connections_)
        connection.join();
}

void EchoServer::serve_udp() {
    pin_for_good(options_.cpu);
    std::vector<std::byte> buffer(kMaxMessage + 1);
    while (!stop_) {
        SocketAddress peer;
        peer.length = sizeof peer.storage;
        const ssize_t n = ::recvfrom(udp_socket_.get(), buffer.data(), buffer.size(), 0,
                                     reinterpret_cast<sockaddr *>(&peer.storage), &peer.length);
        if (n < 0)
            continue;
        const std::span<const std::byte> message(buffer.data(), static_cast<std::size_t>(n));
        udp_.add(intact(message));
        ::sendto(udp_socket_.get(), message.data(), message.size(), 0, peer.get(), peer.length);
    }
}

void EchoServer::serve_tcp() {
    pin_for_good(options_.cpu);
    while (!stop_) {
        kernel::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid())
            continue;
        const std::scoped_lock guard(lock_);
        connections_.emplace_back([this, taken = std::move(fd)]() mutable { serve_connection(std::move(taken)); });
    }
}

void EchoServer::serve_connection(kernel::UniqueFd fd) {
    pin_for_good(options_.cpu);
    // The listener's timeout is not inherited; without one an idle client would keep us here.
    const timeval wait{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    const int one = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bool good = false;
    while (const auto message = receive_message(fd.get(), good)) {
        tcp_.add(good);
        if (stop_ || !send_all(fd.get(), *message) || !good)
            break;
    }
    std::this_thread::sleep_for(kLateClose);
}

Result<Outcome> exchange(const Node &node, const Exchange &wanted) {
    BL_TRY(const auto to, SocketAddress::make(wanted.address, wanted.port));
    BL_TRY(const auto socket, node.within([&] { return open_socket(to.family(), wanted.transport, wanted.timeout); }));
    if (!wanted.udp_checksum) {
        const int one = 1;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_NO_CHECK, &one, sizeof one);
    }
    std::optional<PinnedToCpu> pinned;
    if (wanted.cpu >= 0) {
        BL_TRY(auto pin, PinnedToCpu::pin(wanted.cpu));
        pinned.emplace(std::move(pin));
    }
    Outcome outcome;
    if (::connect(socket.get(), to.get(), to.length) != 0) {
        outcome.sent = 1; // Nobody there, or the way is blocked: that is the answer.
        return outcome;
    }
    PayloadSource payload(wanted.seed, wanted.min_bytes, wanted.max_bytes);
    std::vector<std::byte> got(kMaxMessage + 1);
    unsigned unanswered = 0;
    for (unsigned i = 0; i < wanted.messages && unanswered < wanted.give_up_after; ++i) {
        const auto message = payload.next();
        const double start = wall_seconds();
        const Answer answer = wanted.transport == Transport::udp ? ask_udp(socket.get(), message, got)
                                                                 : ask_tcp(socket.get(), message, got);
        const double took = wall_seconds() - start;
        ++outcome.sent;
        if (answer == Answer::good) {
            ++outcome.answered;
            outcome.bytes += message.size();
            outcome.round_trip_us.push_back(took * 1e6);
            continue;
        }
        outcome.damaged += answer == Answer::damaged;
        ++unanswered;
        if (wanted.transport == Transport::tcp)
            break; // The stream is out of step.
    }
    return outcome;
}

} // namespace beeline::lab
