// SPDX-License-Identifier: Apache-2.0
//
// Addresses, routes, neighbours.
#include "kernel/rtnetlink_state.hpp"

#include <cstring>

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

Result<> RtNetlink::add_address(int ifindex, const IpPrefix &prefix) {
    NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto &body = request.body<ifaddrmsg>();
    body.ifa_family = static_cast<std::uint8_t>(prefix.address.family());
    body.ifa_prefixlen = prefix.bits;
    body.ifa_index = static_cast<std::uint32_t>(ifindex);
    body.ifa_flags = prefix.address.v6 ? IFA_F_NODAD : 0;
    put_address(request, IFA_LOCAL, prefix.address);
    put_address(request, IFA_ADDRESS, prefix.address);
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("add address {} to ifindex {}", to_string(prefix), ifindex));
    return {};
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
        bool have_local = false; // of a point-to-point device IFA_ADDRESS is the other end's
        for_each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr &attribute) {
            const std::uint16_t type = mnl_attr_get_type(&attribute);
            if ((type != IFA_LOCAL && (type != IFA_ADDRESS || have_local)) ||
                mnl_attr_get_payload_len(&attribute) != prefix.address.size())
                return;
            have_local = type == IFA_LOCAL;
            std::memcpy(prefix.address.bytes.data(), mnl_attr_get_payload(&attribute), prefix.address.size());
        });
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
    request.put_u32(RTA_TABLE, route.table);
    if (route.to.bits > 0)
        put_address(request, RTA_DST, route.to.address);
    if (route.via)
        put_address(request, RTA_GATEWAY, *route.via);
    if (route.source)
        put_address(request, RTA_PREFSRC, *route.source);
    if (route.ifindex != 0)
        request.put_u32(RTA_OIF, static_cast<std::uint32_t>(route.ifindex));
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("add route to {}", to_string(route.to)));
    return {};
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
