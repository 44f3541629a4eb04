// SPDX-License-Identifier: Apache-2.0
//
// Flags and options of receiving.
#include <netns/local/row.hpp>

#include <array>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

void peek(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("12345678");
    pair.client.send("abcdefgh");
    stage.arrived(pair);
    for (const std::size_t size : {4, 16, 40})
        pair.server.next(size, MSG_PEEK);
    pair.server.recv(6);
    pair.server.recv(20, MSG_PEEK);
    pair.server.recv(20);
    pair.server.recv(20, MSG_PEEK | MSG_DONTWAIT);
}

/// SO_PEEK_OFF: each peek goes on where the last one ended.
void peek_offset(Stage &stage) {
    Pair pair = stage.settled();
    pair.server.set(SOL_SOCKET, SO_PEEK_OFF, 0, "SO_PEEK_OFF");
    pair.client.send("12345678");
    stage.arrived(pair);
    pair.server.next(3, MSG_PEEK);
    pair.server.recv(3, MSG_PEEK);
    pair.server.recv(4);
    pair.server.recv(20, MSG_PEEK);
}

/// The first half is there, the second comes while the reader waits; a second time to see that nothing has changed.
void waitall(Stage &stage) {
    Pair pair = stage.settled();
    for (int i = 0; i < 2; ++i) {
        pair.client.send("1234");
        stage.arrived(pair);
        {
            // What a non-blocking socket gives depends on the moment; there the bytes are all there before.
            if (!stage.way.blocking)
                pair.client.send("5678");
            stage.arrived(pair);
            const std::jthread late([&] {
                ::usleep(20000);
                if (stage.way.blocking)
                    static_cast<void>(pair.client.all("5678"));
            });
            pair.server.recv(8, MSG_WAITALL);
        }
        pair.server.recv(8, MSG_DONTWAIT);
    }
}

void waitall_and_end(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("1234");
    stage.arrived(pair);
    pair.client.shutdown(SHUT_WR);
    pair.server.await(POLLRDHUP);
    pair.server.recv(8, MSG_WAITALL);
    pair.server.recv(8, MSG_WAITALL);
}

/// Bytes are thrown away without being copied; programs give no buffer then.
void truncate(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("12345678abcd");
    stage.arrived(pair);
    pair.server.next(8, MSG_TRUNC);
    pair.server.note("recv without a buffer " + result(::recv(pair.server.fd(), nullptr, 2, MSG_TRUNC)));
    pair.server.recv(8);
}

void urgent(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("before");
    pair.client.send("U", MSG_OOB);
    stage.arrived(pair);
    pair.server.await(POLLPRI);
    pair.server.look(POLLIN | POLLPRI);
    pair.server.recv(10, MSG_OOB);
    pair.server.recv(20, MSG_DONTWAIT);
    pair.client.send("after");
    stage.arrived(pair);
    pair.server.next(20);
}

void urgent_inline(Stage &stage) {
    Pair pair = stage.settled();
    pair.server.set(SOL_SOCKET, SO_OOBINLINE, 1, "SO_OOBINLINE");
    pair.client.send("before");
    pair.client.send("U", MSG_OOB);
    pair.client.send("after");
    stage.arrived(pair);
    for (int i = 0; i < 3; ++i) {
        pair.server.note(fmt::format("sockatmark {}", ::sockatmark(pair.server.fd())));
        pair.server.recv(20, MSG_DONTWAIT);
    }
}

void low_water_mark(Stage &stage) {
    Pair pair = stage.settled();
    pair.server.set(SOL_SOCKET, SO_RCVLOWAT, 8, "SO_RCVLOWAT");
    pair.client.send("1234");
    stage.arrived(pair);
    pair.server.quiet(POLLIN);
    pair.client.send("5678");
    stage.arrived(pair);
    pair.server.await(POLLIN);
    pair.server.recv(20);
    pair.server.set(SOL_SOCKET, SO_RCVLOWAT, 1, "SO_RCVLOWAT");
    pair.client.send("1");
    pair.server.next(20);
}

/// The time-out ends a read of a blocking socket, and no earlier than it says.
void receive_timeout(Stage &stage) {
    Pair pair = stage.settled();
    const timeval time{.tv_sec = 0, .tv_usec = 50000};
    if (::setsockopt(pair.server.fd(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0)
        stage.notes.stop("SO_RCVTIMEO");
    for (int i = 0; i < 2; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        pair.server.recv(10);
        const bool waited = std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(49);
        pair.server.note(waited ? "has waited" : "has not waited");
        pair.client.send("data");
        stage.arrived(pair);
        pair.server.recv(10);
    }
}

void vectors(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("abcdefghijklmnop");
    stage.arrived(pair);
    std::array<char, 4> one{}, two{};
    std::array<iovec, 2> parts{iovec{one.data(), one.size()}, iovec{two.data(), two.size()}};
    pair.server.note("readv " + result(::readv(pair.server.fd(), parts.data(), 2)) + " " +
                     std::string(one.begin(), one.end()) + std::string(two.begin(), two.end()));
    mmsghdr messages[2]{};
    for (std::size_t i = 0; i < 2; ++i) {
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    pair.server.note("recvmmsg " + result(::recvmmsg(pair.server.fd(), messages, 2, MSG_DONTWAIT, nullptr)) + " " +
                     std::string(one.begin(), one.end()) + std::string(two.begin(), two.end()));
    pair.server.recv(1, MSG_DONTWAIT);
}

/// Reads of no bytes, with bytes there and without.
void nothing(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("x");
    stage.arrived(pair);
    pair.server.recv(0, MSG_DONTWAIT);
    pair.server.recv(1, MSG_DONTWAIT);
    pair.server.recv(0, MSG_DONTWAIT);
    pair.client.shutdown(SHUT_WR);
    pair.server.await(POLLRDHUP);
    pair.server.recv(0, MSG_DONTWAIT);
}

} // namespace

std::vector<Row> receive_rows() {
    return {
        {.name = "peek", .run = peek},
        {.name = "peek_offset", .run = peek_offset, .naive = Naive::differs},
        {.name = "waitall", .run = waitall, .naive = Naive::differs},
        {.name = "waitall_and_end", .run = waitall_and_end},
        {.name = "truncate", .run = truncate, .naive = Naive::differs, .limit = "MSG_TRUNC copies"},
        {.name = "urgent", .run = urgent, .naive = Naive::differs, .limit = "redirected bytes are before urgent ones"},
        {.name = "urgent_inline",
         .run = urgent_inline,
         .naive = Naive::differs,
         .limit = "redirected bytes are before urgent ones"},
        {.name = "low_water_mark", .run = low_water_mark, .naive = Naive::differs},
        {.name = "receive_timeout", .run = receive_timeout},
        {.name = "vectors", .run = vectors},
        {.name = "nothing", .run = nothing, .naive = Naive::differs, .limit = "a read of no bytes gives 0"}};
}

} // namespace beeline::conformance
