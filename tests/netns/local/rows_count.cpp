// SPDX-License-Identifier: Apache-2.0
//
// Rows that ask FIONREAD, which a program's code shows: such a program stays on TCP, so these are one of their own.
#include <netns/local/loop.hpp>
#include <netns/local/row.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace beeline::conformance {
namespace {

void queued(End &end) {
    int bytes = -1;
    const int r = ::ioctl(end.fd(), FIONREAD, &bytes);
    end.note(fmt::format("FIONREAD {}, {}", r, bytes));
}

void count_of_queued(Stage &stage) {
    Pair pair = stage.settled();
    queued(pair.server);
    pair.client.send("12345678");
    stage.arrived(pair);
    queued(pair.server);
    pair.client.send("90");
    stage.arrived(pair);
    queued(pair.server);
    pair.server.next(3);
    queued(pair.server);
    pair.server.next(20);
    queued(pair.server);
}

/// Bytes that came by TCP are counted as well, when the short cut opens behind them.
void count_of_queued_at_the_switch(Stage &stage) {
    Pair pair = stage.settled();
    stage.accelerator().hold(pair.client.fd());
    pair.client.send("by TCP");
    stage.arrived(pair);
    stage.accelerator().let_go(pair.client.fd());
    queued(pair.server);
    pair.server.next(3);
    queued(pair.server);
}

/// As long as poll() says that there are bytes, FIONREAD counts some: also when a part of them went each way.
void count_while_reading(Stage &stage) {
    Pair pair = stage.settled();
    Stream sent(5), received(5);
    const std::size_t size = pair.client.flood(sent, 65536);
    std::size_t zeros = 0;
    std::vector<char> buffer(100000);
    pair.server.here();
    while (received.position() < size && pair.server.wait(POLLIN) != 0) {
        int bytes = 0;
        zeros += ::ioctl(pair.server.fd(), FIONREAD, &bytes) != 0 || bytes <= 0 ? 1 : 0;
        const ssize_t n = ::recv(pair.server.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n <= 0 || !received.check(std::string_view(buffer.data(), static_cast<std::size_t>(n))))
            break;
    }
    pair.server.note(received.position() == size ? "takes all" : "does not take all");
    pair.server.note(zeros == 0 ? "FIONREAD always counts" : fmt::format("FIONREAD is 0 {} times", zeros));
}

/// As nginx reads.
bool counts_more(int fd, std::size_t got, std::size_t asked) {
    int left = 0;
    return got == asked && ::ioctl(fd, FIONREAD, &left) == 0 && left > 0;
}

void drained_by_count(Stage &stage) {
    drained_by(stage, counts_more, [](End &client, Stream &sent) { static_cast<void>(client.flood(sent, 65536)); });
}

} // namespace

std::vector<Row> all_rows() {
    constexpr const char *kStays = "counts";
    return {{.name = "count_of_queued", .run = count_of_queued, .stays = kStays},
            {.name = "count_of_queued_at_the_switch",
             .run = count_of_queued_at_the_switch,
             .naive = Naive::differs,
             .stays = kStays},
            {.name = "count_while_reading", .run = count_while_reading, .naive = Naive::differs, .stays = kStays},
            {.name = "drained_by_count", .run = drained_by_count, .naive = Naive::either, .stays = kStays}};
}

} // namespace beeline::conformance
