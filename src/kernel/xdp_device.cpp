// SPDX-License-Identifier: Apache-2.0
//
// What is known about a device's XDP: who holds it, what the driver offers, why it refuses.
#include <beeline/kernel/device.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kernel/rtnetlink_state.hpp"

namespace beeline::kernel {

namespace {

// include/uapi/linux/netdev.h (Linux 6.3); Debian 12's headers do not have it.
constexpr std::uint8_t kNetdevCmdDevGet = 1;
constexpr std::uint16_t kNetdevDevIfindex = 1;
constexpr std::uint16_t kNetdevDevXdpFeatures = 3;

std::uint32_t mode_flag(XdpMode mode) {
    switch (mode) {
    case XdpMode::native:
        return XDP_FLAGS_DRV_MODE;
    case XdpMode::generic:
        return XDP_FLAGS_SKB_MODE;
    case XdpMode::offload:
        return XDP_FLAGS_HW_MODE;
    }
    return 0;
}

/// Number of the generic netlink family "netdev"; nothing on kernels that have none.
std::optional<std::uint16_t> netdev_family(Netlink &netlink) {
    std::optional<std::uint16_t> id;
    NetlinkRequest request(GENL_ID_CTRL, 0);
    request.body<genlmsghdr>() = {.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0};
    request.put(CTRL_ATTR_FAMILY_NAME, "netdev");
    (void)netlink.talk(request, [&id](const nlmsghdr &message) {
        for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr &attribute) {
            if (mnl_attr_get_type(&attribute) == CTRL_ATTR_FAMILY_ID)
                id = mnl_attr_get_u16(&attribute);
        });
    });
    return id;
}

/// Sets or (fd -1) removes the XDP program of a mode over netlink; with flags on top.
std::expected<void, NetlinkRefusal> set_xdp(Netlink &netlink, int ifindex, int fd, std::uint32_t flags) {
    NetlinkRequest request(RTM_SETLINK, 0);
    request.body<ifinfomsg>().ifi_index = ifindex;
    nlattr *nest = mnl_attr_nest_start(request.header(), IFLA_XDP);
    request.put_u32(IFLA_XDP_FD, static_cast<std::uint32_t>(fd));
    request.put_u32(IFLA_XDP_FLAGS, flags);
    mnl_attr_nest_end(request.header(), nest);
    return netlink.talk(request);
}

void veth_obstacles(const Device &device, bool frags, std::vector<XdpObstacle> &found) {
    // drivers/net/veth.c veth_xdp_set(): the peer's MTU and number of send queues decide. A veth pair begins with equal
    // MTUs, so where the peer is out of sight the device's own is the best guess.
    std::optional<Device> peer;
    if (device.peer != 0 && !device.peer_netns_id)
        if (auto links = RtNetlink::open())
            if (auto other = links->device(device.peer))
                peer = *std::move(other);
    const std::uint32_t mtu = peer ? peer->mtu : device.mtu;
    if (!frags && mtu > kVethXdpMaxMtu)
        found.push_back({"mtu",
                         fmt::format("the peer of {} has MTU {}, native XDP without frags takes up to {}", device.name,
                                     mtu, kVethXdpMaxMtu),
                         fmt::format("ip link set dev {} mtu {}", peer ? peer->name : "PEER", kVethXdpMaxMtu)});
    const std::uint32_t peer_queues = peer ? peer->num_tx_queues : 0;
    if (peer_queues > device.num_rx_queues)
        found.push_back({"queues",
                         fmt::format("{} receives on {} queues but its peer {} sends on {}", device.name,
                                     device.num_rx_queues, peer->name, peer_queues),
                         fmt::format("ethtool -L {} tx {}", peer->name, device.num_rx_queues)});
}

} // namespace

Result<XdpState> xdp_query(int ifindex) {
    BL_TRY(RtNetlink links, RtNetlink::open());
    BL_TRY(const Device device, links.device(ifindex));
    return device.xdp;
}

std::string xdp_refusal(int prog_fd, int ifindex, XdpMode mode) {
    auto netlink = Netlink::open(NETLINK_ROUTE);
    if (!netlink)
        return {};
    const auto done = set_xdp(*netlink, ifindex, prog_fd, mode_flag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST);
    if (!done)
        return done.error().text;
    (void)set_xdp(*netlink, ifindex, -1, mode_flag(mode));
    return {};
}

Result<std::optional<XdpFeatures>> xdp_features(int ifindex) {
    BL_TRY(Netlink netlink, Netlink::open(NETLINK_GENERIC));
    const std::optional<std::uint16_t> family = netdev_family(netlink);
    if (!family)
        return std::nullopt;
    std::optional<XdpFeatures> features;
    NetlinkRequest request(*family, 0);
    request.body<genlmsghdr>() = {.cmd = kNetdevCmdDevGet, .version = 1, .reserved = 0};
    request.put_u32(kNetdevDevIfindex, static_cast<std::uint32_t>(ifindex));
    const auto done = netlink.talk(request, [&features](const nlmsghdr &message) {
        for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr &attribute) {
            if (mnl_attr_get_type(&attribute) == kNetdevDevXdpFeatures)
                features = XdpFeatures{mnl_attr_get_u64(&attribute)};
        });
    });
    if (!done)
        return done.error().error(fmt::format("read the XDP features of ifindex {}", ifindex));
    return features;
}

Result<std::vector<XdpObstacle>> native_xdp_obstacles(const Device &device, bool frags) {
    std::vector<XdpObstacle> found;
    if (device.loopback)
        return {{{"native", fmt::format("{} has no native XDP", device.name), "use generic mode"}}};
    if (device.xdp.generic_id != 0)
        found.push_back({"generic",
                         fmt::format("{} has a generic XDP program, and native beside generic is refused", device.name),
                         fmt::format("ip link set dev {} xdpgeneric off", device.name)});
    if (device.kind == "veth")
        veth_obstacles(device, frags, found);
    else if (!frags && device.mtu > kVethXdpMaxMtu)
        found.push_back({"mtu",
                         fmt::format("{} has MTU {}: without frags most drivers take a frame of one page, MTU {}",
                                     device.name, device.mtu, kVethXdpMaxMtu),
                         fmt::format("ip link set dev {} mtu {}", device.name, kVethXdpMaxMtu)});
    BL_TRY(const Ethtool ethtool, Ethtool::open());
    if (const auto lro = ethtool.offload(device.name, Offload::lro); lro && lro->on)
        found.push_back(
            {"lro", fmt::format("LRO is on for {}", device.name), fmt::format("ethtool -K {} lro off", device.name)});
    if (device.driver == "virtio_net")
        if (const auto features = ethtool.features(device.name))
            if (const auto merged = features->find("rx-gro-hw"); merged != features->end() && merged->second.on)
                found.push_back({"gro_hw",
                                 fmt::format("{} merges received packets in the host (guest TSO)", device.name),
                                 merged->second.fixed ? "switch guest_tso4 and guest_tso6 off in the hypervisor"
                                                      : fmt::format("ethtool -K {} rx-gro-hw off", device.name)});
    // A veth clears its features while its queues do not fit; that is told above.
    BL_TRY(const std::optional<XdpFeatures> features, xdp_features(device.ifindex));
    if (features && !features->basic() && found.empty())
        found.push_back({"native",
                         fmt::format("{} has no native XDP{}", device.name,
                                     device.driver.empty() ? "" : fmt::format(" (driver {})", device.driver)),
                         "use generic mode"});
    return found;
}

} // namespace beeline::kernel
