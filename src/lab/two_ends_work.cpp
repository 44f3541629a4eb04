// SPDX-License-Identifier: Apache-2.0
//
// Runs in a process that was forked from one with several threads: nothing here allocates memory.
#include "lab/two_ends_work.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/host.hpp"

namespace beeline::lab {
namespace {

constexpr std::size_t kRequest = 64; ///< Of the warm-up.
constexpr std::size_t kRead = 1 << 16;
constexpr int kPatienceMs = 10'000;
constexpr int kQuietMs = 20; ///< A flood is over when nothing has been taken for so long.

void require(bool held) {
    if (!held)
        ::_exit(1);
}

void nap(long microseconds) {
    const timespec time{.tv_sec = 0, .tv_nsec = microseconds * 1000};
    ::nanosleep(&time, nullptr);
}

/// A socket and the epoll that waits for it.
class Loop {
public:
    explicit Loop(int fd) : fd_(fd), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        epoll_event event{.events = EPOLLIN, .data = {}};
        require(epoll_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) == 0);
    }

    void watch(std::uint32_t events) const {
        epoll_event event{.events = events, .data = {}};
        require(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event) == 0);
    }
    void wait() const {
        epoll_event event{};
        require(::epoll_wait(epoll_, &event, 1, kPatienceMs) == 1);
    }
    /// What there is at once; 0: nothing, or no room.
    [[nodiscard]] std::size_t receive(std::byte *to, std::size_t size) const {
        const ssize_t n = ::recv(fd_, to, size, 0);
        require(n > 0 || (n < 0 && errno == EAGAIN));
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    [[nodiscard]] std::size_t send(const std::byte *from, std::size_t size) const {
        const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
        require(n > 0 || (n < 0 && errno == EAGAIN));
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    /// Waits for room first when there was none; watch() says what for.
    void send_all(const std::byte *from, std::size_t size) const {
        for (std::size_t done = 0; done < size;) {
            const std::size_t n = send(from + done, size - done);
            if (n == 0)
                wait();
            done += n;
        }
    }
    void receive_all(std::byte *to, std::size_t size) const {
        for (std::size_t done = 0; done < size;) {
            wait();
            done += receive(to + done, size - done);
        }
    }

private:
    int fd_, epoll_;
};

class Work {
public:
    Work(int fd, bool client, const Talk &talk, Board &board)
        : loop_(fd), talk_(talk), board_(board), client_(client), buffer_{} {}

    void run() {
        wait_for_leave(Board::warm);
        client_ ? ask_until_leave() : answer_until_told();
        finish(Board::warm);
        wait_for_leave(Board::talked);
        switch (talk_.kind) {
        case Talk::Kind::ping_pong:
            client_ ? ask() : answer();
            break;
        case Talk::Kind::stream:
            client_ ? write() : read();
            break;
        case Talk::Kind::flood:
            if (client_)
                flood();
            break;
        }
        finish(Board::talked);
        wait_for_leave(Board::checked);
        client_ ? write_check() : read_check();
        finish(Board::checked);
    }

private:
    void wait_for_leave(std::uint32_t step) const {
        while (board_.leave.load() < step)
            nap(100);
    }
    void finish(std::uint32_t step) const { board_.finished[client_ ? 0 : 1].store(step); }

    // The first byte says whether another request follows.
    void ask_until_leave() {
        bool last = false;
        while (!last) {
            last = board_.leave.load() > Board::warm;
            buffer_[0] = std::byte{last};
            loop_.send_all(buffer_.data(), kRequest);
            loop_.receive_all(buffer_.data(), kRequest);
            ++board_.round_trips;
        }
    }
    void answer_until_told() {
        do {
            loop_.receive_all(buffer_.data(), kRequest);
            loop_.send_all(buffer_.data(), kRequest);
        } while (buffer_[0] == std::byte{0});
    }

    void ask() {
        board_.began = wall_seconds();
        const double until = board_.began + std::chrono::duration<double>(talk_.time).count();
        std::uint32_t n = 0;
        bool last = false;
        for (double now = board_.began; !last; ++n) {
            last = now >= until || n + 1 == kSamples;
            buffer_[0] = std::byte{last};
            const double before = wall_seconds();
            loop_.send_all(buffer_.data(), talk_.bytes);
            loop_.receive_all(buffer_.data(), talk_.bytes);
            now = wall_seconds();
            board_.round_trip_us[n] = static_cast<float>((now - before) * 1e6);
        }
        board_.samples = n;
        board_.total = n * talk_.bytes * 2;
    }
    void answer() {
        do {
            loop_.receive_all(buffer_.data(), talk_.bytes);
            loop_.send_all(buffer_.data(), talk_.bytes);
        } while (buffer_[0] == std::byte{0});
    }

    void write() {
        loop_.watch(EPOLLOUT);
        board_.began = wall_seconds();
        const double until = board_.began + std::chrono::duration<double>(talk_.time).count();
        std::uint64_t sent = 0;
        for (unsigned i = 0; i % 16 != 0 || wall_seconds() < until; ++i) {
            loop_.send_all(board_.pattern.data(), talk_.bytes);
            sent += talk_.bytes;
        }
        board_.total = sent + talk_.bytes; // before the last write: who reads that knows
        loop_.send_all(board_.pattern.data(), talk_.bytes);
    }
    void read() {
        for (std::uint64_t received = 0; board_.total == 0 || received < board_.total;) {
            const std::size_t n = loop_.receive(buffer_.data(), kRead);
            if (n == 0)
                loop_.wait();
            received += n;
        }
        board_.ended = wall_seconds();
    }

    /// The pattern from the place where it stands after `offset` bytes of it.
    [[nodiscard]] std::size_t write_some(std::uint64_t offset, std::uint64_t left) const {
        const std::size_t at = offset % kPattern;
        return loop_.send(board_.pattern.data() + at, std::min<std::size_t>({talk_.bytes, kPattern - at, left}));
    }
    void flood() {
        std::uint64_t sent = 0;
        for (int quiet = 0; quiet < kQuietMs;) {
            const std::size_t n = write_some(sent, UINT64_MAX);
            if (n == 0)
                nap(1000);
            quiet = n == 0 ? quiet + 1 : 0;
            sent += n;
        }
        board_.total = sent;
    }

    void write_check() {
        if (talk_.kind == Talk::Kind::flood)
            return;
        loop_.watch(EPOLLOUT);
        for (std::uint64_t sent = 0; sent < kPattern;) {
            const std::size_t n = write_some(sent, kPattern - sent);
            if (n == 0)
                loop_.wait();
            sent += n;
        }
    }
    void read_check() {
        const std::uint64_t all = talk_.kind == Talk::Kind::flood ? board_.total.load() : kPattern;
        for (std::uint64_t got = 0; got < all;) {
            loop_.wait();
            const std::size_t at = got % kPattern;
            const std::size_t n =
                loop_.receive(buffer_.data(), std::min<std::size_t>({kRead, kPattern - at, all - got}));
            if (std::memcmp(buffer_.data(), board_.pattern.data() + at, n) != 0)
                board_.damaged = 1;
            got += n;
        }
    }

    Loop loop_;
    const Talk &talk_;
    Board &board_;
    bool client_;
    std::array<std::byte, kRead> buffer_;
};

} // namespace

void work(int fd, bool client, const Talk &talk, Board &board) {
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(talk.cpus[client ? 0 : 1], &cpu);
    require(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::sched_setaffinity(0, sizeof cpu, &cpu) == 0);
    Work(fd, client, talk, board).run();
    // Stays until it is ended: whoever closes first would change what the other one sees.
    while (true)
        ::pause();
}

} // namespace beeline::lab
