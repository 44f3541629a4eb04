// SPDX-License-Identifier: Apache-2.0
//
// Devices: finding, making, changing. Addresses, routes and neighbours are in rtnetlink_address.cpp.
#include "kernel/rtnetlink_state.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

namespace beeline::kernel {

RtNetlink::RtNetlink(std::unique_ptr<State> state) : state_(std::move(state)) {}
RtNetlink::RtNetlink(RtNetlink &&) noexcept = default;
RtNetlink &RtNetlink::operator=(RtNetlink &&) noexcept = default;
RtNetlink::~RtNetlink() = default;

Result<RtNetlink> RtNetlink::open() {
    BL_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
    BL_TRY(Ethtool ethtool, Ethtool::open());
    UniqueFd netns(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!netns.valid())
        return fail_errno(errno, "open /proc/thread-self/ns/net");
    return RtNetlink(std::make_unique<State>(State{std::move(netlink), std::move(ethtool), std::move(netns)}));
}

Result<std::vector<Device>> RtNetlink::devices() {
    std::vector<Device> devices;
    NetlinkRequest request(RTM_GETLINK, NLM_F_DUMP);
    request.body<ifinfomsg>().ifi_family = AF_UNSPEC;
    request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    const auto done = state_->netlink.talk(
        request, [&devices](const nlmsghdr &message) { devices.push_back(parse_device(message)); });
    if (!done)
        return done.error().error("list network devices");
    for (Device &device : devices)
        device.driver = state_->ethtool.driver(device.name).value_or("");
    return devices;
}

namespace {

Result<Device> one_device(Netlink &netlink, const Ethtool &ethtool, NetlinkRequest &request, const std::string &what) {
    std::optional<Device> found;
    const auto done = netlink.talk(request, [&found](const nlmsghdr &message) { found = parse_device(message); });
    if (!done)
        return done.error().error(what);
    if (!found)
        return fail_errno(ENODEV, what);
    found->driver = ethtool.driver(found->name).value_or("");
    return *std::move(found);
}

} // namespace

Result<Device> RtNetlink::device(std::string_view name) {
    const std::string what = fmt::format("device {}", name);
    Result<Device> found = fail_errno(ENODEV, what); // longer names than IFNAMSIZ are refused with ERANGE otherwise
    if (!name.empty() && name.size() < IFNAMSIZ) {
        NetlinkRequest request(RTM_GETLINK, 0);
        request.body<ifinfomsg>().ifi_family = AF_UNSPEC;
        request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        request.put(IFLA_IFNAME, name);
        found = one_device(state_->netlink, state_->ethtool, request, what);
    }
    if (!found && found.error().code == ENODEV)
        if (const auto all = devices()) {
            std::string names;
            for (const Device &device : *all)
                names.append(names.empty() ? "" : ", ").append(device.name);
            found.error().remedy = "there are: " + names;
        }
    return found;
}

Result<Device> RtNetlink::device(int ifindex) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.body<ifinfomsg>().ifi_index = ifindex;
    request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return one_device(state_->netlink, state_->ethtool, request, fmt::format("device with ifindex {}", ifindex));
}

namespace {

/// EOPNOTSUPP of RTM_NEWLINK mostly means that the kernel knows no such kind of device; old ones have no text for it.
std::unexpected<Error> creation_error(const NetlinkRefusal &refusal, const std::string &name, std::string_view kind) {
    const std::string what = fmt::format("create {} device {}", kind, name);
    if (refusal.code == EOPNOTSUPP && (refusal.text.empty() || refusal.text == "Unknown device type"))
        return fail(Kind::unsupported, 0, what + ": this kernel has no such devices",
                    fmt::format("use a kernel with the {} driver built in or as a module", kind));
    auto failure = refusal.error(what);
    if (refusal.code == EEXIST)
        failure.error().kind = Kind::conflict;
    return failure;
}

void put_queues(NetlinkRequest &request, const VethEnd &end) {
    request.put_u32(IFLA_NUM_RX_QUEUES, end.rx_queues);
    request.put_u32(IFLA_NUM_TX_QUEUES, end.tx_queues);
}

} // namespace

void put_kind(NetlinkRequest &request, const char *kind, const FillRequest &fill_data) {
    nlattr *info = mnl_attr_nest_start(request.header(), IFLA_LINKINFO);
    request.put(IFLA_INFO_KIND, kind);
    nlattr *data = mnl_attr_nest_start(request.header(), IFLA_INFO_DATA);
    if (fill_data)
        fill_data(request);
    mnl_attr_nest_end(request.header(), data);
    mnl_attr_nest_end(request.header(), info);
}

Result<> create_device(Netlink &netlink, const std::string &name, const char *kind, const FillRequest &fill,
                       const FillRequest &fill_data) {
    NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.body<ifinfomsg>().ifi_family = AF_UNSPEC;
    fill(request);
    put_kind(request, kind, fill_data);
    if (const auto done = netlink.talk(request); !done)
        return creation_error(done.error(), name, kind);
    return {};
}

Result<> RtNetlink::create_veth(const VethEnd &end, const VethEnd &other) {
    const int home = state_->netns.get();
    return create_device(
        state_->netlink, end.name, "veth",
        [&](NetlinkRequest &request) {
            put_end(request, end, home);
            put_queues(request, end);
        },
        [&](NetlinkRequest &request) {
            nlattr *peer = mnl_attr_nest_start(request.header(), VETH_INFO_PEER);
            (void)request.body<ifinfomsg>(); // here the fixed part is inside the attribute
            put_end(request, other, home);
            put_queues(request, other);
            mnl_attr_nest_end(request.header(), peer);
        });
}

Result<> RtNetlink::create_bridge(const std::string &name) {
    return create_device(state_->netlink, name, "bridge",
                         [&](NetlinkRequest &request) { request.put(IFLA_IFNAME, name); }, {});
}

Result<> RtNetlink::create_vlan(const std::string &name, int lower, std::uint16_t id, bool service_tag) {
    return create_device(
        state_->netlink, name, "vlan",
        [&](NetlinkRequest &request) {
            request.put(IFLA_IFNAME, name);
            request.put_u32(IFLA_LINK, static_cast<std::uint32_t>(lower));
        },
        [&](NetlinkRequest &request) {
            mnl_attr_put_u16(request.header(), IFLA_VLAN_ID, id);
            mnl_attr_put_u16(request.header(), IFLA_VLAN_PROTOCOL, htons(service_tag ? ETH_P_8021AD : ETH_P_8021Q));
        });
}

Result<> RtNetlink::remove_device(int ifindex) {
    NetlinkRequest request(RTM_DELLINK, 0);
    request.body<ifinfomsg>().ifi_index = ifindex;
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("remove the device with ifindex {}", ifindex));
    return {};
}

/// The kernel removes many devices at once by their group only, so that these get one that no other device has: people
/// number groups from 0 (/etc/iproute2/group), this one is any of 2^31.
Result<> RtNetlink::remove_devices(const std::vector<int> &ifindexes) {
    const std::uint32_t group = std::random_device()() | 1U << 31;
    bool any = false;
    for (const int ifindex : ifindexes) {
        const auto moved = change(ifindex, {.group = group});
        if (!moved && moved.error().code != ENODEV)
            return moved;
        any |= moved.has_value();
    }
    if (!any)
        return {};
    NetlinkRequest request(RTM_DELLINK, 0);
    (void)request.body<ifinfomsg>();
    request.put_u32(IFLA_GROUP, group);
    if (const auto done = state_->netlink.talk(request); !done && done.error().code != ENODEV)
        return done.error().error(fmt::format("remove {} devices", ifindexes.size()));
    return {};
}

Result<bool> RtNetlink::wait_until_running(int ifindex, std::chrono::milliseconds wait) {
    const auto end = std::chrono::steady_clock::now() + wait;
    while (true) {
        BL_TRY(const Device found, device(ifindex));
        if (found.running || std::chrono::steady_clock::now() >= end)
            return found.running;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

Result<> RtNetlink::change(int ifindex, const DeviceChange &change) {
    NetlinkRequest request(RTM_SETLINK, 0);
    auto &body = request.body<ifinfomsg>();
    body.ifi_index = ifindex;
    if (change.up) {
        body.ifi_change = IFF_UP;
        body.ifi_flags = *change.up ? IFF_UP : 0;
    }
    if (change.mtu)
        request.put_u32(IFLA_MTU, *change.mtu);
    if (change.mac)
        mnl_attr_put(request.header(), IFLA_ADDRESS, change.mac->size(), change.mac->data());
    if (change.name)
        request.put(IFLA_IFNAME, *change.name);
    if (change.netns_fd)
        request.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(*change.netns_fd));
    if (change.master)
        request.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(*change.master));
    if (change.group)
        request.put_u32(IFLA_GROUP, *change.group);
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("change the device with ifindex {}", ifindex));
    return {};
}

Result<> RtNetlink::set_ipv6_link_local(int ifindex, bool on) {
    NetlinkRequest request(RTM_SETLINK, 0);
    request.body<ifinfomsg>().ifi_index = ifindex;
    nlattr *families = mnl_attr_nest_start(request.header(), IFLA_AF_SPEC);
    nlattr *ipv6 = mnl_attr_nest_start(request.header(), AF_INET6);
    mnl_attr_put_u8(request.header(), IFLA_INET6_ADDR_GEN_MODE, on ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(request.header(), ipv6);
    mnl_attr_nest_end(request.header(), families);
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("switch the IPv6 link-local address of ifindex {}", ifindex));
    return {};
}

} // namespace beeline::kernel
