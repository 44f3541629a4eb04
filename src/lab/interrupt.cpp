// SPDX-License-Identifier: Apache-2.0
#include "lab/interrupt.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace beeline::lab {

Result<std::unique_ptr<OnInterrupt>> OnInterrupt::arm(std::function<void()> clean_up) {
    std::unique_ptr<OnInterrupt> self(new OnInterrupt);
    self->clean_up_ = std::move(clean_up);
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::sigaddset(&wanted, signal);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &self->before_);
    self->signals_ = kernel::UniqueFd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    self->end_ = kernel::UniqueFd(::eventfd(0, EFD_CLOEXEC));
    if (!self->signals_.valid() || !self->end_.valid())
        return fail_errno(errno, "watch for signals"); // The destructor puts the mask back.
    self->thread_ = std::thread([watcher = self.get()] { watcher->watch(); });
    return self;
}

void OnInterrupt::watch() {
    std::array<pollfd, 2> wait{
        {{.fd = signals_.get(), .events = POLLIN, .revents = 0}, {.fd = end_.get(), .events = POLLIN, .revents = 0}}};
    while (true) {
        if (::poll(wait.data(), wait.size(), -1) < 0)
            continue;
        signalfd_siginfo info{};
        if (wait[0].revents != 0 && ::read(signals_.get(), &info, sizeof info) == sizeof info) {
            clean_up_();
            constexpr std::string_view kWord = "\ninterrupted; what the lab had made is removed\n";
            [[maybe_unused]] const auto said = ::write(STDERR_FILENO, kWord.data(), kWord.size());
            ::_exit(128 + static_cast<int>(info.ssi_signo));
        }
        if (wait[1].revents != 0)
            return;
    }
}

OnInterrupt::~OnInterrupt() {
    if (thread_.joinable()) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(end_.get(), &one, sizeof one);
        thread_.join();
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace beeline::lab
