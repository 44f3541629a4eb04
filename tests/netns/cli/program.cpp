// SPDX-License-Identifier: Apache-2.0
#include "netns/cli/program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace beeline::cli_test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLimit{60};

struct Pipe {
    kernel::UniqueFd reader, writer;
    Pipe() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0)
            std::abort();
        reader = kernel::UniqueFd(ends[0]);
        writer = kernel::UniqueFd(ends[1]);
    }
};

[[noreturn]] void become(const std::vector<std::string> &arguments, const How &how) {
    // A test that is killed must leave no daemon behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (how.netns && setns(*how.netns, CLONE_NEWNET) != 0)
        _exit(126);
    if (how.uid && (setgroups(0, nullptr) != 0 || setresgid(*how.uid, *how.uid, *how.uid) != 0 ||
                    setresuid(*how.uid, *how.uid, *how.uid) != 0))
        _exit(126);
    for (const std::string &variable : how.env)
        putenv(const_cast<char *>(variable.c_str())); // putenv keeps the pointer, and does not write
    const char *path = how.program.empty() ? BEELINE_PROGRAM : how.program.c_str();
    std::vector<char *> argv = {const_cast<char *>(how.program.empty() ? "beeline" : path)};
    for (const std::string &argument : arguments)
        argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    execv(path, argv.data());
    _exit(127);
}

int status_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Waits for the end of a child; kills it when the time is over.
int reap(pid_t pid, Clock::time_point until) {
    int status = 0;
    for (;;) {
        const pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status_of(status);
        if (got < 0 && errno != EINTR)
            return -1;
        if (Clock::now() > until)
            kill(pid, SIGKILL);
        usleep(2000);
    }
}

/// Appends what can be read; false at the end.
bool append(int fd, std::string &text) {
    std::array<char, 8192> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got > 0)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

} // namespace

Ended run_program(const std::vector<std::string> &arguments, const How &how) {
    Ended ended;
    Pipe out, err;
    kernel::UniqueFd terminal;
    int slave = -1;
    if (how.terminal) {
        int master = -1;
        winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        if (openpty(&master, &slave, nullptr, nullptr, &size) != 0)
            std::abort();
        terminal = kernel::UniqueFd(master);
    }
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(how.terminal ? slave : null, 0);
        dup2(how.terminal ? slave : out.writer.get(), 1);
        dup2(err.writer.get(), 2);
        become(arguments, how);
    }
    if (slave >= 0)
        close(slave);
    out.writer = kernel::UniqueFd();
    err.writer = kernel::UniqueFd();
    const auto until = Clock::now() + how.limit;
    std::array<pollfd, 2> polled = {
        {{how.terminal ? terminal.get() : out.reader.get(), POLLIN, 0}, {err.reader.get(), POLLIN, 0}}};
    while ((polled[0].fd >= 0 || polled[1].fd >= 0) && Clock::now() < until) {
        poll(polled.data(), polled.size(), 100);
        for (std::size_t i = 0; i < polled.size(); ++i)
            if (polled[i].fd >= 0 && polled[i].revents != 0 && !append(polled[i].fd, i == 0 ? ended.out : ended.err))
                polled[i].fd = -1; // a terminal says EIO at its end
    }
    ended.status = reap(pid, until);
    return ended;
}

Background::Background(const std::vector<std::string> &arguments, const How &how) {
    Pipe pipe;
    int master = -1, slave = -1;
    if (how.terminal) {
        winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        if (openpty(&master, &slave, nullptr, nullptr, &size) != 0)
            std::abort();
    }
    pid_ = fork();
    if (pid_ == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(how.terminal ? slave : null, 0);
        dup2(how.terminal ? slave : pipe.writer.get(), 1);
        dup2(how.terminal ? slave : pipe.writer.get(), 2);
        become(arguments, how);
    }
    if (how.terminal) {
        close(slave);
        output_ = kernel::UniqueFd(master);
        fcntl(master, F_SETFD, FD_CLOEXEC);
    } else {
        output_ = std::move(pipe.reader);
    }
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
}

Background::~Background() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        reap(pid_, Clock::now() + kLimit);
    }
}

void Background::signal(int number) const {
    kill(pid_, number);
}

int Background::wait() {
    const auto until = Clock::now() + kLimit;
    for (;;) {
        (void)log(); // a full pipe would hold it up
        int status = 0;
        const pid_t got = waitpid(pid_, &status, WNOHANG);
        if (got == pid_) {
            (void)log();
            pid_ = -1;
            return status_of(status);
        }
        if (Clock::now() > until)
            kill(pid_, SIGKILL);
        usleep(2000);
    }
}

std::string Background::log() {
    std::size_t before = 0;
    do {
        before = log_.size();
        (void)append(output_.get(), log_);
    } while (log_.size() > before);
    return log_;
}

bool Background::logged(const std::string &text, std::chrono::seconds timeout) {
    const auto until = Clock::now() + timeout;
    while (Clock::now() < until) {
        if (log().find(text) != std::string::npos)
            return true;
        usleep(5000);
    }
    return false;
}

void Background::type(const std::string &keys) const {
    (void)!write(output_.get(), keys.data(), keys.size());
}

} // namespace beeline::cli_test
