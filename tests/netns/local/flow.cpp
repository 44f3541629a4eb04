// SPDX-License-Identifier: Apache-2.0
#include "flow.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include <poll.h>
#include <sys/socket.h>

#include <netns/local/transcript.hpp>

namespace beeline::conformance {

std::size_t random_size(std::mt19937_64 &random) {
    const double exponent = std::uniform_real_distribution<double>(0, 20)(random);
    return static_cast<std::size_t>(std::exp2(exponent));
}

void Flow::write() {
    const std::size_t piece = std::min<std::uint64_t>(random_size(random), to_send - sending.position());
    const ssize_t n = ::send(fd, sending.ahead(piece).data(), piece, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        sending.advance(static_cast<std::size_t>(n));
    else if (errno != EAGAIN)
        failure = "send: " + error_name(errno);
}

void Flow::read(std::vector<char> &buffer) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0 && !reading.check(std::string_view(buffer.data(), static_cast<std::size_t>(n))))
        failure = "wrong bytes";
    else if (n == 0)
        failure = "end";
    else if (n < 0 && errno != EAGAIN)
        failure = "recv: " + error_name(errno);
}

bool pump(std::vector<Flow> &flows, std::chrono::milliseconds patience) {
    thread_local std::vector<char> buffer(65536);
    std::vector<pollfd> entries(flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const int events = (flows[i].sends() ? POLLOUT : 0) | (flows[i].reads() ? POLLIN : 0);
        entries[i] = {.fd = events == 0 ? -1 : flows[i].fd, .events = static_cast<short>(events), .revents = 0};
    }
    if (std::ranges::all_of(entries, [](const pollfd &entry) { return entry.fd < 0; }) ||
        ::poll(entries.data(), entries.size(), static_cast<int>(patience.count())) <= 0)
        return false;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        if ((entries[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
            flows[i].read(buffer);
        if ((entries[i].revents & POLLOUT) != 0)
            flows[i].write();
    }
    return true;
}

} // namespace beeline::conformance
