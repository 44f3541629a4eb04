// SPDX-License-Identifier: Apache-2.0
//
// Several tasks and one socket; tasks that block in it. Of a connection that came onto the short cut O_NONBLOCK is
// cleared first.
#include <netns/local/row.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

Pair blocking_pair(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.set_blocking(true);
    pair.server.set_blocking(true);
    return pair;
}

/// What a thread's recv() gives while other things happen.
class Reader {
public:
    Reader(const End &end, std::size_t size)
        : end_(&end), thread_([this, size] {
              end_->here();
              std::string data(size, '.');
              ready_ = ::pthread_self();
              const ssize_t n = ::recv(end_->fd(), data.data(), size, 0);
              result_ = result(n) + (n > 0 ? " " + data.substr(0, static_cast<std::size_t>(n)) : "");
              done_ = true;
          }) {
        while (ready_ == 0)
            ::usleep(100);
        ::usleep(15000); // It blocks by now; if not, it sees the same.
    }
    std::string get() {
        thread_.join();
        return result_;
    }
    [[nodiscard]] bool done() const { return done_; }
    [[nodiscard]] pthread_t thread() const { return ready_; }

private:
    const End *end_;
    std::string result_;
    std::atomic<pthread_t> ready_ = 0;
    std::atomic<bool> done_ = false;
    std::jthread thread_;
};

void blocked_reader(Stage &stage) {
    Pair pair = blocking_pair(stage);
    for (int i = 0; i < 3; ++i) {
        Reader reader(pair.server, 10);
        pair.client.send("wakes");
        pair.server.note("reader " + reader.get());
    }
    Reader reader(pair.server, 10);
    pair.client.shutdown(SHUT_WR);
    pair.server.note("reader " + reader.get());
}

void blocked_reader_is_reset(Stage &stage) {
    Pair pair = blocking_pair(stage);
    const linger hard{.l_onoff = 1, .l_linger = 0};
    if (::setsockopt(pair.client.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) != 0)
        stage.notes.stop("SO_LINGER");
    Reader reader(pair.server, 10);
    pair.client.close();
    pair.server.note("reader " + reader.get());
}

/// shutdown() by another thread ends the wait.
void blocked_reader_is_shut_down(Stage &stage) {
    Pair pair = blocking_pair(stage);
    Reader reader(pair.server, 10);
    pair.server.shutdown(SHUT_RD);
    pair.server.note("reader " + reader.get());
}

void handle_signals(int flags) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = flags;
    ::sigaction(SIGUSR1, &action, nullptr);
}

/// Without SA_RESTART the first signal ends the call; more are sent for the case that it was not in the call yet.
void signal_ends_a_read(Stage &stage) {
    Pair pair = blocking_pair(stage);
    handle_signals(0);
    Reader reader(pair.server, 10);
    for (int i = 0; i < 100 && !reader.done(); ++i) {
        ::pthread_kill(reader.thread(), SIGUSR1);
        ::usleep(5000);
    }
    pair.server.note("reader " + reader.get());
    pair.client.send("later");
    pair.server.next(10);
}

void signals_restart_a_read(Stage &stage) {
    Pair pair = blocking_pair(stage);
    handle_signals(SA_RESTART);
    Reader reader(pair.server, 10);
    for (int i = 0; i < 5; ++i) {
        ::pthread_kill(reader.thread(), SIGUSR1);
        ::usleep(2000);
    }
    pair.server.note(reader.done() ? "the reader did not wait" : "the reader waits");
    pair.client.send("later");
    pair.server.note("reader " + reader.get());
}

/// Each message is for one of them; the other one goes on waiting.
void two_blocked_readers(Stage &stage) {
    Pair pair = blocking_pair(stage);
    for (int round = 0; round < 5; ++round) {
        Reader one(pair.server, 10), two(pair.server, 10);
        pair.client.send("x");
        for (int i = 0; i < 400 && !one.done() && !two.done(); ++i)
            ::usleep(5000);
        ::usleep(2000);
        pair.server.note(one.done() != two.done() ? "one has returned" : "none or both have returned");
        pair.client.send("x");
        const std::string first = one.get();
        pair.server.note("readers " + first + two.get());
    }
}

/// A thread writes to the socket that another one waits for.
void writer_beside_a_blocked_reader(Stage &stage) {
    Pair pair = blocking_pair(stage);
    Stream back(1), back_received(1);
    constexpr std::size_t kSize = 6'000'000;
    Reader reader(pair.server, 10);
    std::string wrote, got;
    {
        const std::jthread writer([&] {
            pair.server.here();
            wrote = "all";
            while (back.position() < kSize && wrote == "all") {
                if (!pair.server.all(back.ahead(100000)))
                    wrote = error_name(errno);
                back.advance(100000);
            }
        });
        pair.client.here();
        got = pair.client.collect(back_received, kSize, 30000);
    }
    pair.server.note("writer wrote " + wrote);
    pair.client.note("takes " + got);
    pair.server.note(reader.done() ? "the reader did not wait" : "the reader waits");
    pair.client.send("at last");
    pair.server.note("reader " + reader.get());
}

/// The flag goes away and comes back.
void blocking_for_a_while(Stage &stage) {
    Pair pair = stage.settled();
    for (int i = 0; i < 3; ++i) {
        pair.server.set_blocking(true);
        {
            Reader reader(pair.server, 10);
            pair.client.send("blocking");
            pair.server.note("reader " + reader.get());
        }
        pair.server.set_blocking(stage.way.blocking);
        pair.client.send("polled");
        pair.server.next(10);
        pair.server.recv(10, MSG_DONTWAIT);
    }
}

/// Records of several writers: each writer's own are in order.
void many_writers(Stage &stage) {
    constexpr std::uint32_t kWriters = 4, kRecords = 1500;
    struct Record {
        std::uint32_t writer, number;
        std::array<std::uint32_t, 14> fill;
    };
    Pair pair = stage.settled();
    std::array<std::string, kWriters> failed;
    std::string order = "in order";
    {
        std::vector<std::jthread> writers;
        for (std::uint32_t writer = 0; writer < kWriters; ++writer)
            writers.emplace_back([&, writer] {
                pair.client.here();
                for (std::uint32_t i = 0; i < kRecords && failed[writer].empty(); ++i) {
                    const Record record{.writer = writer, .number = i, .fill = {}};
                    if (!pair.client.all({reinterpret_cast<const char *>(&record), sizeof record}))
                        failed[writer] = error_name(errno);
                }
            });
        std::array<std::uint32_t, kWriters> next{};
        pair.server.here();
        for (std::uint32_t i = 0; i < kWriters * kRecords; ++i) {
            std::array<char, sizeof(Record)> bytes{};
            for (std::size_t got = 0; got < bytes.size();) {
                const ssize_t n = pair.server.some(bytes.data() + got, bytes.size() - got);
                if (n <= 0)
                    break;
                got += static_cast<std::size_t>(n);
            }
            Record record{};
            std::memcpy(&record, bytes.data(), sizeof record);
            if (record.writer >= kWriters || record.number != next[record.writer]++) {
                order = "out of order";
                break;
            }
        }
    }
    for (const std::string &text : failed)
        pair.client.note("writer " + (text.empty() ? "wrote all" : text));
    pair.server.note("reads records " + order);
}

/// Together the readers get every byte once, and all see the end.
void many_readers(Stage &stage) {
    constexpr std::size_t kSize = 400000;
    Pair pair = stage.settled();
    std::array<std::uint64_t, 3> counts{}, sums{};
    std::array<std::string, 3> ends;
    Stream sent(9);
    std::uint64_t sum = 0;
    {
        std::vector<std::jthread> readers;
        for (std::size_t i = 0; i < counts.size(); ++i)
            readers.emplace_back([&, i] {
                std::array<char, 700> buffer{};
                ssize_t n = 0;
                while ((n = pair.server.some(buffer.data(), buffer.size())) > 0) {
                    counts[i] += static_cast<std::size_t>(n);
                    for (ssize_t at = 0; at < n; ++at)
                        sums[i] += static_cast<unsigned char>(buffer[static_cast<std::size_t>(at)]);
                }
                ends[i] = n == 0 ? "the end" : error_name(errno);
            });
        pair.client.here();
        while (sent.position() < kSize && pair.client.all(sent.ahead(200))) {
            for (const char c : sent.ahead(200))
                sum += static_cast<unsigned char>(c);
            sent.advance(200);
            if (sent.position() % 20000 == 0)
                ::usleep(1000);
        }
        pair.client.shutdown(SHUT_WR);
    }
    for (const std::string &end : ends)
        pair.server.note("a reader sees " + end);
    pair.server.note(fmt::format("readers got {} bytes, {}", counts[0] + counts[1] + counts[2],
                                 sums[0] + sums[1] + sums[2] == sum ? "the right ones" : "others"));
}

/// Runs f in a process of its own and waits for it.
void in_child(Stage &stage, const std::function<void()> &f) {
    const pid_t pid = ::fork();
    if (pid < 0)
        stage.notes.stop("fork");
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        f();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    stage.notes.note(fmt::format("child ended with {}", status));
}

/// Two processes have the same socket; it ends when both have closed it.
void forked(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.send("parent");
    in_child(stage, [&] {
        pair.client.send(", child");
        pair.server.next(6);
    });
    stage.arrived(pair);
    pair.server.next(40);
    pair.server.look(POLLRDHUP);
    pair.server.send("back");
    pair.client.next(40);
    pair.client.close();
    pair.server.await(POLLIN | POLLRDHUP);
    pair.server.recv(10);
}

/// Another process gets the server's socket by SCM_RIGHTS, and it alone goes on.
void handed_over(Stage &stage) {
    Pair pair = stage.settled();
    std::array<int, 2> unix{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, unix.data()) != 0)
        stage.notes.stop("socketpair");
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    char byte = 'f';
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = pair.server.fd();
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (::sendmsg(unix[0], &message, 0) != 1)
        stage.notes.stop("sendmsg of a socket");
    pair.client.send("for whom?");
    stage.arrived(pair);
    pair.server.close();
    in_child(stage, [&] {
        int got = -1;
        if (::recvmsg(unix[1], &message, 0) != 1)
            stage.notes.stop("recvmsg of a socket");
        std::memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
        End heir("heir", kernel::UniqueFd(got), std::nullopt, stage.way.blocking, stage.notes);
        heir.next(20);
        heir.send("for me");
    });
    pair.client.next(20);
    pair.client.await(POLLIN | POLLRDHUP);
    pair.client.recv(20);
}

} // namespace

std::vector<Row> task_rows() {
    return {{.name = "blocked_reader", .run = blocked_reader},
            {.name = "blocked_reader_is_reset",
             .run = blocked_reader_is_reset,
             .naive = Naive::differs,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "blocked_reader_is_shut_down",
             .run = blocked_reader_is_shut_down,
             .naive = Naive::differs,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "signal_ends_a_read",
             .run = signal_ends_a_read,
             .naive = Naive::differs,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "signals_restart_a_read",
             .run = signals_restart_a_read,
             .naive = Naive::differs,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "two_blocked_readers",
             .run = two_blocked_readers,
             .naive = Naive::differs,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "writer_beside_a_blocked_reader",
             .run = writer_beside_a_blocked_reader,
             .naive = Naive::either,
             .limit = "O_NONBLOCK cleared: EAGAIN at first"},
            {.name = "blocking_for_a_while", .run = blocking_for_a_while},
            {.name = "many_writers", .run = many_writers, .naive = Naive::either},
            {.name = "many_readers", .run = many_readers, .naive = Naive::either},
            {.name = "forked", .run = forked},
            {.name = "handed_over", .run = handed_over}};
}

} // namespace beeline::conformance
