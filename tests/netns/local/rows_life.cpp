// SPDX-License-Identifier: Apache-2.0
//
// Options and kinds of sockets that a life may bring.
#include <netns/local/row.hpp>

#include <cerrno>

#include <fmt/format.h>
#include <linux/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// A connection as any other, afterwards.
void works(Stage &stage, Pair &pair) {
    Stream there(1), there_received(1), back(2), back_received(2);
    pair.client.give(there, 30000, 3000);
    pair.server.take(there_received, 30000);
    pair.server.give(back, 30000, 3000);
    pair.client.take(back_received, 30000);
    pair.client.send("short");
    stage.arrived(pair);
    pair.server.next(10);
}

/// Probes go to a peer whose bytes all took another way, and are answered.
void keepalive(Stage &stage) {
    Pair pair = stage.settled();
    for (End *end : {&pair.client, &pair.server}) {
        end->set(SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
        end->set(IPPROTO_TCP, TCP_KEEPIDLE, 1, "TCP_KEEPIDLE");
        end->set(IPPROTO_TCP, TCP_KEEPINTVL, 1, "TCP_KEEPINTVL");
        end->set(IPPROTO_TCP, TCP_KEEPCNT, 1, "TCP_KEEPCNT");
    }
    pair.client.send("before");
    ::usleep(1'300'000);
    pair.server.next(10);
    pair.client.look(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    works(stage, pair);
}

void tls(Stage &stage) {
    Pair pair = stage.settled();
    const int r = ::setsockopt(pair.client.fd(), IPPROTO_TCP, TCP_ULP, "tls", 3);
    pair.client.note("TCP_ULP tls " + result(r));
    works(stage, pair); // No keys were set: still what it was.
}

void repair(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("unread");
    stage.arrived(pair);
    pair.server.set(IPPROTO_TCP, TCP_REPAIR, 1, "TCP_REPAIR");
    pair.server.set(IPPROTO_TCP, TCP_REPAIR_QUEUE, 1, "TCP_REPAIR_QUEUE");
    pair.server.recv(10, MSG_PEEK | MSG_DONTWAIT);
    pair.server.set(IPPROTO_TCP, TCP_REPAIR, 0, "TCP_REPAIR");
    pair.server.next(10);
    works(stage, pair);
}

/// Options that change nothing about the bytes.
void options(Stage &stage) {
    Pair pair = stage.settled();
    for (End *end : {&pair.client, &pair.server}) {
        end->set(IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
        end->set(IPPROTO_TCP, TCP_QUICKACK, 1, "TCP_QUICKACK");
        end->set(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000, "TCP_USER_TIMEOUT");
        end->set(SOL_SOCKET, SO_RCVBUF, 50000, "SO_RCVBUF");
        end->set(SOL_SOCKET, SO_SNDBUF, 50000, "SO_SNDBUF");
        end->set(SOL_SOCKET, SO_PRIORITY, 3, "SO_PRIORITY");
        end->set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384, "TCP_NOTSENT_LOWAT");
    }
    works(stage, pair);
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(pair.client.fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &size);
    pair.client.note(fmt::format("TCP_NOTSENT_LOWAT is {}", value));
}

/// What the program has not set is as it was.
void options_untouched(Stage &stage) {
    Pair pair = stage.settled();
    works(stage, pair);
    for (End *end : {&pair.client, &pair.server})
        for (const int option : {TCP_NOTSENT_LOWAT, TCP_NODELAY, TCP_CORK, TCP_USER_TIMEOUT, TCP_LINGER2}) {
            int value = 0;
            socklen_t size = sizeof value;
            ::getsockopt(end->fd(), IPPROTO_TCP, option, &value, &size);
            end->note(fmt::format("option {} is {}", option, value));
        }
}

/// One socket, connected to itself.
void self_connected(Stage &stage) {
    const std::uint16_t port = stage.own_port(43000);
    const Address self = Address::of(stage.way.v6 ? "::1" : "127.0.0.1", port);
    End end = stage.dial(self, {.from = port});
    Stream sent(3), received(3);
    for (int i = 0; i < 60; ++i) {
        end.give(sent, 100, 100);
        end.take(received, 100);
    }
    end.give(sent, 20000, 5000);
    end.take(received, 20000);
    end.shutdown(SHUT_WR);
    end.await(POLLIN | POLLRDHUP);
    end.recv(10);
}

void multipath(Stage &stage) {
    Pair pair = stage.connect({.protocol = IPPROTO_MPTCP});
    stage.settle(pair);
    Stream sent(4), received(4);
    pair.client.give(sent, 20000, 5000);
    pair.server.take(received, 20000);
    pair.client.shutdown(SHUT_WR);
    pair.server.await(POLLIN | POLLRDHUP);
    pair.server.recv(10);
}

/// Nothing for a while, then on as before; several times.
void idle(Stage &stage) {
    Pair pair = stage.settled();
    for (int i = 0; i < 3; ++i) {
        ::usleep(150'000);
        works(stage, pair);
    }
}

} // namespace

std::vector<Row> life_rows() {
    return {{.name = "keepalive", .run = keepalive},
            {.name = "tls", .run = tls},
            {.name = "repair", .run = repair},
            {.name = "options", .run = options},
            {.name = "options_untouched", .run = options_untouched},
            {.name = "self_connected", .run = self_connected},
            {.name = "multipath", .run = multipath, .naive = Naive::harmful, .stays = "unknown"},
            {.name = "idle", .run = idle}};
}

} // namespace beeline::conformance
