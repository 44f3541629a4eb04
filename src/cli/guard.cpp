// SPDX-License-Identifier: Apache-2.0
#include "cli/guard.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <beeline/edge/edge.hpp>
#include <beeline/kernel/prog.hpp>

namespace beeline::cli {
namespace {

/// Somebody else may be changing the edge just when the time is over.
constexpr int kAttempts = 60;

/// Leaves the terminal, the session and every descriptor but keep, which becomes number 3.
void detach(int keep) {
    setsid();
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE})
        std::signal(signal, SIG_IGN);
    if (chdir("/") != 0)
        _exit(1);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(1);
    if (keep != 3 && dup2(keep, 3) < 0)
        _exit(1);
    close_range(4, ~0U, 0);
}

/// How often the guard looks whether its change still waits for a confirmation: it must not outlive that for long, and
/// generations are numbered anew after `down`, so it must not be there any more when another one has its number.
constexpr std::chrono::seconds kLook{2};

/// CLOCK_BOOTTIME: a laptop's sleep counts.
timespec in(std::chrono::seconds wait) {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    time.tv_sec += wait.count();
    return time;
}

void sleep_until(const timespec &time) {
    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nullptr) == EINTR) {
    }
}

bool before(const timespec &a, const timespec &b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/// The live policy's program while a change waits for its confirmation; 0: none waits. The kernel gives no number
/// twice.
Result<std::uint32_t> trial(const edge::Edge &edge) {
    BL_TRY(const edge::Status status, edge.status());
    if (!status.rollback_in)
        return 0;
    BL_TRY(const edge::Edge::Live live, edge.live());
    BL_TRY(const kernel::ProgInfo info, kernel::prog_info(live.program.fd("edge_policy")));
    return info.id;
}

/// Waits until the time is over; false: what it was for is gone before. Only the second look in a row that says so is
/// believed, as somebody may be changing the edge just now; an error says nothing but that none is up.
bool wait_for(const edge::Edge &edge, const timespec &end) {
    std::uint32_t watched = 0;
    int gone = 0;
    for (timespec look = in(std::chrono::seconds(0)); before(look, end); look = in(kLook)) {
        sleep_until(look);
        const auto now = trial(edge);
        if (watched == 0)
            watched = now.value_or(0);
        const bool none_up = !now && now.error().kind == Kind::host && now.error().code == 0;
        gone = none_up || (now && (*now == 0 || *now != watched)) ? gone + 1 : 0;
        if (gone == 2)
            return false;
    }
    sleep_until(end);
    return true;
}

/// What arm() and dismiss() send: the generation to watch, 0 for none.
std::optional<std::uint32_t> told(int pipe) {
    std::uint32_t generation = 0;
    ssize_t got = 0;
    do {
        got = read(pipe, &generation, sizeof generation);
    } while (got < 0 && errno == EINTR);
    return got == sizeof generation ? std::optional(generation) : std::nullopt;
}

void roll_back(edge::Edge &edge, std::uint32_t generation) {
    openlog("beeline", LOG_PID, LOG_DAEMON);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const auto done = edge.rollback(generation);
        if (done) {
            if (*done)
                syslog(LOG_WARNING, "generation %u was not confirmed: rolled back", generation);
            return;
        }
        syslog(LOG_ERR, "roll generation %u back: %s", generation, done.error().message().c_str());
        sleep_until(in(std::chrono::seconds(1)));
    }
}

[[noreturn]] void guard(const std::string &pins, std::chrono::seconds wait) {
    auto edge = edge::Edge::open(pins);
    std::optional<std::uint32_t> generation = told(3);
    if (!edge || generation == 0)
        _exit(0);
    if (!generation) { // whoever should tell was killed
        const auto status = edge->status();
        if (!status || !status->rollback_in)
            _exit(0);
        generation = status->generation;
        wait = *status->rollback_in;
    }
    if (!wait_for(*edge, in(wait)))
        _exit(0);
    roll_back(*edge, *generation);
    _exit(0);
}

} // namespace

Result<Guard> Guard::start(const std::string &pins, std::chrono::seconds wait) {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_errno(errno, "pipe");
    kernel::UniqueFd reader(ends[0]), writer(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return fail_errno(errno, "start the guard of --confirm");
    if (child == 0) {
        detach(reader.get());
        const pid_t grandchild = fork(); // init inherits it
        if (grandchild == 0)
            guard(pins, wait);
        _exit(grandchild < 0 ? 1 : 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(Kind::host, 0, "the guard of --confirm did not start", "nothing was changed");
    return Guard(std::move(writer));
}

Result<> Guard::arm(std::uint32_t generation) {
    if (write(pipe_.get(), &generation, sizeof generation) != sizeof generation)
        return fail_errno(errno, "tell the guard of --confirm");
    return {};
}

void Guard::dismiss() {
    (void)arm(0);
}

} // namespace beeline::cli
