// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace beeline::edge {
namespace {

constexpr std::size_t kMaxFrame = 65536 + 64;
constexpr std::size_t kMacs = 12; ///< Bytes in front of a VLAN tag.

/// struct virtio_net_hdr of <linux/virtio_net.h>, which no C++ compiler reads.
struct Offloads {
    std::uint8_t flags = 0; ///< 1: VIRTIO_NET_HDR_F_NEEDS_CSUM.
    std::uint8_t gso_type = 0;
    std::uint16_t hdr_len = 0, gso_size = 0;
    std::uint16_t csum_start = 0, csum_offset = 0;
};
static_assert(sizeof(Offloads) == 10);

struct Arrived {
    Wire::Frame frame;
    bool sent_here = false;
};

/// The tag is in the auxiliary data: the kernel takes the outer one off before packet sockets see a frame.
void put_tag_back(const tpacket_auxdata &data, Bytes &bytes) {
    if ((data.tp_status & TP_STATUS_VLAN_VALID) == 0 || bytes.size() < kMacs)
        return;
    const std::uint16_t type =
        htons((data.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? data.tp_vlan_tpid : ETH_P_8021Q);
    const std::uint16_t tci = htons(data.tp_vlan_tci);
    std::array<std::byte, 4> tag{};
    std::memcpy(tag.data(), &type, 2);
    std::memcpy(tag.data() + 2, &tci, 2);
    bytes.insert(bytes.begin() + kMacs, tag.begin(), tag.end());
}

std::optional<Arrived> take(int fd) {
    Arrived arrived;
    arrived.frame.bytes.resize(kMaxFrame);
    Offloads offloads;
    sockaddr_ll from{};
    alignas(cmsghdr) std::array<char, 256> control{};
    std::array<iovec, 2> parts{{{.iov_base = &offloads, .iov_len = sizeof offloads},
                                {.iov_base = arrived.frame.bytes.data(), .iov_len = kMaxFrame}}};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(fd, &message, MSG_DONTWAIT);
    if (n < static_cast<ssize_t>(sizeof offloads))
        return std::nullopt;
    arrived.frame.bytes.resize(static_cast<std::size_t>(n) - sizeof offloads);
    arrived.sent_here = from.sll_pkttype == PACKET_OUTGOING;
    for (cmsghdr *item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level != SOL_PACKET || item->cmsg_type != PACKET_AUXDATA)
            continue;
        tpacket_auxdata data{};
        std::memcpy(&data, CMSG_DATA(item), sizeof data);
        arrived.frame.partial = (data.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
        put_tag_back(data, arrived.frame.bytes);
    }
    return arrived;
}

} // namespace

Result<Wire> Wire::open(const lab::Node &node, const std::string &device) {
    BL_TRY(const kernel::Device found, node.device(device));
    return node.within([&]() -> Result<Wire> {
        // Protocol 0: nothing arrives before the socket is bound to its device.
        kernel::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        if (!fd.valid())
            return fail_errno(errno, "open a packet socket");
        const int one = 1, room = 8 << 20;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        if (::setsockopt(fd.get(), SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) != 0 ||
            ::setsockopt(fd.get(), SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) != 0)
            return fail_errno(errno, "set up a packet socket");
        sockaddr_ll at{};
        at.sll_family = AF_PACKET;
        at.sll_protocol = htons(ETH_P_ALL);
        at.sll_ifindex = found.ifindex;
        if (::bind(fd.get(), reinterpret_cast<const sockaddr *>(&at), sizeof at) != 0)
            return fail_errno(errno, "bind a packet socket to " + device);
        return Wire(std::move(fd));
    });
}

namespace {

Result<> send_frame(int fd, Offloads offloads, std::span<const std::byte> frame) {
    const std::array<iovec, 2> parts{{{.iov_base = &offloads, .iov_len = sizeof offloads},
                                      {.iov_base = const_cast<std::byte *>(frame.data()), .iov_len = frame.size()}}};
    if (::writev(fd, parts.data(), parts.size()) != static_cast<ssize_t>(sizeof offloads + frame.size()))
        return fail_errno(errno, "send a frame of " + std::to_string(frame.size()) + " bytes");
    return {};
}

} // namespace

Result<> Wire::send(std::span<const std::byte> frame) const {
    return send_frame(fd_.get(), {}, frame);
}

Result<> Wire::send_partial(std::span<const std::byte> frame, std::uint16_t l4, std::uint16_t field) const {
    Offloads offloads;
    offloads.flags = 1;
    offloads.csum_start = l4;
    offloads.csum_offset = field;
    return send_frame(fd_.get(), offloads, frame);
}

std::optional<Wire::Frame> Wire::receive(std::chrono::milliseconds timeout) const {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 0)
            return std::nullopt;
        if (auto arrived = take(fd_.get()); arrived && !arrived->sent_here)
            return std::move(arrived->frame);
    }
}

void Wire::forget() const {
    while (take(fd_.get())) {
    }
}

} // namespace beeline::edge
