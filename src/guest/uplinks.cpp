// SPDX-License-Identifier: Apache-2.0
#include "guest/uplinks.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <beeline/kernel/link.hpp>

namespace beeline::guest {
namespace {

using kernel::IpAddress;

constexpr std::string_view kPinPrefix = "link_wire_";
constexpr std::uint32_t kEthernetMtu = 1500;

/// Addresses that mean nothing beyond the cable, or the host.
bool is_local(const IpAddress &address) {
    const auto &bytes = address.bytes;
    if (!address.v6)
        return bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254);
    const bool loopback = std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
    return loopback || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

Result<Uplink> look_at(kernel::RtNetlink &links, const kernel::Device &device) {
    Uplink uplink{.name = device.name, .ifindex = static_cast<std::uint32_t>(device.ifindex)};
    uplink.facts.mtu = device.mtu;
    BL_TRY(const auto addresses, links.addresses(device.ifindex));
    for (const auto &[address, bits] : addresses) {
        const bool taken = address.v6 ? uplink.facts.addr6[0] != 0 : uplink.facts.addr4 != 0;
        if (!taken && !is_local(address))
            std::memcpy(address.v6 ? uplink.facts.addr6 : &uplink.facts.addr4, address.bytes.data(), address.size());
    }
    return uplink;
}

bool same(const bl_uplink &a, const bl_uplink &b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

bool is_attached(const std::filesystem::path &pin, std::uint32_t ifindex) {
    const auto link = kernel::Link::from_pin(pin);
    const auto info = link ? link->info() : std::unexpected(link.error());
    return info && info->ifindex == ifindex;
}

Result<> attach_uplink(const Uplink &uplink, const Objects &objects, const std::filesystem::path &pin) {
    std::error_code error;
    std::filesystem::remove(pin, error); // of a device that is gone
    BL_TRY(const auto link, kernel::Link::attach_tcx(objects.fd("guest_wire"), static_cast<int>(uplink.ifindex),
                                                     kernel::TcxHook::ingress, kernel::Order::last()));
    return link.pin(pin);
}

void detach_uplink(const std::filesystem::path &pin) {
    if (auto link = kernel::Link::from_pin(pin))
        (void)link->detach(); // fails for a device that is gone: there is nothing to detach then
    std::error_code error;
    std::filesystem::remove(pin, error);
}

} // namespace

std::string uplink_pin(std::uint32_t ifindex) {
    return std::string(kPinPrefix) + std::to_string(ifindex);
}

Result<std::vector<Uplink>> find_uplinks(kernel::RtNetlink &links, const std::vector<std::string> &names,
                                         const std::vector<std::uint32_t> &own, std::vector<std::string> *missing) {
    std::vector<kernel::Device> devices;
    for (const std::string &name : names) {
        auto device = links.device(name);
        if (device)
            devices.push_back(*std::move(device));
        else if (missing && device.error().code == ENODEV)
            missing->push_back(name);
        else
            return std::unexpected(std::move(device).error().within("uplinks"));
    }
    if (names.empty()) {
        BL_TRY(const std::vector<int> found, links.default_route_devices());
        for (const int ifindex : found)
            if (auto device = links.device(ifindex)) // else it went meanwhile
                devices.push_back(*std::move(device));
    }
    std::vector<Uplink> uplinks;
    for (const kernel::Device &device : devices) {
        if (std::ranges::count(own, static_cast<std::uint32_t>(device.ifindex)) != 0)
            continue;
        BL_TRY(Uplink uplink, look_at(links, device));
        uplinks.push_back(std::move(uplink));
    }
    return uplinks;
}

std::vector<std::uint32_t> attached_uplinks(const std::filesystem::path &directory) {
    std::vector<std::uint32_t> found;
    std::error_code error;
    for (std::filesystem::directory_iterator pin(directory, error), end; !error && pin != end; pin.increment(error)) {
        const std::string name = pin->path().filename().string();
        std::uint32_t ifindex = 0;
        if (name.starts_with(kPinPrefix) &&
            std::from_chars(name.data() + kPinPrefix.size(), name.data() + name.size(), ifindex).ec == std::errc{})
            found.push_back(ifindex);
    }
    std::ranges::sort(found);
    return found;
}

Result<std::vector<std::string>> set_uplinks(const std::vector<Uplink> &wanted, const Objects &objects,
                                             const std::filesystem::path &directory) {
    BL_TRY(auto map, objects.map<UplinkMap>("guest_uplinks"));
    std::vector<std::string> changes;
    for (const Uplink &uplink : wanted) {
        const auto pin = directory / uplink_pin(uplink.ifindex);
        const bool attached = is_attached(pin, uplink.ifindex);
        BL_TRY(const auto known, map.lookup(uplink.ifindex));
        if (!attached)
            BL_CHECK(attach_uplink(uplink, objects, pin));
        if (!known || !same(*known, uplink.facts))
            BL_CHECK(map.update(uplink.ifindex, uplink.facts));
        if (!attached || !known || !same(*known, uplink.facts))
            changes.push_back(uplink.name);
    }
    const auto stays = [&wanted](std::uint32_t ifindex) {
        return std::ranges::count(wanted, ifindex, &Uplink::ifindex) != 0;
    };
    for (const std::uint32_t ifindex : attached_uplinks(directory)) {
        if (stays(ifindex))
            continue;
        detach_uplink(directory / uplink_pin(ifindex));
        changes.push_back("ifindex " + std::to_string(ifindex));
    }
    BL_TRY(const auto known, map.keys());
    for (const std::uint32_t ifindex : known)
        if (!stays(ifindex))
            BL_CHECK(map.erase(ifindex));
    return changes;
}

std::uint32_t guest_mtu(const std::vector<Uplink> &uplinks) {
    std::uint32_t least = 0;
    for (const Uplink &uplink : uplinks)
        least = least == 0 ? uplink.facts.mtu : std::min(least, uplink.facts.mtu);
    return least == 0 ? kEthernetMtu : least;
}

} // namespace beeline::guest
