// SPDX-License-Identifier: Apache-2.0
//
// What the config says about guests, as plain values: network namespaces, containers and virtual machines that Beeline
// wires to the host and the world. Nothing here knows about BPF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <beeline/kernel/address.hpp>
#include <beeline/policy/rule.hpp>

namespace beeline::guest {

/// Where a guest is.
struct Place {
    enum class By : std::uint8_t {
        netns,     ///< A network namespace: a name below /run/netns, or a path.
        container, ///< A container of podman or a CRI runtime: its id or name.
        tap,       ///< The tap device of a virtual machine.
    };
    By by = By::netns;
    std::string name;
    bool operator==(const Place &) const = default;
};

/// What the host's end and the guest's are made of. A tap is there already and has no mode.
enum class Mode : std::uint8_t {
    automatic, ///< netkit in L3 mode where the kernel has it, else veth.
    netkit_l3,
    netkit_l2,
    veth,
};

/// A port of the host that leads to the guest.
struct Publish {
    std::optional<kernel::IpAddress> address; ///< Of the host; nothing: all addresses of the uplinks.
    std::uint16_t host_port = 0;              ///< 1..65535, as are all ports here.
    std::uint16_t guest_port = 0;
    std::uint8_t proto = 6; ///< 6 TCP, 17 UDP.
    bool operator==(const Publish &) const = default;
};

/// One guest, checked. It has an address, and rules never is empty: the last one is the fallback, which matches every
/// packet of both directions.
struct Policy {
    std::string name;
    Place place;
    std::string device = "eth0";                         ///< Name inside the guest; empty for a tap.
    std::string host_device;                             ///< Name of the host's end; the tap itself.
    std::optional<kernel::IpPrefix> address4, address6;  ///< With host bits: 10.88.0.2/24.
    std::optional<kernel::IpAddress> gateway4, gateway6; ///< What the guest's default routes name; nothing: the device.
    Mode mode = Mode::automatic;
    std::optional<std::uint32_t> mtu;                ///< IP bytes, 68..65535; nothing: that of the uplinks.
    std::optional<kernel::Mac> mac;                  ///< Of the guest's end, in L2 modes, veth and behind a tap.
    std::optional<std::uint16_t> headroom, tailroom; ///< Bytes that netkit keeps free in packets.
    /// netkit clears mark and priority of what goes to the guest, too (of what it sends, always).
    bool scrub = false;
    bool masquerade = false; ///< To the world with the uplink's address.
    std::vector<Publish> publish;
    std::vector<policy::Set> sets; ///< Those that its rules name, and those made of long literal lists ("$1").
    std::vector<policy::Rule> rules;
    rules::Span where; ///< Of its name in the config file.
};

/// What all guests share.
struct HostSettings {
    std::vector<std::string> uplinks; ///< Devices to the world; none: those of the host's default routes.
    policy::Range<std::uint16_t> masquerade_ports{61000, 65535}; ///< Source ports for masquerade.
    std::uint32_t flows = 65536;                                 ///< Size of the flow table, 1024..1048576.
};

inline constexpr std::uint32_t kMinFlows = 1024;
inline constexpr std::uint32_t kMaxFlows = 1048576;
inline constexpr std::uint32_t kMinMtu = 68; ///< RFC 791: every link takes that much.
inline constexpr std::uint32_t kMaxMtu = 65535;

} // namespace beeline::guest
