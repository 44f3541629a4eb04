// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <linux/if_link.h>

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include "kernel/netlink.hpp"

namespace beeline::kernel {

struct RtNetlink::State {
    Netlink netlink;
    Ethtool ethtool; ///< Of the same namespace.
    UniqueFd netns;  ///< The namespace of both.
};

/// One RTM_NEWLINK message. driver stays empty: it is no netlink matter.
[[nodiscard]] Device parse_device(const nlmsghdr &message);

/// One RTM_NEWADDR or RTM_DELADDR message: the device's own address; address.v6 is given.
void parse_own_address(const nlmsghdr &message, IpAddress &address);

using FillRequest = std::function<void(NetlinkRequest &)>;
/// IFLA_LINKINFO: the kind of a device and what fill_data puts into IFLA_INFO_DATA.
void put_kind(NetlinkRequest &request, const char *kind, const FillRequest &fill_data);
/// A device made from what fill puts into the message itself, a kind and its data. name: for the error.
[[nodiscard]] Result<> create_device(Netlink &netlink, const std::string &name, const char *kind,
                                     const FillRequest &fill, const FillRequest &fill_data);

/// What VethEnd and NetkitEnd share, in either part of a message that makes a pair.
template <class End>
void put_end(NetlinkRequest &request, const End &end, int home_netns) {
    request.put(IFLA_IFNAME, end.name);
    // Both ends always say where they go: what an absent one means has changed between kernels.
    request.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(end.netns_fd.value_or(home_netns)));
    if (end.mac)
        mnl_attr_put(request.header(), IFLA_ADDRESS, end.mac->size(), end.mac->data());
    if (end.mtu)
        request.put_u32(IFLA_MTU, *end.mtu);
}

} // namespace beeline::kernel
