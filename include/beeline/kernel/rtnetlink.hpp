// SPDX-License-Identifier: Apache-2.0
//
// Network devices, addresses, routes and neighbours of one network namespace, over rtnetlink. Errors carry the kernel's
// own text (extended ACK) where it gives one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/kernel/address.hpp>
#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/netkit.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

struct Device {
    int ifindex = 0;
    std::string name = {};
    std::string kind = {};   ///< "veth", "netkit", "vlan"...; empty for physical devices and lo.
    std::string driver = {}; ///< As ethtool -i says; empty when the device has none.
    std::uint32_t mtu = 0;
    std::uint32_t max_mtu = 0;
    Mac mac{};
    bool loopback = false;
    bool up = false;      ///< Administratively.
    bool carrier = false; //
    bool running = false; ///< Up, and the stack has heard of the carrier: it uses the device only then.
    std::uint32_t num_rx_queues = 0;
    std::uint32_t num_tx_queues = 0;
    XdpState xdp = {};
    int master = 0;                        ///< Bridge or bond it belongs to; 0: none.
    int peer = 0;                          ///< veth, netkit: the other end; vlan: the lower device; 0: none.
    std::optional<int> peer_netns_id = {}; ///< The netns (local id) peer is in, when not in this one.
};

struct VethEnd {
    std::string name = {};
    std::optional<int> netns_fd = {}; ///< Where to make it; not set: here.
    std::optional<Mac> mac = {};
    std::optional<std::uint32_t> mtu = {};
    std::uint32_t rx_queues = 1;
    std::uint32_t tx_queues = 1;
};

/// What to change of a device; unset stays.
struct DeviceChange {
    std::optional<bool> up = {};
    std::optional<std::uint32_t> mtu = {};
    std::optional<Mac> mac = {};
    std::optional<std::string> name = {};
    std::optional<int> netns_fd = {}; ///< Moves it there; addresses are lost, it goes down.
    std::optional<int> master = {};   ///< 0: no master.
    std::optional<std::uint32_t> group = {};
};

struct Route {
    IpPrefix to = {}; ///< bits 0: default route.
    std::optional<IpAddress> via = {};
    int ifindex = 0; ///< Without via: all of it is behind this device, no gateway.
    std::optional<IpAddress> source = {};
    std::uint32_t table = 254;             ///< main.
    std::optional<std::uint32_t> mtu = {}; ///< Bytes of IP packet.
    bool onlink = false;                   ///< via is taken to be behind the device whatever its addresses say.
};

/// One netlink socket. It belongs to the network namespace the calling thread was in at open(), wherever threads go
/// afterwards. One thread at a time.
class [[nodiscard]] RtNetlink {
public:
    [[nodiscard]] static Result<RtNetlink> open();
    RtNetlink(RtNetlink &&) noexcept;
    RtNetlink &operator=(RtNetlink &&) noexcept;
    ~RtNetlink();

    [[nodiscard]] Result<std::vector<Device>> devices();
    /// ENODEV when there is none of that name; the remedy lists the names there are.
    [[nodiscard]] Result<Device> device(std::string_view name);
    [[nodiscard]] Result<Device> device(int ifindex);

    [[nodiscard]] Result<> create_veth(const VethEnd &end, const VethEnd &other);
    [[nodiscard]] Result<> create_vlan(const std::string &name, int lower, std::uint16_t id, bool service_tag = false);
    [[nodiscard]] Result<> create_bridge(const std::string &name);
    /// The peer is made where it goes. Attributes the kernel does not know are ignored without an error: compare
    /// netkit_info() by netkit_ignored(). Kind::unsupported without CONFIG_NETKIT.
    [[nodiscard]] Result<> create_netkit(const NetkitPair &pair);
    /// Of either end; EINVAL when the device is no netkit.
    [[nodiscard]] Result<NetkitInfo> netkit_info(int ifindex);
    /// Unset stays. At the primary only (EACCES at the peer).
    [[nodiscard]] Result<> set_netkit_policy(int primary, std::optional<NetkitPolicy> policy,
                                             std::optional<NetkitPolicy> peer_policy);
    [[nodiscard]] Result<> remove_device(int ifindex);
    /// All of these that are still there, at the price of one: the kernel waits for its readers once.
    [[nodiscard]] Result<> remove_devices(const std::vector<int> &ifindexes);

    [[nodiscard]] Result<> change(int ifindex, const DeviceChange &change);
    [[nodiscard]] Result<> set_up(int ifindex, bool up = true) { return change(ifindex, {.up = up}); }
    [[nodiscard]] Result<> set_mtu(int ifindex, std::uint32_t mtu) { return change(ifindex, {.mtu = mtu}); }
    [[nodiscard]] Result<> set_mac(int ifindex, const Mac &mac) { return change(ifindex, {.mac = mac}); }
    [[nodiscard]] Result<> set_netns(int ifindex, int netns_fd) { return change(ifindex, {.netns_fd = netns_fd}); }

    /// False: it was not running all that time.
    [[nodiscard]] Result<bool> wait_until_running(int ifindex, std::chrono::milliseconds wait);

    /// Whether the device gets a link-local address by itself when it goes up; one it has goes when this is switched
    /// off.
    [[nodiscard]] Result<> set_ipv6_link_local(int ifindex, bool on);

    /// IPv6 addresses are usable at once (no duplicate address detection).
    [[nodiscard]] Result<> add_address(int ifindex, const IpPrefix &address);
    /// Until packets to the address are delivered here. Of an IPv6 address the kernel enters the local route by a work
    /// queue, a moment after it was added (net/ipv6/addrconf.c, addrconf_dad_work). False: it was not all that time.
    [[nodiscard]] Result<bool> wait_until_local(const IpAddress &address, std::chrono::milliseconds wait);
    [[nodiscard]] Result<std::vector<IpPrefix>> addresses(int ifindex);
    [[nodiscard]] Result<> add_route(const Route &route);
    /// Devices that default routes of the main table lead to, IPv4 and IPv6, each once, lowest metric first.
    [[nodiscard]] Result<std::vector<int>> default_route_devices();
    /// A permanent neighbour entry, replacing any other.
    [[nodiscard]] Result<> add_neighbour(int ifindex, const IpAddress &address, const Mac &mac);

private:
    struct State;
    explicit RtNetlink(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The kernel's words on why it refuses to attach a program in this mode: the refused attach is asked for once more
/// over netlink, for bpf(2) gives an errno only. Empty when it says nothing. Should the kernel accept, the program is
/// detached at once and the text is empty.
[[nodiscard]] std::string xdp_refusal(int prog_fd, int ifindex, XdpMode mode);

} // namespace beeline::kernel
