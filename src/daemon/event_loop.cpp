// SPDX-License-Identifier: Apache-2.0
#include "daemon/event_loop.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace beeline::daemon {
namespace {

Result<> add(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno(errno, "epoll");
    return {};
}

} // namespace

Result<EventLoop> EventLoop::create() {
    std::signal(SIGPIPE, SIG_IGN); // a client of the control socket that goes away
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGHUP, SIGTERM, SIGINT})
        sigaddset(&set, signal);
    if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0)
        return fail_errno(error, "block signals");
    kernel::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC)), signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)),
        timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!epoll.valid() || !signals.valid() || !timer.valid())
        return fail_errno(errno, "event loop");
    itimerspec second{};
    second.it_interval.tv_sec = second.it_value.tv_sec = 1;
    if (timerfd_settime(timer.get(), 0, &second, nullptr) != 0)
        return fail_errno(errno, "timer");
    BL_CHECK(add(epoll.get(), signals.get()));
    BL_CHECK(add(epoll.get(), timer.get()));
    return EventLoop(std::move(epoll), std::move(signals), std::move(timer));
}

Result<> EventLoop::watch(Source source, std::optional<int> fd) {
    std::optional<int> &watched = sources_.at(static_cast<std::size_t>(source));
    if (watched) // may be closed already, then it is out by itself
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, *watched, nullptr);
    watched = std::nullopt;
    if (!fd)
        return {};
    BL_CHECK(add(epoll_.get(), *fd));
    watched = fd;
    return {};
}

Result<EventLoop::Wake> EventLoop::wait(std::optional<std::chrono::milliseconds> timeout) {
    std::array<epoll_event, 8> events{};
    const int count =
        epoll_wait(epoll_.get(), events.data(), events.size(), timeout ? static_cast<int>(timeout->count()) : -1);
    if (count < 0 && errno != EINTR)
        return fail_errno(errno, "epoll");
    Wake wake;
    for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == timer_.get()) {
            std::uint64_t ticks = 0;
            wake.tick = read(timer_.get(), &ticks, sizeof ticks) == sizeof ticks;
        } else if (fd == signals_.get()) {
            signalfd_siginfo info{};
            while (read(signals_.get(), &info, sizeof info) == sizeof info)
                (info.ssi_signo == SIGHUP ? wake.reload : wake.end) = true;
        } else {
            for (std::size_t source = 0; source < sources_.size(); ++source)
                wake.readable[source] |= sources_[source] == fd;
        }
    }
    return wake;
}

} // namespace beeline::daemon
