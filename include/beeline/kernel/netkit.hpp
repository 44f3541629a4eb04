// SPDX-License-Identifier: Apache-2.0
//
// netkit: a pair of devices made for guests; programs run where each end transmits (Linux 6.7, CONFIG_NETKIT).
// Facts: drivers/net/netkit.c and include/uapi/linux/if_link.h of Linux 6.18.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/kernel/address.hpp>

namespace beeline::kernel {

enum class NetkitMode : std::uint32_t {
    l2 = 0, ///< Ethernet with addresses and ARP.
    l3 = 1, ///< No ARP, no neighbour discovery; addresses are zero and cannot be set.
};
/// What becomes of packets while no program is attached at that end; the last program's going brings it back.
enum class NetkitPolicy : std::uint32_t { pass = 0, drop = 2 };
/// What a packet loses when it enters this end's namespace (Linux 6.13): normal clears its mark and priority.
enum class NetkitScrub : std::uint32_t { none = 0, normal = 1 };

struct NetkitEnd {
    std::string name = {};
    std::optional<int> netns_fd = {}; ///< Where to make it; not set: here.
    std::optional<Mac> mac = {};      ///< L2 only (2024 and later kernels).
    std::optional<std::uint32_t> mtu = {};
};

/// A pair to make. Unset options are the kernel's choice and are not asked for.
struct NetkitPair {
    NetkitEnd primary = {}; ///< The host's end: programs and policies of both ends are set through it.
    NetkitEnd peer = {};    ///< The guest's end; made in its namespace, never seen in this one.
    NetkitMode mode = NetkitMode::l3;
    NetkitPolicy policy = NetkitPolicy::pass;      ///< Of what the primary sends: host to guest.
    NetkitPolicy peer_policy = NetkitPolicy::pass; ///< Of what the peer sends: guest to host.
    std::optional<NetkitScrub> scrub = {};         ///< Of what the primary sends.
    std::optional<NetkitScrub> peer_scrub = {};
    std::optional<std::uint16_t> headroom = {}; ///< Bytes both ends leave before a packet, for tunnels (Linux 6.14).
    std::optional<std::uint16_t> tailroom = {};
};

/// What the kernel tells of one end. Unset: it does not tell, so it does not know the attribute either.
struct NetkitInfo {
    std::optional<bool> primary = {};
    std::optional<NetkitMode> mode = {};
    std::optional<NetkitPolicy> policy = {};      ///< Of the end that was asked about.
    std::optional<NetkitPolicy> peer_policy = {}; ///< Of the other end.
    std::optional<NetkitScrub> scrub = {};
    std::optional<NetkitScrub> peer_scrub = {};
    std::optional<std::uint16_t> headroom = {};
    std::optional<std::uint16_t> tailroom = {};
};

/// The kernel ignores attributes it does not know without an error. These are the ones that were asked for and are not
/// so ("scrub", "headroom"), by their names in NetkitPair; got is what the primary tells. Empty: all is as asked.
[[nodiscard]] std::vector<std::string_view> netkit_ignored(const NetkitPair &asked, const NetkitInfo &got);

} // namespace beeline::kernel
