// SPDX-License-Identifier: Apache-2.0
//
// RTM_NEWLINK messages into Device.
#include "kernel/rtnetlink_state.hpp"

#include <cstring>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

namespace beeline::kernel {

namespace {

XdpState parse_xdp(const nlattr &nest) {
    XdpState state;
    for_each_nested(nest, [&state](const nlattr &attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case IFLA_XDP_DRV_PROG_ID:
            state.native_id = mnl_attr_get_u32(&attribute);
            break;
        case IFLA_XDP_SKB_PROG_ID:
            state.generic_id = mnl_attr_get_u32(&attribute);
            break;
        case IFLA_XDP_HW_PROG_ID:
            state.offload_id = mnl_attr_get_u32(&attribute);
            break;
        default:
            break;
        }
    });
    return state;
}

std::string parse_kind(const nlattr &nest) {
    std::string kind;
    for_each_nested(nest, [&kind](const nlattr &attribute) {
        if (mnl_attr_get_type(&attribute) == IFLA_INFO_KIND)
            kind = mnl_attr_get_str(&attribute);
    });
    return kind;
}

void parse_attribute(Device &device, const nlattr &attribute) {
    switch (mnl_attr_get_type(&attribute)) {
    case IFLA_IFNAME:
        device.name = mnl_attr_get_str(&attribute);
        break;
    case IFLA_MTU:
        device.mtu = mnl_attr_get_u32(&attribute);
        break;
    case IFLA_MAX_MTU:
        device.max_mtu = mnl_attr_get_u32(&attribute);
        break;
    case IFLA_ADDRESS:
        if (mnl_attr_get_payload_len(&attribute) == device.mac.size())
            std::memcpy(device.mac.data(), mnl_attr_get_payload(&attribute), device.mac.size());
        break;
    case IFLA_CARRIER:
        device.carrier = mnl_attr_get_u8(&attribute) != 0;
        break;
    case IFLA_NUM_RX_QUEUES:
        device.num_rx_queues = mnl_attr_get_u32(&attribute);
        break;
    case IFLA_NUM_TX_QUEUES:
        device.num_tx_queues = mnl_attr_get_u32(&attribute);
        break;
    case IFLA_XDP:
        device.xdp = parse_xdp(attribute);
        break;
    case IFLA_MASTER:
        device.master = static_cast<int>(mnl_attr_get_u32(&attribute));
        break;
    case IFLA_LINK:
        device.peer = static_cast<int>(mnl_attr_get_u32(&attribute));
        break;
    case IFLA_LINK_NETNSID:
        device.peer_netns_id = static_cast<int>(mnl_attr_get_u32(&attribute));
        break;
    case IFLA_LINKINFO:
        device.kind = parse_kind(attribute);
        break;
    default:
        break;
    }
}

} // namespace

Device parse_device(const nlmsghdr &message) {
    Device device;
    const auto *body = static_cast<const ifinfomsg *>(mnl_nlmsg_get_payload(&message));
    device.ifindex = body->ifi_index;
    device.up = (body->ifi_flags & IFF_UP) != 0;
    device.running = (body->ifi_flags & IFF_RUNNING) != 0;
    device.loopback = (body->ifi_flags & IFF_LOOPBACK) != 0;
    for_each_attribute(message, sizeof(ifinfomsg), [&device](const nlattr &one) { parse_attribute(device, one); });
    if (device.peer == device.ifindex && !device.peer_netns_id) // some drivers name the device itself
        device.peer = 0;
    return device;
}

} // namespace beeline::kernel
