// SPDX-License-Identifier: Apache-2.0
//
// Bytes arrive in the order in which they were sent, whatever goes which way.
#include <netns/local/row.hpp>

#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// The server's socket is established by the first data only, after the client's.
void delayed_third_ack(Stage &stage) {
    const kernel::UniqueFd listener = stage.listen();
    const Options options{.late_ack = true};
    const Address to = Address::of(World::server_address(stage.way), Address::local_of(listener.get()).port());
    End client = stage.dial(to, options);
    Stream sent(1), received(1);
    client.give(sent, 400, 100);
    Pair pair{.client = std::move(client), .server = stage.accept(listener.get())};
    stage.arrived(pair);
    pair.server.take(received, 400);
    pair.server.send("back");
    pair.client.next(64);
}

void deferred_accept(Stage &stage) {
    const Options options{.defer = true};
    const kernel::UniqueFd listener = stage.listen(options);
    const Address to = Address::of(World::server_address(stage.way), Address::local_of(listener.get()).port());
    End client = stage.dial(to, options);
    Stream sent(2), received(2);
    client.give(sent, 400, 100);
    Pair pair{.client = std::move(client), .server = stage.accept(listener.get())};
    pair.server.take(received, 400);
}

/// The reader is always one message behind, so there never is a moment at which all bytes have been read.
void always_one_unread(Stage &stage) {
    Pair pair = stage.connect();
    Stream sent(3), received(3), back(4), back_received(4);
    pair.client.give(sent, 100, 100);
    for (int i = 0; i < 60; ++i) {
        pair.client.give(sent, 100, 100);
        pair.server.take(received, 100);
        pair.server.give(back, 10, 10);
        pair.client.take(back_received, 10);
        ::usleep(500);
    }
    pair.server.take(received, 100);
}

/// Bytes sent by TCP are unread when the short cut opens.
void queued_before_the_switch(Stage &stage) {
    Pair pair = stage.settled();
    Stream sent(5), received(5);
    stage.accelerator().hold(pair.client.fd());
    pair.client.give(sent, 4000, 1000);
    stage.arrived(pair);
    stage.accelerator().let_go(pair.client.fd());
    pair.client.give(sent, 4000, 1000);
    stage.arrived(pair);
    pair.server.take(received, 8000);
}

/// Both ends send before either reads; then the other way round, with sizes between.
void crossing_messages(Stage &stage) {
    Pair pair = stage.settled();
    Stream there(6), there_received(6), back(7), back_received(7);
    for (const std::size_t size : {1, 10, 1000, 30000}) {
        pair.client.give(there, size, 7000);
        pair.server.give(back, size, 7000);
        pair.client.take(back_received, size);
        pair.server.take(there_received, size, 1500);
    }
}

} // namespace

std::vector<Row> order_rows() {
    return {{.name = "delayed_third_ack", .run = delayed_third_ack, .naive = Naive::differs},
            {.name = "deferred_accept", .run = deferred_accept, .naive = Naive::differs},
            {.name = "always_one_unread", .run = always_one_unread},
            {.name = "queued_before_the_switch", .run = queued_before_the_switch, .naive = Naive::differs},
            {.name = "crossing_messages", .run = crossing_messages}};
}

} // namespace beeline::conformance
