// SPDX-License-Identifier: Apache-2.0
//
// Addresses, routes, neighbours.
#include "kernel/rtnetlink_state.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace beeline::kernel {

namespace {

void put_address(NetlinkRequest &request, std::uint16_t attribute, const IpAddress &address) {
    mnl_attr_put(request.header(), attribute, address.size(), address.bytes.data());
}

} // namespace

void parse_own_address(const nlmsghdr &message, IpAddress &address) {
    bool have_local = false; // of a point-to-point device IFA_ADDRESS is the other end's
    for_each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr &attribute) {
        const std::uint16_t type = mnl_attr_get_type(&attribute);
        if ((type != IFA_LOCAL && (type != IFA_ADDRESS || have_local)) ||
            mnl_attr_get_payload_len(&attribute) != address.size())
            return;
        have_local = type == IFA_LOCAL;
        std::memcpy(address.bytes.data(), mnl_attr_get_payload(&attribute), address.size());
    });
}

Result<> RtNetlink::add_address(int ifindex, const IpPrefix &prefix) {
    NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto &body = request.body<ifaddrmsg>();
    body.ifa_family = static_cast<std::uint8_t>(prefix.address.family());
    body.ifa_prefixlen = prefix.bits;
    body.ifa_index = static_cast<std::uint32_t>(ifindex);
    body.ifa_flags = prefix.address.v6 ? IFA_F_NODAD : 0;
    const auto &bytes = prefix.address.bytes;
    if (!prefix.address.v6 && bytes[0] == 169 && bytes[1] == 254) // RFC 3927: it means nothing beyond the cable, so
        body.ifa_scope = RT_SCOPE_LINK; // that the kernel must not take it for what it sends elsewhere
    put_address(request, IFA_LOCAL, prefix.address);
    put_address(request, IFA_ADDRESS, prefix.address);
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("add address {} to ifindex {}", to_string(prefix), ifindex));
    return {};
}

namespace {

/// Whether packets to the address are for this host.
Result<bool> is_local(Netlink &netlink, const IpAddress &address) {
    NetlinkRequest request(RTM_GETROUTE, 0);
    auto &body = request.body<rtmsg>();
    body.rtm_family = static_cast<std::uint8_t>(address.family());
    body.rtm_dst_len = static_cast<std::uint8_t>(address.size() * 8);
    put_address(request, RTA_DST, address);
    bool local = false;
    const auto done = netlink.talk(request, [&local](const nlmsghdr &message) {
        local = static_cast<const rtmsg *>(mnl_nlmsg_get_payload(&message))->rtm_type == RTN_LOCAL;
    });
    if (!done && done.error().code != ENETUNREACH && done.error().code != EHOSTUNREACH)
        return done.error().error("ask for the route to " + to_string(address));
    return local;
}

} // namespace

Result<bool> RtNetlink::wait_until_local(const IpAddress &address, std::chrono::milliseconds wait) {
    const auto end = std::chrono::steady_clock::now() + wait;
    while (true) {
        BL_TRY(const bool local, is_local(state_->netlink, address));
        if (local || std::chrono::steady_clock::now() >= end)
            return local;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

Result<std::vector<IpPrefix>> RtNetlink::addresses(int ifindex) {
    std::vector<IpPrefix> found;
    NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP);
    request.body<ifaddrmsg>().ifa_family = AF_UNSPEC;
    const auto done = state_->netlink.talk(request, [&](const nlmsghdr &message) {
        const auto *body = static_cast<const ifaddrmsg *>(mnl_nlmsg_get_payload(&message));
        if (body->ifa_index != static_cast<std::uint32_t>(ifindex))
            return;
        IpPrefix prefix{.address = {.v6 = body->ifa_family == AF_INET6}, .bits = body->ifa_prefixlen};
        parse_own_address(message, prefix.address);
        found.push_back(prefix);
    });
    if (!done)
        return done.error().error(fmt::format("list the addresses of ifindex {}", ifindex));
    return found;
}

Result<> RtNetlink::add_route(const Route &route) {
    NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    auto &body = request.body<rtmsg>();
    body.rtm_family = static_cast<std::uint8_t>(route.to.address.family());
    body.rtm_dst_len = route.to.bits;
    body.rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : 0);
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_scope = route.via || route.to.address.v6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    body.rtm_type = RTN_UNICAST;
    body.rtm_flags = route.onlink ? RTNH_F_ONLINK : 0;
    request.put_u32(RTA_TABLE, route.table);
    if (route.to.bits > 0)
        put_address(request, RTA_DST, route.to.address);
    if (route.via)
        put_address(request, RTA_GATEWAY, *route.via);
    if (route.source)
        put_address(request, RTA_PREFSRC, *route.source);
    if (route.ifindex != 0)
        request.put_u32(RTA_OIF, static_cast<std::uint32_t>(route.ifindex));
    if (route.mtu) {
        nlattr *metrics = mnl_attr_nest_start(request.header(), RTA_METRICS);
        request.put_u32(RTAX_MTU, *route.mtu);
        mnl_attr_nest_end(request.header(), metrics);
    }
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("add route to {}", to_string(route.to)));
    return {};
}

namespace {

/// A default route's metric and devices, none when the message is of another route.
struct DefaultRoute {
    std::uint32_t metric = 0;
    std::vector<int> devices = {};
};

void add_next_hops(DefaultRoute &route, const nlattr &multipath) {
    const auto *hop = static_cast<const rtnexthop *>(mnl_attr_get_payload(&multipath));
    int left = mnl_attr_get_payload_len(&multipath);
    for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
        route.devices.push_back(hop->rtnh_ifindex);
}

DefaultRoute parse_default_route(const nlmsghdr &message) {
    DefaultRoute route;
    const auto *body = static_cast<const rtmsg *>(mnl_nlmsg_get_payload(&message));
    if (body->rtm_dst_len != 0 || body->rtm_type != RTN_UNICAST || body->rtm_table != RT_TABLE_MAIN)
        return route;
    for_each_attribute(message, sizeof(rtmsg), [&route](const nlattr &attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case RTA_PRIORITY:
            route.metric = mnl_attr_get_u32(&attribute);
            break;
        case RTA_OIF:
            route.devices.push_back(static_cast<int>(mnl_attr_get_u32(&attribute)));
            break;
        case RTA_MULTIPATH:
            add_next_hops(route, attribute);
            break;
        default:
            break;
        }
    });
    return route;
}

} // namespace

Result<std::vector<int>> RtNetlink::default_route_devices() {
    std::vector<DefaultRoute> routes; // lowest metric first, and as they come
    const auto by_metric = [](const DefaultRoute &a, const DefaultRoute &b) { return a.metric < b.metric; };
    NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
    request.body<rtmsg>().rtm_family = AF_UNSPEC;
    const auto done = state_->netlink.talk(request, [&](const nlmsghdr &message) {
        if (DefaultRoute route = parse_default_route(message); !route.devices.empty())
            routes.insert(std::upper_bound(routes.begin(), routes.end(), route, by_metric), std::move(route));
    });
    if (!done)
        return done.error().error("list the routes");
    std::vector<int> devices;
    for (const DefaultRoute &route : routes)
        for (const int ifindex : route.devices)
            if (std::find(devices.begin(), devices.end(), ifindex) == devices.end())
                devices.push_back(ifindex);
    return devices;
}

Result<> RtNetlink::add_neighbour(int ifindex, const IpAddress &address, const Mac &mac) {
    NetlinkRequest request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    auto &body = request.body<ndmsg>();
    body.ndm_family = static_cast<std::uint8_t>(address.family());
    body.ndm_ifindex = ifindex;
    body.ndm_state = NUD_PERMANENT;
    put_address(request, NDA_DST, address);
    mnl_attr_put(request.header(), NDA_LLADDR, mac.size(), mac.data());
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("add neighbour {} on ifindex {}", to_string(address), ifindex));
    return {};
}

} // namespace beeline::kernel
