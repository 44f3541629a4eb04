// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/network_monitor.hpp>

#include <cerrno>
#include <cstring>
#include <optional>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "kernel/netlink.hpp"
#include "kernel/rtnetlink_state.hpp"

namespace beeline::kernel {

namespace {

using What = NetworkEvent::What;

constexpr int kMessagesAtOnce = 1000;
/// Room for what the kernel tells while the reader is busy: some thousand messages.
constexpr int kReceiveBytes = 1 << 20;

void copy_address(IpAddress &to, const nlattr &attribute) {
    if (mnl_attr_get_payload_len(&attribute) == to.size())
        std::memcpy(to.bytes.data(), mnl_attr_get_payload(&attribute), to.size());
}

std::optional<NetworkEvent> link_event(const nlmsghdr &message) {
    const auto *body = static_cast<const ifinfomsg *>(mnl_nlmsg_get_payload(&message));
    if (body->ifi_family != AF_UNSPEC) // a bridge's port, or a family's settings: the device itself stays as it is
        return std::nullopt;
    Device device = parse_device(message);
    return NetworkEvent{.what = message.nlmsg_type == RTM_DELLINK ? What::link_gone : What::link_changed,
                        .ifindex = device.ifindex,
                        .name = std::move(device.name),
                        .up = device.up};
}

std::optional<NetworkEvent> address_event(const nlmsghdr &message) {
    const auto *body = static_cast<const ifaddrmsg *>(mnl_nlmsg_get_payload(&message));
    NetworkEvent event{.what = message.nlmsg_type == RTM_DELADDR ? What::address_removed : What::address_added,
                       .ifindex = static_cast<int>(body->ifa_index),
                       .prefix = {.address = {.v6 = body->ifa_family == AF_INET6}, .bits = body->ifa_prefixlen}};
    parse_own_address(message, event.prefix.address);
    return event;
}

std::optional<NetworkEvent> route_event(const nlmsghdr &message) {
    const auto *body = static_cast<const rtmsg *>(mnl_nlmsg_get_payload(&message));
    if (body->rtm_type == RTN_LOCAL || body->rtm_type == RTN_BROADCAST || body->rtm_type == RTN_ANYCAST ||
        body->rtm_type == RTN_MULTICAST || (body->rtm_flags & RTM_F_CLONED) != 0)
        return std::nullopt;
    NetworkEvent event{.what = message.nlmsg_type == RTM_DELROUTE ? What::route_removed : What::route_added,
                       .prefix = {.address = {.v6 = body->rtm_family == AF_INET6}, .bits = body->rtm_dst_len}};
    for_each_attribute(message, sizeof(rtmsg), [&event](const nlattr &attribute) {
        if (mnl_attr_get_type(&attribute) == RTA_OIF)
            event.ifindex = static_cast<int>(mnl_attr_get_u32(&attribute));
        if (mnl_attr_get_type(&attribute) == RTA_DST)
            copy_address(event.prefix.address, attribute);
    });
    return event;
}

std::optional<NetworkEvent> event_of(const nlmsghdr &message) {
    switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return link_event(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return address_event(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return route_event(message);
    default:
        return std::nullopt;
    }
}

} // namespace

Result<NetworkMonitor> NetworkMonitor::open() {
    UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    if (!socket.valid())
        return fail_errno(errno, "open a netlink socket");
    // Less room only means that more may be missed, which is told.
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes);
    sockaddr_nl own{};
    own.nl_family = AF_NETLINK;
    own.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr *>(&own), sizeof own) != 0)
        return fail_errno(errno, "listen to changes of the network");
    return NetworkMonitor(std::move(socket));
}

Result<std::vector<NetworkEvent>> NetworkMonitor::drain() {
    std::vector<NetworkEvent> events;
    for (int i = 0; i < kMessagesAtOnce; ++i) {
        sockaddr_nl sender{};
        socklen_t size = sizeof sender;
        const ssize_t received =
            ::recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr *>(&sender), &size);
        if (received < 0 && errno == EAGAIN)
            break;
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0 && errno == ENOBUFS) {
            events.push_back({.what = What::missed});
            continue;
        }
        if (received < 0)
            return fail_errno(errno, "read changes of the network");
        if (sender.nl_pid != 0) // not the kernel
            continue;
        int left = static_cast<int>(received);
        for (const auto *message = reinterpret_cast<const nlmsghdr *>(buffer_.data()); mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left))
            if (auto event = event_of(*message))
                events.push_back(*std::move(event));
    }
    return events;
}

} // namespace beeline::kernel
