// SPDX-License-Identifier: Apache-2.0
//
// poll() and epoll: what is said, and what is said again.
#include <netns/local/row.hpp>

#include <array>

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

namespace beeline::conformance {
namespace {

class Epoll {
public:
    Epoll(Stage &stage, const End &end, unsigned events) : fd_(::epoll_create1(EPOLL_CLOEXEC)), end_(&end) {
        epoll_event event{.events = events, .data = {}};
        if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, end.fd(), &event) != 0)
            stage.notes.stop("epoll_ctl");
    }
    /// The next report; what must not come is given less time.
    void expect(bool something = true) const {
        end_->here();
        epoll_event event{};
        const auto time = something ? patience : kQuiet;
        const int n = ::epoll_wait(fd_.get(), &event, 1, static_cast<int>(time.count()));
        end_->note("epoll says " + (n == 1 ? event_names(event.events) : std::string("nothing")));
    }
    void rearm(unsigned events) const {
        epoll_event event{.events = events, .data = {}};
        end_->note("EPOLL_CTL_MOD " + result(::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, end_->fd(), &event)));
    }

private:
    kernel::UniqueFd fd_;
    const End *end_;
};

void poll_through_a_life(Stage &stage) {
    constexpr unsigned kAll = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;
    Pair pair = stage.settled();
    pair.server.look(kAll);
    pair.client.send("x");
    stage.arrived(pair);
    pair.server.await(POLLIN);
    pair.server.look(kAll);
    pair.server.recv(10);
    pair.server.look(kAll);
    pair.client.shutdown(SHUT_WR);
    pair.server.await(POLLRDHUP);
    pair.server.look(kAll);
    pair.server.shutdown(SHUT_WR);
    pair.client.await(POLLHUP);
    pair.client.look(kAll);
    pair.server.await(POLLHUP);
    pair.server.look(kAll);
}

void select_call(Stage &stage) {
    Pair pair = stage.settled();
    for (const bool data : {false, true}) {
        if (data)
            pair.client.send("x");
        stage.arrived(pair);
        fd_set reading, writing;
        FD_ZERO(&reading);
        FD_ZERO(&writing);
        FD_SET(pair.server.fd(), &reading);
        FD_SET(pair.server.fd(), &writing);
        timeval none{};
        const int n = ::select(pair.server.fd() + 1, &reading, &writing, nullptr, &none);
        pair.server.note(fmt::format("select {}", n));
    }
}

void level_triggered(Stage &stage) {
    Pair pair = stage.settled();
    const Epoll epoll(stage, pair.server, EPOLLIN);
    epoll.expect(false);
    pair.client.send("12");
    epoll.expect();
    pair.server.recv(1);
    epoll.expect();
    pair.server.recv(1);
    epoll.expect(false);
    pair.client.send("3");
    epoll.expect();
}

/// One report for each arrival, whether or not what came before was read.
void edge_triggered(Stage &stage) {
    Pair pair = stage.settled();
    const Epoll epoll(stage, pair.server, EPOLLIN | EPOLLET);
    epoll.expect(false);
    pair.client.send("1");
    epoll.expect();
    epoll.expect(false);
    pair.client.send("2");
    epoll.expect();
    pair.server.recv(1);
    epoll.expect(false);
    pair.server.recv(10);
    pair.client.send("3");
    epoll.expect();
    pair.server.recv(10);
    epoll.expect(false);
    pair.client.close();
    epoll.expect();
    pair.server.recv(10);
}

void one_shot(Stage &stage) {
    Pair pair = stage.settled();
    const Epoll epoll(stage, pair.server, EPOLLIN | EPOLLONESHOT);
    pair.client.send("1");
    epoll.expect();
    pair.client.send("2");
    stage.arrived(pair);
    epoll.expect(false);
    epoll.rearm(EPOLLIN | EPOLLONESHOT);
    epoll.expect();
    pair.server.recv(10);
}

void peer_hangs_up(Stage &stage) {
    Pair pair = stage.settled();
    const Epoll epoll(stage, pair.server, EPOLLRDHUP | EPOLLET);
    pair.client.send("unread");
    stage.arrived(pair);
    epoll.expect(false);
    pair.client.shutdown(SHUT_WR);
    epoll.expect();
    pair.server.recv(10);
    pair.server.recv(10);
    epoll.expect(false);
    pair.server.shutdown(SHUT_WR);
    epoll.expect();
}

/// The writer is told once when there is room again.
void room_again(Stage &stage) {
    Pair pair = stage.settled({.receive_buffer = 65536});
    const Epoll epoll(stage, pair.client, EPOLLOUT | EPOLLET);
    epoll.expect();
    Stream sent(1), received(1);
    const std::size_t total = pair.client.flood(sent, 65536);
    pair.server.here();
    const std::string got = pair.server.collect(received, total, 65536);
    pair.server.note(got.find("intact, open") != std::string::npos ? "takes all" : got);
    epoll.expect();
    epoll.expect(false);
}

/// Two sets watch one socket; both are told.
void two_watchers(Stage &stage) {
    Pair pair = stage.settled();
    const Epoll one(stage, pair.server, EPOLLIN), two(stage, pair.server, EPOLLIN | EPOLLET);
    pair.client.send("x");
    one.expect();
    two.expect();
    one.expect();
    two.expect(false);
}

} // namespace

std::vector<Row> wait_rows() {
    return {{.name = "poll_through_a_life", .run = poll_through_a_life},
            {.name = "select_call", .run = select_call},
            {.name = "level_triggered", .run = level_triggered},
            {.name = "edge_triggered", .run = edge_triggered},
            {.name = "one_shot", .run = one_shot},
            {.name = "peer_hangs_up", .run = peer_hangs_up},
            {.name = "room_again", .run = room_again, .naive = Naive::differs},
            {.name = "two_watchers", .run = two_watchers}};
}

} // namespace beeline::conformance
