// SPDX-License-Identifier: Apache-2.0
//
// Ends of connections: who sees what, and what may still be read.
#include <netns/local/row.hpp>

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

constexpr unsigned kAll = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLHUP | POLLERR;

/// SO_LINGER with no time: close() resets.
void resets_on_close(Stage &stage, const End &end) {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    if (::setsockopt(end.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) != 0)
        stage.notes.stop("SO_LINGER");
}

void half_close(End &first, End &second) {
    Stream there(1), there_received(1), back(2), back_received(2);
    first.give(there, 50000, 8000);
    first.shutdown(SHUT_WR);
    second.take(there_received, 50000);
    second.await(POLLIN | POLLRDHUP);
    second.recv(10);
    second.look(kAll);
    second.give(back, 50000, 8000);
    first.take(back_received, 50000);
    first.send("too late");
    second.shutdown(SHUT_WR);
    first.await(POLLIN | POLLRDHUP | POLLHUP);
    first.recv(10);
    first.look(kAll);
    second.send("too late");
}

void half_close_by_client(Stage &stage) {
    Pair pair = stage.settled();
    half_close(pair.client, pair.server);
}

void half_close_by_server(Stage &stage) {
    Pair pair = stage.settled();
    half_close(pair.server, pair.client);
}

/// Everything that was sent can be read after the sender has gone.
void close_with_data_on_the_way(Stage &stage) {
    Pair pair = stage.settled();
    Stream sent(3), received(3);
    pair.client.give(sent, 60000, 7000);
    pair.client.close();
    pair.server.await(POLLIN | POLLRDHUP);
    pair.server.take(received, 0);
    pair.server.recv(10);
    pair.server.look(kAll);
}

/// TCP answers with a reset, and the peer knows that its bytes were not read.
void close_with_unread_data(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("unread");
    stage.arrived(pair);
    pair.server.close();
    pair.client.await(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    pair.client.recv(10);
    pair.client.recv(10);
    pair.client.send("more");
}

/// The same with bytes on their way to the side that is told.
void close_with_unread_data_both_ways(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("unread");
    pair.server.send("readable");
    stage.arrived(pair);
    pair.server.close();
    pair.client.await(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    pair.client.recv(20);
    pair.client.recv(20);
    pair.client.recv(20);
}

void reset(Stage &stage) {
    Pair pair = stage.settled();
    resets_on_close(stage, pair.client);
    pair.client.close();
    pair.server.await(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    pair.server.recv(10);
    pair.server.recv(10);
    pair.server.send("nobody");
}

/// What has arrived before a reset.
void reset_behind_data(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("before the reset");
    stage.arrived(pair);
    resets_on_close(stage, pair.client);
    pair.client.close();
    pair.server.await(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    pair.server.recv(5);
    pair.server.recv(20);
    pair.server.recv(20);
    pair.server.recv(20);
}

void abort_by_connect(Stage &stage) {
    Pair pair = stage.settled();
    const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
    pair.client.send("unread");
    stage.arrived(pair);
    pair.client.note("connect(AF_UNSPEC) " + result(::connect(pair.client.fd(), &none, sizeof none)));
    pair.server.await(POLLIN | POLLRDHUP | POLLHUP | POLLERR);
    pair.server.recv(20);
    pair.server.recv(20);
    pair.client.recv(20, MSG_DONTWAIT);
}

/// The first send after the other end has closed is answered by a reset, the second one fails.
void send_after_close(Stage &stage) {
    Pair pair = stage.settled();
    pair.server.close();
    pair.client.await(POLLIN | POLLRDHUP);
    pair.client.recv(10);
    pair.client.send("first");
    pair.client.await(POLLHUP | POLLERR);
    pair.client.send("second");
    pair.client.recv(10);
    pair.client.recv(10);
}

/// Reading is over on one side; TCP does not tell the peer.
void shutdown_of_reading(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("queued");
    stage.arrived(pair);
    pair.server.shutdown(SHUT_RD);
    pair.server.look(kAll);
    pair.server.recv(20, MSG_DONTWAIT);
    pair.server.recv(20, MSG_DONTWAIT);
    pair.client.send("after");
    stage.arrived(pair);
    pair.server.recv(20, MSG_DONTWAIT);
    pair.server.send("back");
    pair.client.next(20);
}

void close_by_both(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("one");
    pair.server.send("two");
    stage.arrived(pair);
    pair.client.shutdown(SHUT_WR);
    pair.server.shutdown(SHUT_WR);
    pair.client.await(POLLIN | POLLRDHUP | POLLHUP);
    pair.server.await(POLLIN | POLLRDHUP | POLLHUP);
    for (End *end : {&pair.client, &pair.server}) {
        end->recv(20);
        end->recv(20);
        end->look(kAll);
    }
}

} // namespace

std::vector<Row> close_rows() {
    return {{.name = "half_close_by_client", .run = half_close_by_client, .naive = Naive::differs},
            {.name = "half_close_by_server", .run = half_close_by_server, .naive = Naive::differs},
            {.name = "close_with_data_on_the_way", .run = close_with_data_on_the_way},
            {.name = "close_with_unread_data",
             .run = close_with_unread_data,
             .naive = Naive::differs,
             .limit = "the end of the stream, not a reset"},
            {.name = "close_with_unread_data_both_ways",
             .run = close_with_unread_data_both_ways,
             .naive = Naive::differs,
             .limit = "the end of the stream, not a reset"},
            {.name = "reset", .run = reset},
            {.name = "reset_behind_data", .run = reset_behind_data},
            {.name = "abort_by_connect",
             .run = abort_by_connect,
             .naive = Naive::differs,
             .limit = "no ECONNRESET of the own end"},
            {.name = "send_after_close", .run = send_after_close},
            {.name = "shutdown_of_reading", .run = shutdown_of_reading},
            {.name = "close_by_both", .run = close_by_both}};
}

} // namespace beeline::conformance
