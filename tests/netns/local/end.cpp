// SPDX-License-Identifier: Apache-2.0
#include "end.hpp"

#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// Text of bytes, for notes.
std::string shown(std::string_view bytes) {
    std::string text;
    for (const char c : bytes)
        text += c >= ' ' && c <= '~' ? std::string(1, c) : std::string("?");
    return bytes.size() > 40 ? std::string() : " '" + text + "'";
}

} // namespace

void End::here() const {
    if (!cpu_)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(*cpu_, &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0)
        notes_->stop("sched_setaffinity");
}

unsigned End::wait(unsigned events, std::chrono::milliseconds time) const {
    pollfd entry{.fd = fd(), .events = static_cast<short>(events), .revents = 0};
    const int n = ::poll(&entry, 1, static_cast<int>(time.count()));
    return n > 0 ? static_cast<unsigned short>(entry.revents) : 0;
}

ssize_t End::send(std::string_view data, int flags) {
    here();
    const ssize_t n = ::send(fd(), data.data(), data.size(), flags | MSG_NOSIGNAL);
    note(fmt::format("send({}, {:#x}) {}", data.size(), flags, result(n)));
    return n;
}

ssize_t End::recv(std::size_t size, int flags) {
    here();
    std::string data(size, '.');
    const ssize_t n = ::recv(fd(), data.data(), size, flags);
    const std::string how = result(n);
    // With MSG_TRUNC TCP must not have written anything.
    if (n > 0)
        data.resize(std::min(size, static_cast<std::size_t>(n)));
    note(fmt::format("recv({}, {:#x}) {}{}", size, flags, how, n > 0 ? shown(data) : ""));
    return n;
}

ssize_t End::next(std::size_t size, int flags) {
    if (wait(POLLIN) == 0) {
        note("has nothing to read");
        return 0;
    }
    return recv(size, flags);
}

void End::await(unsigned events) {
    here();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    unsigned seen = 0;
    do {
        seen = wait(events, std::chrono::milliseconds(5)) & events;
        if (seen != events && seen != 0)
            ::usleep(500);
    } while (seen != events && std::chrono::steady_clock::now() < deadline);
    note("sees " + event_names(seen));
}

void End::look(unsigned events) {
    here();
    note("sees now " + event_names(wait(events, std::chrono::milliseconds(0))));
}

void End::quiet(unsigned events) {
    here();
    note("sees later " + event_names(wait(events, kQuiet)));
}

void End::shutdown(int how) {
    here();
    const int r = ::shutdown(fd(), how);
    note(fmt::format("shutdown({}) {}", how, result(r)));
}

void End::close() {
    here();
    fd_ = kernel::UniqueFd();
    note("closes");
}

void End::set(int level, int option, int value, const char *name) {
    here();
    const int r = ::setsockopt(fd(), level, option, &value, sizeof value);
    note(fmt::format("{} {} {}", name, value, result(r)));
}

void End::set_blocking(bool on) {
    const int flags = ::fcntl(fd(), F_GETFL);
    if (::fcntl(fd(), F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) != 0)
        notes_->stop("O_NONBLOCK");
    blocking_ = on;
}

ssize_t End::some(char *data, std::size_t size, int flags) const {
    for (;;) {
        if (!blocking_ && wait(POLLIN) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        const ssize_t n = ::recv(fd(), data, size, flags);
        // A reader that was faster, or bytes that are not there in spite of poll(): only the latter repeats itself.
        if (n >= 0 || errno != EAGAIN || blocking_)
            return n;
    }
}

bool End::all(std::string_view data, int flags) const {
    while (!data.empty()) {
        if (!blocking_ && wait(POLLOUT) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        const ssize_t n = ::send(fd(), data.data(), data.size(), flags | MSG_NOSIGNAL);
        if (n > 0)
            data.remove_prefix(static_cast<std::size_t>(n));
        else if (n == 0 || errno != EAGAIN || blocking_)
            return false;
    }
    return true;
}

void End::give(Stream &stream, std::size_t size, std::size_t piece) {
    here();
    for (std::size_t left = size; left > 0;) {
        const std::string_view data = stream.ahead(std::min(left, piece));
        if (!all(data)) {
            note(fmt::format("gives {} of {} bytes: {}", size - left, size, error_name(errno)));
            return;
        }
        stream.advance(data.size());
        left -= data.size();
    }
    note(fmt::format("gives {} bytes", size));
}

std::size_t End::flood(Stream &stream, std::size_t piece) {
    constexpr std::size_t kFar = 24U << 20;
    here();
    std::size_t sent = 0;
    std::string why = "nothing";
    for (int quiet = 0; quiet < 80 && sent < kFar;) {
        const std::string_view data = stream.ahead(piece);
        const ssize_t n = ::send(fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            stream.advance(static_cast<std::size_t>(n));
            sent += static_cast<std::size_t>(n);
            quiet = 0;
            continue;
        }
        why = error_name(errno);
        ::usleep(1000);
        ++quiet;
    }
    note("is stopped by " + (sent < kFar ? why : "nothing"));
    return sent;
}

std::string End::collect(Stream &stream, std::size_t size, std::size_t piece) const {
    std::vector<char> buffer(piece);
    std::size_t got = 0;
    std::string end = "open";
    while (size == 0 || got < size) {
        const ssize_t n = some(buffer.data(), size == 0 ? piece : std::min(piece, size - got));
        if (n <= 0) {
            end = n == 0 ? "end" : error_name(errno);
            break;
        }
        got += static_cast<std::size_t>(n);
        stream.check(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    }
    return fmt::format("{} bytes, {}, {}", got, stream.intact() ? "intact" : "WRONG", end);
}

void End::take(Stream &stream, std::size_t size, std::size_t piece) {
    here();
    note("takes " + collect(stream, size, piece));
}

} // namespace beeline::conformance
