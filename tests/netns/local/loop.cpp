// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

namespace beeline::conformance {

void drained_by(Stage &stage, More more, void (*send)(End &client, Stream &sent)) {
    Pair pair = stage.settled();
    const kernel::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {}};
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pair.server.fd(), &event) != 0)
        stage.notes.stop("epoll_ctl");
    Stream sent(6), received(6);
    send(pair.client, sent);
    pair.server.here();
    std::vector<char> buffer(16384);
    const int time = static_cast<int>(patience.count());
    while (received.position() < sent.position() && ::epoll_wait(epoll.get(), &event, 1, time) == 1)
        for (ssize_t n = 0; (n = ::recv(pair.server.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
            if (!received.check(std::string_view(buffer.data(), static_cast<std::size_t>(n))) ||
                !more(pair.server.fd(), static_cast<std::size_t>(n), buffer.size()))
                break;
    const bool all = received.position() == sent.position() && received.intact();
    pair.server.note(all ? "has all" : fmt::format("waits for ever after {} bytes", received.position()));
}

} // namespace beeline::conformance
