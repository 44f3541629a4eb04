// SPDX-License-Identifier: Apache-2.0
//
// Sending and receiving by io_uring.
#include <netns/local/row.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <netns/local/uring.hpp>

namespace beeline::conformance {
namespace {

Uring ring(Stage &stage) {
    auto made = Uring::create();
    if (!made)
        stage.notes.skip(made.error().message());
    return *std::move(made);
}

std::string outcome(const std::optional<int> &result) {
    if (!result)
        return "nothing";
    return *result < 0 ? error_name(-*result) : fmt::format("{}", *result);
}

void submit(Stage &stage, Uring &uring, std::uint8_t operation, const End &end, std::string &data, int flags = 0) {
    end.here();
    if (!uring.submit(operation, end.fd(), data.data(), data.size(), flags))
        stage.notes.stop("io_uring_enter");
}

/// Bytes are there already.
void uring_recv(Stage &stage) {
    Uring uring = ring(stage);
    Pair pair = stage.settled();
    for (int i = 0; i < 3; ++i) {
        pair.client.send("12345678");
        stage.arrived(pair);
        pair.server.await(POLLIN);
        std::string data(5, '.');
        submit(stage, uring, IORING_OP_RECV, pair.server, data);
        pair.server.note("gets " + outcome(uring.wait(2000)) + " " + data);
        submit(stage, uring, IORING_OP_RECV, pair.server, data);
        pair.server.note("gets " + outcome(uring.wait(2000)) + " " + data);
    }
}

/// The request is there first.
void uring_recv_waits(Stage &stage) {
    Uring uring = ring(stage);
    Pair pair = stage.settled();
    for (int i = 0; i < 3; ++i) {
        std::string data(5, '.');
        submit(stage, uring, IORING_OP_RECV, pair.server, data);
        const std::optional<int> early = uring.wait(20);
        pair.server.note("gets early " + outcome(early));
        pair.client.send("late");
        if (!early)
            pair.server.note("gets " + outcome(uring.wait(2000)) + " " + data);
        else
            pair.server.next(10);
    }
    std::string data(5, '.');
    submit(stage, uring, IORING_OP_RECV, pair.server, data);
    const std::optional<int> early = uring.wait(20);
    pair.client.shutdown(SHUT_WR);
    if (!early)
        pair.server.note("gets at the end " + outcome(uring.wait(2000)));
}

void uring_send(Stage &stage) {
    Uring uring = ring(stage);
    Pair pair = stage.settled();
    Stream sent(1), received(1);
    for (const std::size_t size : {10, 4000, 30000}) {
        std::string data(sent.ahead(size));
        submit(stage, uring, IORING_OP_SEND, pair.client, data, MSG_NOSIGNAL);
        pair.client.note("sends " + outcome(uring.wait(2000)));
        sent.advance(size);
        pair.server.take(received, size);
    }
    std::string oob = "U";
    submit(stage, uring, IORING_OP_SEND, pair.client, oob, MSG_OOB);
    pair.client.note("sends " + outcome(uring.wait(2000)));
    stage.arrived(pair);
    pair.server.await(POLLPRI);
    pair.server.recv(1, MSG_OOB);
}

} // namespace

std::vector<Row> uring_rows() {
    return {{.name = "uring_recv", .run = uring_recv},
            {.name = "uring_recv_waits", .run = uring_recv_waits},
            {.name = "uring_send", .run = uring_send, .naive = Naive::differs}};
}

} // namespace beeline::conformance
