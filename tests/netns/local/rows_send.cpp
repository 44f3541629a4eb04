// SPDX-License-Identifier: Apache-2.0
//
// Ways of sending.
#include <netns/local/row.hpp>

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// The application is told when its pages are free again.
void zerocopy(Stage &stage) {
    Pair pair = stage.settled();
    pair.client.set(SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
    for (int i = 0; i < 2; ++i) {
        Stream sent(1), received(1);
        const ssize_t n = pair.client.send(sent.ahead(40000), MSG_ZEROCOPY);
        pair.server.take(received, n > 0 ? static_cast<std::size_t>(n) : 0);
        pair.client.await(POLLERR);
        if (pair.client.wait(POLLERR, std::chrono::milliseconds(0)) == 0)
            return;
        std::array<char, 256> control{};
        msghdr message{};
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        pair.client.note("MSG_ERRQUEUE " + result(::recvmsg(pair.client.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT)));
        for (cmsghdr *part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
            sock_extended_err error{};
            std::memcpy(&error, CMSG_DATA(part), sizeof error);
            pair.client.note(fmt::format("completion {} to {}", error.ee_info, error.ee_data));
        }
    }
}

/// Nothing is promised of when such bytes go; but all go, in order.
void more_to_come(Stage &stage) {
    Pair pair = stage.settled();
    for (int i = 0; i < 3; ++i) {
        Stream sent(2), received(2);
        for (int part = 0; part < 10; ++part) {
            pair.client.send(sent.ahead(300), part == 9 ? 0 : MSG_MORE);
            sent.advance(300);
        }
        pair.server.take(received, 3000);
    }
    pair.client.send("corked at the end", MSG_MORE);
    pair.client.shutdown(SHUT_WR);
    Stream rest(0);
    pair.server.next(40);
}

void corked(Stage &stage) {
    Pair pair = stage.settled();
    Stream sent(3), received(3);
    pair.client.set(IPPROTO_TCP, TCP_CORK, 1, "TCP_CORK");
    pair.client.give(sent, 5000, 100);
    pair.client.set(IPPROTO_TCP, TCP_CORK, 0, "TCP_CORK");
    pair.server.take(received, 5000);
}

void sendfile(Stage &stage) {
    Pair pair = stage.settled();
    constexpr std::size_t kSize = 50000;
    Stream sent(4), received(4);
    const kernel::UniqueFd file(::memfd_create("row", MFD_CLOEXEC));
    if (::write(file.get(), sent.ahead(kSize).data(), kSize) != static_cast<ssize_t>(kSize))
        stage.notes.stop("memfd");
    for (int i = 0; i < 2; ++i) {
        Stream again(4);
        pair.client.here();
        off_t at = 0;
        while (at < static_cast<off_t>(kSize)) {
            if (pair.client.wait(POLLOUT) == 0 ||
                (::sendfile(pair.client.fd(), file.get(), &at, kSize - static_cast<std::size_t>(at)) <= 0 &&
                 errno != EAGAIN))
                break;
        }
        pair.client.note(fmt::format("sendfile up to {}", at));
        pair.server.take(again, kSize);
    }
}

/// writev(), sendmmsg(), and nothing at all.
void gathered(Stage &stage) {
    Pair pair = stage.settled();
    std::string one = "one ", two = "two ", big(20000, 'b');
    std::array<iovec, 3> parts{iovec{one.data(), one.size()}, iovec{two.data(), two.size()},
                               iovec{big.data(), big.size()}};
    pair.client.note("writev " + result(::writev(pair.client.fd(), parts.data(), 2)));
    stage.arrived(pair);
    pair.server.next(40);
    pair.client.send("");
    pair.server.quiet(POLLIN);
    mmsghdr messages[3]{};
    for (std::size_t i = 0; i < 3; ++i) {
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    pair.client.note("sendmmsg " + result(::sendmmsg(pair.client.fd(), messages, 3, MSG_NOSIGNAL)));
    stage.arrived(pair);
    pair.server.next(8);
    std::string rest;
    std::array<char, 4096> buffer{};
    while (rest.size() < big.size()) {
        const ssize_t n = pair.server.some(buffer.data(), buffer.size());
        if (n <= 0)
            break;
        rest.append(buffer.data(), static_cast<std::size_t>(n));
    }
    pair.server.note(rest == big ? "reads the big part" : "reads something else");
}

/// The time-out of a blocked send.
void send_timeout(Stage &stage) {
    Pair pair = stage.settled({.receive_buffer = 65536});
    const timeval time{.tv_sec = 0, .tv_usec = 100000};
    if (::setsockopt(pair.client.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) != 0)
        stage.notes.stop("SO_SNDTIMEO");
    Stream sent(6);
    pair.client.here();
    ssize_t n = 0;
    for (std::size_t total = 0; total < (48U << 20) && n >= 0; total += static_cast<std::size_t>(n))
        n = ::send(pair.client.fd(), sent.ahead(500000).data(), 500000, MSG_NOSIGNAL);
    pair.client.note(n < 0 ? "ends with " + error_name(errno) : "is not stopped");
}

/// Old data of a buffer that is written again at once must not change on its way.
void reused_buffer(Stage &stage) {
    Pair pair = stage.settled();
    std::string buffer(20000, 'a');
    pair.client.send(buffer);
    buffer.assign(buffer.size(), 'b');
    std::string got;
    std::array<char, 4096> part{};
    while (got.size() < buffer.size()) {
        const ssize_t n = pair.server.some(part.data(), part.size());
        if (n <= 0)
            break;
        got.append(part.data(), static_cast<std::size_t>(n));
    }
    pair.server.note(got == std::string(20000, 'a') ? "reads what was sent" : "reads something else");
}

/// SIOCOUTQ: what the peer has not acknowledged goes down to nothing when it has, and stays while it cannot.
void count_of_unsent(Stage &stage) {
    Pair pair = stage.settled();
    const auto left = [&] {
        int bytes = -1;
        return ::ioctl(pair.client.fd(), SIOCOUTQ, &bytes) == 0 ? bytes : -1;
    };
    const auto all_sent = [&] {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (left() != 0 && std::chrono::steady_clock::now() < deadline)
            ::usleep(1000);
        pair.client.note(left() == 0 ? "has nothing unsent" : "has something unsent");
    };
    all_sent();
    pair.client.send("12345678");
    all_sent();
    Stream sent(8), received(8);
    const std::size_t size = pair.client.flood(sent, 65536);
    pair.client.note(left() > 0 ? "has something unsent" : "has nothing unsent");
    pair.server.recv(8);
    pair.server.here();
    pair.server.note(pair.server.collect(received, size, 65536) == fmt::format("{} bytes, intact, open", size)
                         ? "takes all"
                         : "loses some");
    all_sent();
}

} // namespace

std::vector<Row> send_rows() {
    return {{.name = "zerocopy", .run = zerocopy, .naive = Naive::differs},
            {.name = "more_to_come", .run = more_to_come},
            {.name = "corked", .run = corked},
            {.name = "sendfile", .run = sendfile},
            {.name = "gathered", .run = gathered},
            {.name = "send_timeout", .run = send_timeout, .naive = Naive::differs},
            {.name = "reused_buffer", .run = reused_buffer},
            {.name = "count_of_unsent", .run = count_of_unsent, .naive = Naive::either}};
}

} // namespace beeline::conformance
