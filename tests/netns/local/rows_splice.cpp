// SPDX-License-Identifier: Apache-2.0
//
// splice(2): in a program of their own, for what a program may call is looked at before it gets a short cut.
#include <netns/local/row.hpp>

#include <array>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

void splice_out(Stage &stage) {
    ::alarm(3); // Over the public recipe a blocking socket never comes back.
    Pair pair = stage.settled();
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0)
        stage.notes.stop("pipe");
    for (int i = 0; i < 3; ++i) {
        pair.client.send("spliced");
        stage.arrived(pair);
        pair.server.await(POLLIN);
        pair.server.here();
        const ssize_t n = ::splice(pair.server.fd(), nullptr, pipe[1], nullptr, 100, SPLICE_F_NONBLOCK);
        pair.server.note("splice " + result(n));
        std::array<char, 100> buffer{};
        if (n > 0 && ::read(pipe[0], buffer.data(), buffer.size()) == n)
            pair.server.note(std::string(buffer.data(), static_cast<std::size_t>(n)));
        pair.server.look(POLLIN);
    }
}

void splice_in(Stage &stage) {
    Pair pair = stage.settled();
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0)
        stage.notes.stop("pipe");
    Stream sent(5), received(5);
    for (int i = 0; i < 5; ++i) {
        if (::write(pipe[1], sent.ahead(6000).data(), 6000) != 6000)
            stage.notes.stop("write to a pipe");
        sent.advance(6000);
        pair.client.here();
        for (std::size_t left = 6000; left > 0;) {
            const ssize_t n = ::splice(pipe[0], nullptr, pair.client.fd(), nullptr, left, i == 2 ? SPLICE_F_MORE : 0U);
            if (n <= 0)
                stage.notes.stop("splice");
            left -= static_cast<std::size_t>(n);
        }
        pair.client.note("splices 6000 bytes");
        if (i != 2)
            pair.server.take(received, sent.position() - received.position());
    }
}

} // namespace

std::vector<Row> all_rows() {
    return {{.name = "splice_out", .run = splice_out, .naive = Naive::differs, .stays = "splices"},
            {.name = "splice_in", .run = splice_in, .stays = "splices"}};
}

} // namespace beeline::conformance
