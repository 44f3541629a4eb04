// SPDX-License-Identifier: Apache-2.0
//
// Devices for programs that are asked before anything is attached: they ask the kernel for routes, by the device.
#include <algorithm>

#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/kernel/sysctl.hpp>

#include "guest/asker.hpp"
#include "guest/uplinks.hpp"

namespace beeline::guest {
namespace {

using kernel::IpPrefix;
using kernel::RtNetlink;

constexpr int kLoopback = 1; // LOOPBACK_IFINDEX of the kernel

bool is_link_local(const kernel::IpAddress &address) {
    return address.v6 ? address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80
                      : address.bytes[0] == 169 && address.bytes[1] == 254;
}

/// The addresses of this host by device, besides link-local ones, which several devices may have.
using Addresses = std::vector<std::pair<std::string, IpPrefix>>;

Result<Addresses> host_addresses(RtNetlink &links) {
    Addresses all;
    BL_TRY(const auto devices, links.devices());
    for (const kernel::Device &device : devices) {
        if (device.loopback)
            continue;
        BL_TRY(const auto addresses, links.addresses(device.ifindex));
        for (const IpPrefix &address : addresses)
            if (!is_link_local(address.address))
                all.emplace_back(device.name, address);
    }
    return all;
}

/// One end of a veth pair, up: every kernel that runs containers has that driver. The kernel numbers the other ends.
Result<std::uint32_t> make_device(RtNetlink &links, const std::string &name) {
    auto made = [&]() -> Result<std::uint32_t> {
        BL_CHECK(links.create_veth({.name = name}, {.name = ".beeline%d"}));
        BL_TRY(const kernel::Device device, links.device(name));
        BL_CHECK(links.set_up(device.peer));
        BL_CHECK(links.set_up(device.ifindex));
        return static_cast<std::uint32_t>(device.ifindex);
    }();
    if (!made)
        return std::unexpected(std::move(made).error().within("stand-in for device " + name));
    return made;
}

Result<> add_default_routes(RtNetlink &links, std::uint32_t ifindex) {
    for (const bool v6 : {false, true}) {
        kernel::Route route{.ifindex = static_cast<int>(ifindex)};
        route.to.address.v6 = v6;
        BL_CHECK(links.add_route(route));
    }
    return {};
}

/// What is not an uplink's is the host's all the same.
Result<> add_addresses(RtNetlink &links, const Addresses &addresses, const std::vector<StandIns::Uplink> &uplinks) {
    for (const auto &[device, address] : addresses) {
        const auto uplink = std::ranges::find(uplinks, device, &StandIns::Uplink::name);
        if (uplink != uplinks.end()) {
            BL_CHECK(links.add_address(static_cast<int>(uplink->ifindex), address));
            continue;
        }
        const auto all_bits = static_cast<std::uint8_t>(address.address.size() * 8);
        const auto added = links.add_address(kLoopback, {address.address, all_bits});
        if (!added && added.error().code != EEXIST) // two devices may have the same one
            return added;
    }
    return {};
}

Result<> allow_forwarding() {
    BL_CHECK(kernel::write_net_sysctl("ipv4/conf/all/forwarding", "1"));
    return kernel::write_net_sysctl("ipv6/conf/all/forwarding", "1");
}

} // namespace

Result<StandIns> StandIns::make(const HostSettings &settings, const std::vector<Policy> &policies) {
    BL_TRY(auto host, RtNetlink::open());
    std::vector<std::string> missing;
    BL_TRY(const auto found, find_uplinks(host, settings.uplinks, {}, &missing));
    BL_TRY(const Addresses addresses, host_addresses(host));
    BL_TRY(kernel::NetNs netns, kernel::NetNs::anonymous());
    StandIns made{.netns = std::move(netns), .guests = {}, .uplinks = {}, .guest_mtu = guest::guest_mtu(found)};
    for (const guest::Uplink &uplink : found)
        made.uplinks.push_back({uplink.name, 0, uplink.facts});
    for (const std::string &name : missing)
        made.uplinks.push_back({name, 0, bl_uplink{.addr4 = 0, .addr6 = {}, .mtu = made.guest_mtu}});
    BL_TRY(const auto guard, made.netns.enter());
    BL_TRY(auto links, RtNetlink::open());
    BL_CHECK(links.set_up(kLoopback));
    BL_CHECK(allow_forwarding());
    for (Uplink &uplink : made.uplinks) {
        BL_TRY(uplink.ifindex, make_device(links, uplink.name));
    }
    for (const Policy &policy : policies) {
        BL_TRY(const std::uint32_t ifindex, make_device(links, policy.host_device));
        made.guests.push_back(ifindex);
    }
    BL_CHECK(add_addresses(links, addresses, made.uplinks));
    if (!made.uplinks.empty())
        BL_CHECK(add_default_routes(links, made.uplinks.front().ifindex));
    return made;
}

} // namespace beeline::guest
