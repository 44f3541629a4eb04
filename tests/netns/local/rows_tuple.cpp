// SPDX-License-Identifier: Apache-2.0
//
// Addresses and ports: used again, used twice, changed on the way.
#include <netns/local/row.hpp>

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

bool is_apart(const Way &way) {
    return way.apart;
}

/// A stream of its own each way, so that bytes of another connection are found out.
void talks(Pair &pair, std::uint64_t number) {
    Stream there(number), there_received(number), back(number + 1), back_received(number + 1);
    for (const std::size_t size : {1, 500, 20000}) {
        pair.client.give(there, size, 5000);
        pair.server.take(there_received, size);
        pair.server.give(back, size, 5000);
        pair.client.take(back_received, size);
    }
}

/// The same ports again while the old connection is in TIME_WAIT at the server.
void time_wait_is_reused(Stage &stage) {
    const Options options{.port = stage.own_port(44000), .from = stage.own_port(44100)};
    for (std::uint64_t i = 0; i < 3; ++i) {
        Pair pair = stage.settled(options);
        talks(pair, 10 * i);
        pair.server.close();
        pair.client.await(POLLIN | POLLRDHUP);
        pair.client.recv(10);
        pair.client.close();
    }
}

std::string loopback(const Stage &stage) {
    return stage.way.v6 ? "::1" : "127.0.0.1";
}

/// A server has not noticed that its client has gone; in another namespace the same addresses and ports meet.
void close_wait_and_the_same_tuple(Stage &stage) {
    Options options{.to = loopback(stage), .port = stage.own_port(44200), .from = stage.own_port(44300)};
    options.where = Where::both_at_client;
    Pair old = stage.settled(options);
    talks(old, 1);
    old.client.close();
    old.server.await(POLLIN | POLLRDHUP);
    options.where = Where::both_at_server;
    Pair fresh = stage.connect(options);
    fresh.client.send("a secret of the other namespace");
    fresh.server.next(40);
    old.server.recv(40, MSG_DONTWAIT);
    stage.settle(fresh);
    talks(fresh, 3);
    old.server.recv(40, MSG_DONTWAIT);
}

/// Both are alive.
void same_tuple_in_two_namespaces(Stage &stage) {
    Options options{.to = loopback(stage), .port = stage.own_port(44400), .from = stage.own_port(44500)};
    options.where = Where::both_at_client;
    Pair one = stage.settled(options);
    options.where = Where::both_at_server;
    Pair two = stage.settled(options);
    for (std::uint64_t i = 0; i < 3; ++i) {
        talks(one, 20 * i);
        talks(two, 20 * i + 10);
    }
    one.client.close();
    one.server.await(POLLIN | POLLRDHUP);
    talks(two, 7);
}

/// Two listeners on one port; every connection is served by whoever has got it.
void shared_port(Stage &stage) {
    const Options options{.port = stage.own_port(44600), .share_port = true};
    const std::array<kernel::UniqueFd, 2> listeners{stage.listen(options), stage.listen(options)};
    const Address to = Address::of(World::server_address(stage.way), options.port);
    for (std::uint64_t i = 0; i < 8; ++i) {
        End client = stage.dial(to);
        std::array<pollfd, 2> entries{pollfd{listeners[0].get(), POLLIN, 0}, pollfd{listeners[1].get(), POLLIN, 0}};
        if (::poll(entries.data(), 2, static_cast<int>(patience.count())) != 1)
            stage.notes.stop("no listener has it");
        Pair pair{.client = std::move(client),
                  .server = stage.accept(entries[0].revents != 0 ? entries[0].fd : entries[1].fd)};
        stage.settle(pair);
        talks(pair, 30 * i);
    }
}

/// Neither end knows the other's address: destination and source are translated on the way.
void service_address(Stage &stage) {
    Pair pair = stage.settled({.service = true});
    talks(pair, 5);
    const bool changed = Address::remote_of(pair.client.fd()).port() != Address::local_of(pair.server.fd()).port();
    pair.client.note(changed ? "calls another port than the server's" : "calls the server's own port");
    pair.client.shutdown(SHUT_WR);
    pair.server.await(POLLIN | POLLRDHUP);
    pair.server.recv(10);
}

/// IPv6 sockets that talk IPv4 (::ffff:a.b.c.d), at the server only, as most servers do.
void mapped_address(Stage &stage) {
    const Options options{.to = stage.way.apart ? "::ffff:198.51.100.2" : "::ffff:127.0.0.1"};
    Pair pair = stage.settled(options);
    talks(pair, 6);
}

} // namespace

std::vector<Row> tuple_rows() {
    return {{.name = "time_wait_is_reused", .run = time_wait_is_reused},
            {.name = "close_wait_and_the_same_tuple",
             .run = close_wait_and_the_same_tuple,
             .naive = Naive::differs,
             .applies = [](const Way &way) { return way.apart && !way.blocking; }},
            {.name = "same_tuple_in_two_namespaces", .run = same_tuple_in_two_namespaces, .applies = is_apart},
            {.name = "shared_port", .run = shared_port},
            {.name = "service_address", .run = service_address, .applies = is_apart},
            {.name = "mapped_address", .run = mapped_address, .applies = [](const Way &way) { return way.v6; }}};
}

} // namespace beeline::conformance
