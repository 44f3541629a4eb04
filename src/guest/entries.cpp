// SPDX-License-Identifier: Apache-2.0
#include "guest/entries.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <arpa/inet.h>

#include "guest/flows.hpp"
#include "guest/rule_maps.hpp"

namespace beeline::guest {
namespace {

std::uint32_t kind_of(Wiring wiring) {
    switch (wiring) {
    case Wiring::netkit_l3:
        return BL_GUEST_NETKIT_L3;
    case Wiring::netkit_l2:
        return BL_GUEST_NETKIT_L2;
    case Wiring::veth:
        return BL_GUEST_VETH;
    case Wiring::tap:
        return BL_GUEST_TAP;
    }
    return BL_GUEST_TAP;
}

bl_guest entry_of(const Record &record, bool up) {
    bl_guest guest{};
    if (record.asked.address4)
        std::memcpy(&guest.addr4, record.asked.address4->address.bytes.data(), sizeof guest.addr4);
    if (record.asked.address6)
        std::memcpy(guest.addr6, record.asked.address6->address.bytes.data(), sizeof guest.addr6);
    guest.ifindex = record.wired.ifindex;
    guest.flags = (up ? BL_GUEST_UP : 0) | (record.ruled.open && record.publish.empty() ? BL_GUEST_OPEN : 0) |
                  (record.masquerade ? BL_GUEST_MASQUERADE : 0) |
                  (record.wired.carries_mark ? BL_GUEST_CARRIES_MARK : 0);
    guest.kind = kind_of(record.wired.wiring);
    guest.out_counter = record.ruled.out_counter;
    guest.in_counter = record.ruled.in_counter;
    guest.mtu = record.wired.mtu;
    if (record.wired.mac)
        std::memcpy(guest.mac, record.wired.mac->data(), sizeof guest.mac);
    if (record.wired.host_mac)
        std::memcpy(guest.host_mac, record.wired.host_mac->data(), sizeof guest.host_mac);
    return guest;
}

using Ports = std::vector<std::pair<bl_port_key, bl_port>>;

/// A port without an address is one of each family that the guest has.
Ports ports_of(const Record &record) {
    Ports ports;
    for (const Publish &publish : record.publish)
        for (const auto &own : {record.asked.address4, record.asked.address6}) {
            if (!own || (publish.address && publish.address->v6 != own->address.v6))
                continue;
            bl_port_key key{};
            bl_port port{};
            if (publish.address)
                std::memcpy(key.address, publish.address->bytes.data(), publish.address->size());
            key.port = htons(publish.host_port);
            key.proto = publish.proto;
            key.family = own->address.v6 ? 6 : 4;
            std::memcpy(port.address, own->address.bytes.data(), own->address.size());
            port.slot = static_cast<__u16>(record.slot);
            port.port = htons(publish.guest_port);
            ports.emplace_back(key, port);
        }
    return ports;
}

bool same(const bl_port_key &a, const bl_port_key &b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Takes the guest's ports away besides those of `keep`.
Result<> erase_ports(PortMap &map, std::uint32_t slot, const Ports &keep) {
    BL_TRY(const auto entries, map.entries());
    for (const auto &[key, port] : entries) {
        const bool stays = std::ranges::any_of(keep, [&key](const auto &one) { return same(one.first, key); });
        if (port.slot == slot && !stays)
            BL_CHECK(map.erase(key));
    }
    return {};
}

/// Index of an address in guest_near: its last two bytes.
std::uint32_t near_index(const std::uint8_t *address, std::size_t size) {
    return static_cast<std::uint32_t>(address[size - 2]) | static_cast<std::uint32_t>(address[size - 1]) << 8;
}

/// The place is for whoever came first; who has none is found by guest_addresses.
Result<> list_near(NearMap &map, std::uint32_t index, std::uint32_t slot) {
    BL_TRY(const auto known, map.lookup(index));
    return known.value_or(0) == 0 ? map.update(index, slot + 1) : Result<>();
}

Result<> unlist_near(NearMap &map, const bl_guest &guest, std::uint32_t slot) {
    const auto *four = reinterpret_cast<const std::uint8_t *>(&guest.addr4);
    const auto *six = reinterpret_cast<const std::uint8_t *>(guest.addr6);
    for (const std::uint32_t index : {near_index(four, sizeof guest.addr4), near_index(six, sizeof guest.addr6)}) {
        BL_TRY(const auto known, map.lookup(index));
        if (known == slot + 1)
            BL_CHECK(map.update(index, 0));
    }
    return {};
}

} // namespace

Result<> list_guest(const Objects &objects, const Record &record, bool up) {
    BL_TRY(auto list, objects.map<GuestList>("guest_list"));
    return list.update(record.slot, entry_of(record, up));
}

Result<> list_addresses(const Objects &objects, const Record &record) {
    BL_TRY(auto map, objects.map<AddressMap>("guest_addresses"));
    BL_TRY(auto near, objects.map<NearMap>("guest_near"));
    for (const auto &own : {record.asked.address4, record.asked.address6}) {
        if (!own)
            continue;
        bl_guest_address key{};
        std::memcpy(key.address, own->address.bytes.data(), own->address.size());
        key.family = own->address.v6 ? 6 : 4;
        BL_CHECK(map.update(key, record.slot));
        BL_CHECK(list_near(near, near_index(own->address.bytes.data(), own->address.size()), record.slot));
    }
    return {};
}

Result<> list_ports(const Objects &objects, const Record &record) {
    BL_TRY(auto map, objects.map<PortMap>("guest_ports"));
    const Ports ports = ports_of(record);
    for (const auto &[key, port] : ports)
        BL_CHECK(map.update(key, port));
    return erase_ports(map, record.slot, ports);
}

Result<bool> is_listed_up(const Objects &objects, std::uint32_t slot) {
    BL_TRY(const auto list, objects.map<GuestList>("guest_list"));
    BL_TRY(const auto guest, list.lookup(slot));
    return guest && (guest->flags & BL_GUEST_UP) != 0;
}

Result<> unlist(const Objects &objects, std::uint32_t slot) {
    BL_TRY(auto list, objects.map<GuestList>("guest_list"));
    BL_TRY(const auto guest, list.lookup(slot));
    if (guest && guest->flags != 0) {
        bl_guest off = *guest;
        off.flags = 0;
        BL_CHECK(list.update(slot, off));
    }
    BL_TRY(auto near, objects.map<NearMap>("guest_near"));
    if (guest)
        BL_CHECK(unlist_near(near, *guest, slot));
    BL_TRY(auto ports, objects.map<PortMap>("guest_ports"));
    BL_CHECK(erase_ports(ports, slot, {}));
    BL_TRY(auto addresses, objects.map<AddressMap>("guest_addresses"));
    BL_TRY(const auto known, addresses.entries());
    for (const auto &[key, owner] : known)
        if (owner == slot)
            BL_CHECK(addresses.erase(key));
    return objects.next_generation();
}

Result<> clear_slots(const Objects &objects, const std::vector<std::uint32_t> &slots) {
    BL_CHECK(forget_rules(slots, objects));
    BL_TRY(auto list, objects.map<GuestList>("guest_list"));
    for (const std::uint32_t slot : slots)
        BL_CHECK(list.update(slot, bl_guest{}));
    return forget_flows(objects, {slots.begin(), slots.end()});
}

} // namespace beeline::guest
