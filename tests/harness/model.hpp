// SPDX-License-Identifier: Apache-2.0
//
// The reference model: what docs/edge.md and the comments in policy.hpp say becomes of a packet, worked out the plain
// way. It judges the policy itself, not the tables, and knows nothing of the BPF program but the numbers of the
// reasons.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <beeline/edge/policy.hpp>
#include <harness/packet.hpp>

namespace beeline::model {

using harness::Bytes;
using View = std::span<const std::byte>;

/// The fields of a packet; what is not there is absent.
struct Fields {
    struct Ip {
        edge::Family family = edge::Family::v4;
        std::array<std::uint8_t, 16> src{}, dst{}; ///< IPv4 in the first four bytes.
        std::uint8_t proto = 0, ttl = 0, dscp = 0;
        bool options = false, fragment = false, later = false;
        bool routed = false;       ///< A routing header has segments left: dst is not the final destination.
        bool source_route = false; ///< An IPv4 option LSRR or SSRR; the same of IPv6 is `routed`.
        bool bad_options = false;  ///< IPv4 options whose lengths cannot be: none behind them was read.
        std::size_t at = 0;        ///< Offset of the header.
    };
    struct Ports {
        std::uint16_t src = 0, dst = 0;
    };
    struct Icmp {
        std::uint8_t type = 0, code = 0;
    };
    /// A whole L4 header: offset in the frame, and bytes of the segment (header and payload).
    struct Segment {
        std::size_t at = 0, size = 0;
    };

    std::size_t length = 0;
    std::optional<edge::Mac> src_mac, dst_mac;
    std::optional<std::uint16_t> ethertype;
    bool tagged = false; ///< At least one tag, also a cut one.
    std::optional<std::uint16_t> vlan, inner_vlan;
    std::optional<Ip> ip;
    std::optional<Segment> segment;
    std::optional<Ports> ports;
    std::optional<std::uint8_t> tcp_flags;
    std::optional<Icmp> icmp;
    std::uint32_t reason = 0; ///< BL_EDGE_R_*; not 0: malformed.

    /// All of it, to be printed when model and program disagree.
    [[nodiscard]] std::string text() const;
};

[[nodiscard]] Fields parse(View frame);

/// What the packet meets on its way and cannot tell itself.
struct Surroundings {
    std::string device = "lo";
    /// Is this packet over the rate of the rule with this number? Asked only when everything else holds.
    std::function<bool(std::size_t rule, const Fields &)> over_rate = [](std::size_t, const Fields &) { return false; };
    bool redirect_works = true; ///< The device of `redirect` is there.
    bool cpu_works = true;      ///< The CPU of `cpu` is there.
    bool xsk_listens = false;   ///< A socket is there.
    bool generic = false;       ///< The device runs generic XDP: tx, redirect and cpu keep the skb.
};

struct Answer {
    std::size_t rule = 0;      ///< Index in Policy::rules.
    std::uint32_t xdp = 0;     ///< XDP_*.
    std::uint32_t reason = 0;  ///< Of the parser.
    std::uint32_t outcome = 0; ///< BL_EDGE_R_* of what the action met: csum_completed, rewrite_short, xsk_absent…
    Bytes frame;               ///< After the action; meaningless when the packet is dropped.
};

[[nodiscard]] bool matches(const edge::Match &match, std::span<const edge::Set> sets, const Fields &fields,
                           const std::string &device);
[[nodiscard]] Answer judge(const edge::Policy &policy, View frame, const Surroundings &surroundings);

} // namespace beeline::model
