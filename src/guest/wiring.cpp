// SPDX-License-Identifier: Apache-2.0
#include "guest/wiring.hpp"

#include <array>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/rtnetlink.hpp>

namespace beeline::guest {
namespace {

using kernel::Device;
using kernel::NetNs;
using kernel::RtNetlink;

std::string first_line(const Error &error) {
    const std::string text = error.message();
    return text.substr(0, text.find('\n'));
}

Result<std::optional<Device>> find_device(RtNetlink &links, const std::string &name) {
    auto device = links.device(name);
    if (device)
        return std::optional(*std::move(device));
    if (device.error().code == ENODEV)
        return std::optional<Device>();
    return std::unexpected(std::move(device).error());
}

kernel::NetkitPair netkit_pair(const Asked &asked, const NetNs &netns, std::uint32_t mtu, kernel::NetkitMode mode) {
    return {.primary = {.name = asked.host_device, .mtu = mtu},
            .peer = {.name = asked.device, .netns_fd = netns.fd(), .mac = asked.mac, .mtu = mtu},
            .mode = mode,
            // Whatever becomes of the programs, nothing passes without them.
            .policy = kernel::NetkitPolicy::drop,
            .peer_policy = kernel::NetkitPolicy::drop,
            .scrub = asked.scrub ? kernel::NetkitScrub::normal : kernel::NetkitScrub::none,
            .peer_scrub = kernel::NetkitScrub::normal,
            .headroom = asked.headroom,
            .tailroom = asked.tailroom};
}

std::string text(kernel::NetkitScrub scrub) {
    return scrub == kernel::NetkitScrub::none ? "none" : "default";
}

void read_back(const kernel::NetkitPair &pair, const kernel::NetkitInfo &info, Wired &wired) {
    const auto tell = [&wired](const char *name, const std::string &value) {
        wired.attributes.emplace_back(name, value);
    };
    if (info.scrub)
        tell("scrub", text(*info.scrub));
    if (info.peer_scrub)
        tell("peer_scrub", text(*info.peer_scrub));
    if (info.headroom)
        tell("headroom", std::to_string(*info.headroom));
    if (info.tailroom)
        tell("tailroom", std::to_string(*info.tailroom));
    for (const std::string_view name : kernel::netkit_ignored(pair, info))
        wired.ignored.emplace_back(name);
    wired.carries_mark = info.scrub == kernel::NetkitScrub::none;
}

Result<> make_netkit(RtNetlink &links, const Asked &asked, const NetNs &netns, std::uint32_t mtu, Wired &wired) {
    const bool l3 = asked.mode != Mode::netkit_l2;
    const auto pair = netkit_pair(asked, netns, mtu, l3 ? kernel::NetkitMode::l3 : kernel::NetkitMode::l2);
    BL_CHECK(links.create_netkit(pair));
    wired.wiring = l3 ? Wiring::netkit_l3 : Wiring::netkit_l2;
    BL_TRY(const Device device, links.device(asked.host_device));
    wired.ifindex = static_cast<std::uint32_t>(device.ifindex);
    BL_TRY(const auto info, links.netkit_info(device.ifindex));
    read_back(pair, info, wired);
    for (const std::string &name : wired.ignored)
        if (name == "policy" || name == "peer_policy" || name == "mode")
            return fail(Kind::unsupported, 0, "this kernel makes netkit pairs without a " + name,
                        "mode = \"veth\", or a newer kernel");
    return {};
}

Result<> make_veth(RtNetlink &links, const Asked &asked, const NetNs &netns, std::uint32_t mtu, Wired &wired) {
    BL_CHECK(links.create_veth({.name = asked.host_device, .mtu = mtu},
                               {.name = asked.device, .netns_fd = netns.fd(), .mac = asked.mac, .mtu = mtu}));
    wired.wiring = Wiring::veth;
    wired.carries_mark = true;
    return {};
}

/// A MAC belongs to a pair that has neighbours.
bool wants_l2(const Asked &asked) {
    return asked.mode == Mode::netkit_l2 || (asked.mode == Mode::automatic && asked.mac);
}

Result<> make_pair(RtNetlink &links, Asked asked, const NetNs &netns, std::uint32_t mtu, Wired &wired) {
    if (asked.mode == Mode::veth)
        return make_veth(links, asked, netns, mtu, wired);
    const bool may_fall_back = asked.mode == Mode::automatic;
    asked.mode = wants_l2(asked) ? Mode::netkit_l2 : Mode::netkit_l3;
    auto made = make_netkit(links, asked, netns, mtu, wired);
    if (made || !may_fall_back || made.error().kind != Kind::unsupported)
        return made;
    if (wired.ifindex != 0)
        BL_CHECK(links.remove_device(static_cast<int>(wired.ifindex)));
    wired.attributes.clear();
    wired.ignored.clear();
    wired.why = first_line(made.error());
    return make_veth(links, asked, netns, mtu, wired);
}

Result<> find_tap(RtNetlink &links, const Asked &asked, Wired &wired) {
    BL_TRY(const Device device, links.device(asked.place.name));
    wired.wiring = Wiring::tap;
    wired.ifindex = static_cast<std::uint32_t>(device.ifindex);
    wired.mtu = device.mtu;
    wired.mac = asked.mac;
    wired.host_mac = device.mac;
    wired.carries_mark = true;
    return {};
}

bool is_ours(const Device &device, const Asked &asked, const Wired &wired) {
    const bool kind = device.kind == "netkit" || device.kind == "veth";
    if (wired.ifindex != 0)
        return kind && static_cast<std::uint32_t>(device.ifindex) == wired.ifindex;
    return kind && device.name == asked.host_device;
}

/// The guest's pair, as far as it is there.
Result<std::optional<Device>> own_device(RtNetlink &links, const Record &record) {
    const std::uint32_t ifindex = record.wired.ifindex;
    auto device = ifindex != 0 ? links.device(static_cast<int>(ifindex)) : links.device(record.asked.host_device);
    if (!device && device.error().code != ENODEV)
        return std::unexpected(std::move(device).error());
    if (!device || !is_ours(*device, record.asked, record.wired))
        return std::nullopt;
    return *std::move(device);
}

void detach(const std::filesystem::path &directory) {
    for (const char *pin : {kLinkOut, kLinkIn})
        if (auto link = kernel::Link::from_pin(directory / pin))
            (void)link->detach(); // fails for a device that is gone: there is nothing to detach then
}

bool is_attached(const std::filesystem::path &pin, std::uint32_t ifindex) {
    const auto link = kernel::Link::from_pin(pin);
    const auto info = link ? link->info() : std::unexpected(link.error());
    return info && (ifindex == 0 ? info->ifindex != 0 : info->ifindex == ifindex);
}

bool is_netkit(const Wired &wired) {
    return wired.wiring == Wiring::netkit_l3 || wired.wiring == Wiring::netkit_l2;
}

} // namespace

std::string_view name(Wiring wiring) {
    constexpr std::array<std::string_view, 4> kNames = {"netkit-l3", "netkit-l2", "veth", "tap"};
    return kNames.at(static_cast<std::size_t>(wiring));
}

Result<> check_free(const Asked &asked, const NetNs *netns) {
    BL_TRY(auto links, RtNetlink::open());
    if (!netns) {
        BL_CHECK(links.device(asked.place.name));
        return {};
    }
    BL_TRY(const auto host, find_device(links, asked.host_device));
    if (host)
        return fail(Kind::conflict, 0, "this host has a device " + asked.host_device + " already",
                    "name another one by host_device");
    return netns->within([&]() -> Result<> {
        BL_TRY(auto inside, RtNetlink::open());
        BL_TRY(const auto taken, find_device(inside, asked.device));
        if (taken)
            return fail(Kind::conflict, 0, "the guest has a device " + asked.device + " already",
                        "name another one by device");
        return {};
    });
}

Result<> make_device(const Asked &asked, const NetNs *netns, std::uint32_t mtu, Wired &wired) {
    BL_TRY(auto links, RtNetlink::open());
    if (!netns)
        return find_tap(links, asked, wired);
    wired.mtu = asked.mtu.value_or(mtu);
    BL_CHECK(make_pair(links, asked, *netns, wired.mtu, wired));
    BL_TRY(const Device host, links.device(asked.host_device));
    wired.ifindex = static_cast<std::uint32_t>(host.ifindex);
    if (wired.wiring == Wiring::netkit_l3)
        return {};
    wired.host_mac = host.mac;
    return netns->within([&]() -> Result<> {
        BL_TRY(auto inside, RtNetlink::open());
        BL_TRY(const Device guest, inside.device(asked.device));
        wired.mac = guest.mac;
        return {};
    });
}

Result<> attach(const Stubs &stubs, int across, const Wired &wired, const std::filesystem::path &directory) {
    const int ifindex = static_cast<int>(wired.ifindex);
    const auto first = kernel::Order::first(); // nobody lets a packet by before it was judged
    const bool netkit = is_netkit(wired);
    if (netkit) { // before there is anything to take across
        BL_TRY(const auto link, kernel::Link::attach_tcx(across, ifindex, kernel::TcxHook::ingress, first));
        BL_CHECK(link.pin(directory / kLinkAcross));
    }
    BL_TRY(const auto out, netkit
                               ? kernel::Link::attach_netkit(stubs.out.get(), ifindex, kernel::NetkitHook::peer, first)
                               : kernel::Link::attach_tcx(stubs.out.get(), ifindex, kernel::TcxHook::ingress, first));
    BL_CHECK(out.pin(directory / kLinkOut));
    BL_TRY(const auto in, netkit
                              ? kernel::Link::attach_netkit(stubs.in.get(), ifindex, kernel::NetkitHook::primary, first)
                              : kernel::Link::attach_tcx(stubs.in.get(), ifindex, kernel::TcxHook::egress, first));
    return in.pin(directory / kLinkIn);
}

Result<> remove_devices(const std::vector<Record> &guests, const std::filesystem::path &live) {
    BL_TRY(auto links, RtNetlink::open());
    std::vector<int> ifindexes;
    for (const Record &record : guests) {
        if (record.asked.place.by == Place::By::tap) {
            detach(live / std::to_string(record.slot));
            continue;
        }
        BL_TRY(const auto device, own_device(links, record));
        if (device)
            ifindexes.push_back(device->ifindex);
    }
    return links.remove_devices(ifindexes);
}

bool is_whole(const Wired &wired, const std::filesystem::path &directory) {
    // The link at netkit's peer hook tells the peer's number, in the guest's namespace (drivers/net/netkit.c).
    return is_attached(directory / kLinkOut, is_netkit(wired) ? 0 : wired.ifindex) &&
           is_attached(directory / kLinkIn, wired.ifindex) &&
           (!is_netkit(wired) || is_attached(directory / kLinkAcross, wired.ifindex));
}

} // namespace beeline::guest
