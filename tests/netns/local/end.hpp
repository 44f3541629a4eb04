// SPDX-License-Identifier: Apache-2.0
//
// One end of a connection, as a program has it: each call happens on the CPU of this end, and its result is noted.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include <beeline/kernel/fd.hpp>

#include <netns/local/stream.hpp>
#include <netns/local/transcript.hpp>

namespace beeline::conformance {

/// How long what must come is waited for. Rows that pass never wait so long; those that are there to fail are given
/// less (run()).
inline std::chrono::milliseconds patience = std::chrono::seconds(2);
/// How long what must not come is given.
inline constexpr std::chrono::milliseconds kQuiet = std::chrono::milliseconds(30);

class End {
public:
    End(std::string name, kernel::UniqueFd fd, std::optional<int> cpu, bool blocking, Notes &notes)
        : name_(std::move(name)), fd_(std::move(fd)), cpu_(cpu), blocking_(blocking), notes_(&notes) {}

    // What is noted, with the name of the end in front.
    ssize_t send(std::string_view data, int flags = 0);
    /// Whatever one call gives, as text; more than 40 bytes as their number.
    ssize_t recv(std::size_t size, int flags = 0);
    /// recv() after waiting until there is something to say.
    ssize_t next(std::size_t size, int flags = 0);
    /// Waits until poll() says all of these, and notes which of them it does say.
    void await(unsigned events);
    /// What poll() says of these now. Only of what TCP decides at once.
    void look(unsigned events);
    /// Nothing of these for a while.
    void quiet(unsigned events);
    void shutdown(int how);
    void close();
    void set(int level, int option, int value, const char *name);
    /// size bytes of the stream by calls of at most piece bytes.
    void give(Stream &stream, std::size_t size, std::size_t piece);
    /// Sends without waiting until nothing has been taken for 80 ms (twice a delayed ACK), as a program that tries
    /// again; notes what has stopped it. Returns the bytes taken; more than TCP ever takes are cut off.
    std::size_t flood(Stream &stream, std::size_t piece);
    /// As many bytes as that, or to the end if size is 0; notes if they were right and what came after them.
    void take(Stream &stream, std::size_t size, std::size_t piece = 65536);
    void note(const std::string &what) const { notes_->note(name_ + " " + what); }

    // What is not noted; also for threads.
    /// This thread goes to the CPU of this end.
    void here() const;
    /// Waits with poll(); the events that it says, 0 at the end of patience.
    [[nodiscard]] unsigned wait(unsigned events, std::chrono::milliseconds time = patience) const;
    /// One recv() that brings something: a blocking socket blocks, another one is polled first.
    [[nodiscard]] ssize_t some(char *data, std::size_t size, int flags = 0) const;
    /// send() of all of it, blocking or polling. False with errno.
    [[nodiscard]] bool all(std::string_view data, int flags = 0) const;
    /// What a loop of recv() brings: "N bytes, intact, open". 0: to the end.
    [[nodiscard]] std::string collect(Stream &stream, std::size_t size, std::size_t piece) const;

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool blocking() const { return blocking_; }
    [[nodiscard]] const std::string &name() const { return name_; }
    [[nodiscard]] kernel::UniqueFd release() { return std::move(fd_); }
    void set_blocking(bool on);

private:
    std::string name_;
    kernel::UniqueFd fd_;
    std::optional<int> cpu_;
    bool blocking_;
    Notes *notes_;
};

} // namespace beeline::conformance
