// SPDX-License-Identifier: Apache-2.0
#include "lab/capture.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

namespace beeline::lab {
namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr auto kLongestEnd = std::chrono::seconds(1); ///< Of a device that does not fall silent.
constexpr std::size_t kMaxFrame = 65536 + 64;         ///< GRO may have put several together.

Result<kernel::UniqueFd> open_packet_socket(const std::string &device) {
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const kernel::Device found, links.device(device));
    // Protocol 0: nothing arrives before the socket is bound to its device.
    kernel::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid())
        return fail_errno(errno, "open a packet socket");
    const int one = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
    ::setsockopt(fd.get(), SOL_PACKET, PACKET_AUXDATA, &one, sizeof one);
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = found.ifindex;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr *>(&at), sizeof at) != 0)
        return fail_errno(errno, "capture on " + device);
    return fd;
}

std::uint32_t status_of(const msghdr &message) {
    for (const cmsghdr *item = CMSG_FIRSTHDR(&message); item != nullptr;
         item = CMSG_NXTHDR(const_cast<msghdr *>(&message), const_cast<cmsghdr *>(item))) {
        if (item->cmsg_level == SOL_PACKET && item->cmsg_type == PACKET_AUXDATA) {
            tpacket_auxdata data{};
            std::memcpy(&data, CMSG_DATA(item), sizeof data);
            return data.tp_status;
        }
    }
    return 0;
}

} // namespace

Result<std::unique_ptr<Capture>> Capture::start(const Node &node, const std::string &device) {
    std::unique_ptr<Capture> self(new Capture);
    BL_TRY(self->socket_, node.within([&] { return open_packet_socket(device); }));
    self->thread_ = std::thread([capture = self.get()] { capture->listen(); });
    return self;
}

Capture::~Capture() {
    stop_ = true;
    if (thread_.joinable())
        thread_.join();
}

void Capture::listen() {
    std::vector<std::byte> frame(kMaxFrame);
    std::optional<std::chrono::steady_clock::time_point> end; // Set when told to stop: what is queued is still read.
    while (true) {
        pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&wait, 1, 50);
        if (stop_ && !end)
            end = std::chrono::steady_clock::now() + kLongestEnd;
        if (end && (ready == 0 || std::chrono::steady_clock::now() > *end))
            return;
        if (ready <= 0)
            continue;
        sockaddr_ll from{};
        alignas(cmsghdr) std::array<char, 256> control{};
        iovec part{.iov_base = frame.data(), .iov_len = frame.size()};
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t n = ::recvmsg(socket_.get(), &message, 0);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING)
            look_at(std::span(frame).first(static_cast<std::size_t>(n)), status_of(message));
    }
}

void Capture::look_at(std::span<const std::byte> frame, std::uint32_t status) {
    found_.sums.add(check_frame(frame));
    found_.unfinished += (status & TP_STATUS_CSUMNOTREADY) != 0;
}

Captured Capture::stop() {
    stop_ = true;
    if (thread_.joinable())
        thread_.join();
    tpacket_stats statistics{};
    socklen_t length = sizeof statistics;
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == 0)
        found_.lost += statistics.tp_drops;
    return found_;
}

} // namespace beeline::lab
