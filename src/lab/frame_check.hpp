// SPDX-License-Identifier: Apache-2.0
//
// An independent opinion on the checksums of a captured frame: the full one's complement sum of RFC 1071, over what the
// headers claim, sharing no code with the data path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace beeline::lab {

enum class Sum : std::uint8_t {
    absent,  ///< Nothing to check: no such header, a fragment, UDP over IPv4 without a checksum.
    good,    ///<
    partial, ///< Only the pseudo-header's sum, as left for a device to complete (CHECKSUM_PARTIAL).
    bad,     ///<
};

struct FrameSums {
    bool malformed = false; ///< A header is cut short or claims more than there is; the rest was not looked at.
    Sum ip = Sum::absent;   ///< IPv4 header.
    Sum l4 = Sum::absent;   ///< TCP, UDP, ICMP or ICMPv6.
    std::uint8_t protocol = 0;

    [[nodiscard]] bool complete() const { return !malformed && ip != Sum::bad && l4 != Sum::bad && l4 != Sum::partial; }
};

/// frame: from the Ethernet header on, no FCS; up to two VLAN tags, IPv4 or IPv6 with extension headers.
[[nodiscard]] FrameSums check_frame(std::span<const std::byte> frame);

/// The folded one's complement sum of big-endian words, not complemented; an odd last byte is padded with zero.
[[nodiscard]] std::uint16_t sum_words(std::span<const std::byte> bytes, std::uint32_t start = 0);

/// Counts of a whole capture.
struct SumTotals {
    std::uint64_t frames = 0;
    std::uint64_t tcp = 0, udp = 0, icmp = 0; ///< Frames whose L4 sum was checked.
    std::uint64_t partial = 0, bad = 0, malformed = 0;

    void add(const FrameSums &sums);
    [[nodiscard]] bool clean() const { return partial == 0 && bad == 0 && malformed == 0; }
    /// "120 frames: 60 TCP, 56 UDP, 4 ICMP checked, 0 bad".
    [[nodiscard]] std::string text() const;
};

} // namespace beeline::lab
