// SPDX-License-Identifier: Apache-2.0
//
// Addresses, routes and settings at both ends of a guest's pair.
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/kernel/sysctl.hpp>

#include "guest/wiring.hpp"

namespace beeline::guest {
namespace {

using kernel::IpAddress;
using kernel::IpPrefix;
using kernel::RtNetlink;

/// What the guest's default routes name where nobody answers for anybody: link-local, so that it collides with nothing
/// in the guest.
IpAddress own_gateway(bool v6) {
    return v6 ? IpAddress{.v6 = true, .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}
              : IpAddress{.v6 = false, .bytes = {169, 254, 1, 1}};
}

IpPrefix alone(const IpAddress &address) {
    return {.address = address, .bits = static_cast<std::uint8_t>(address.size() * 8)};
}

/// One family of one guest.
struct Family {
    IpPrefix address;
    std::optional<IpAddress> gateway; ///< None: the default route names the device alone.
};

std::vector<Family> families(const Asked &asked, const Wired &wired) {
    const bool l3 = wired.wiring == Wiring::netkit_l3;
    std::vector<Family> found;
    const auto add = [&](const std::optional<IpPrefix> &address, std::optional<IpAddress> gateway) {
        if (!address)
            return;
        if (!l3 && !gateway)
            gateway = own_gateway(address->address.v6);
        found.push_back({l3 ? *address : alone(address->address), gateway});
    };
    add(asked.address4, asked.gateway4);
    add(asked.address6, asked.gateway6);
    return found;
}

Result<> set_up_inside(const Asked &asked, const Wired &wired) {
    BL_TRY(auto links, RtNetlink::open());
    BL_TRY(const kernel::Device device, links.device(asked.device));
    const int ifindex = device.ifindex;
    if (wired.wiring == Wiring::netkit_l3 && asked.address6) // all L3 ends would have the same one
        BL_CHECK(links.set_ipv6_link_local(ifindex, false));
    for (const Family &family : families(asked, wired))
        BL_CHECK(links.add_address(ifindex, family.address));
    BL_CHECK(links.set_up(ifindex));
    for (const Family &family : families(asked, wired)) {
        if (family.gateway && wired.host_mac)
            BL_CHECK(links.add_neighbour(ifindex, *family.gateway, *wired.host_mac));
        const IpPrefix everything{.address = {.v6 = family.address.address.v6}, .bits = 0};
        BL_CHECK(links.add_route(
            {.to = everything, .via = family.gateway, .ifindex = ifindex, .onlink = family.gateway.has_value()}));
    }
    return {};
}

/// A host without IPv6 has no such settings.
Result<> set_family(const std::string &family, const std::string &device,
                    std::initializer_list<std::pair<const char *, const char *>> settings) {
    for (const auto &[name, value] : settings)
        BL_CHECK(kernel::write_net_sysctl(family + "/conf/" + device + "/" + name, value));
    return {};
}

/// Forwarding: bpf_fib_lookup() answers for devices that forward only.
Result<> set_sysctls(const Asked &asked) {
    BL_CHECK(set_family("ipv4", asked.host_device, {{"forwarding", "1"}, {"rp_filter", "0"}}));
    if (asked.address6)
        BL_CHECK(set_family("ipv6", asked.host_device, {{"forwarding", "1"}, {"accept_ra", "0"}}));
    return {};
}

Result<> set_up_host(const Asked &asked, const Wired &wired) {
    BL_TRY(auto links, RtNetlink::open());
    const int ifindex = static_cast<int>(wired.ifindex);
    BL_CHECK(set_sysctls(asked));
    // The host's end has the address that the guest is told, and no other that nobody asked for.
    if (auto off = links.set_ipv6_link_local(ifindex, false); !off && asked.address6)
        return off;
    for (const Family &family : families(asked, wired))
        if (wired.wiring != Wiring::netkit_l3 && family.gateway)
            BL_CHECK(links.add_address(ifindex, alone(*family.gateway)));
    BL_CHECK(links.set_up(ifindex));
    for (const Family &family : families(asked, wired)) {
        if (wired.mac)
            BL_CHECK(links.add_neighbour(ifindex, family.address.address, *wired.mac));
        BL_CHECK(links.add_route({.to = alone(family.address.address), .ifindex = ifindex}));
    }
    return {};
}

} // namespace

void wait_until_running(const Asked &asked, const Wired &wired) {
    constexpr std::chrono::seconds kLongest(2);
    const auto wait = [&](const std::string &name) -> Result<> {
        BL_TRY(auto links, RtNetlink::open());
        BL_TRY(const kernel::Device device, links.device(name));
        BL_TRY([[maybe_unused]] const bool running, links.wait_until_running(device.ifindex, kLongest));
        return {};
    };
    const auto wait_inside = [&]() -> Result<> {
        BL_CHECK(wait(asked.device));
        BL_TRY(auto links, RtNetlink::open());
        for (const Family &family : families(asked, wired)) {
            BL_TRY([[maybe_unused]] const bool local, links.wait_until_local(family.address.address, kLongest));
        }
        return {};
    };
    (void)wait(asked.host_device);
    if (const auto netns = kernel::NetNs::open(wired.netns))
        (void)netns->within(wait_inside);
}

Result<> connect(const Asked &asked, const Wired &wired, const kernel::NetNs &netns) {
    BL_CHECK(set_up_host(asked, wired));
    return netns.within([&] { return set_up_inside(asked, wired); });
}

} // namespace beeline::guest
