// SPDX-License-Identifier: Apache-2.0
//
// Packets as people write and read them: the language of `explain`, the one-line description of a frame, and what a
// rewrite changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/result.hpp>
#include <beeline/rules/values.hpp>

namespace beeline::edge {

/// The largest frame that can be judged (Program::judge).
inline constexpr std::size_t kMaxJudgedFrame = 3400;
inline constexpr std::size_t kMinJudgedFrame = 14;

/// A well-formed packet in words.
struct PacketSpec {
    std::uint8_t proto = 6; ///< IP protocol number.
    rules::Prefix src, dst; ///< Of one family, full length.
    std::optional<std::uint16_t> sport, dport;
    std::uint8_t flags = 0x02; ///< TCP flags, byte 13 of the header.
    std::uint8_t ttl = 64;
    std::uint8_t dscp = 0;
    std::uint8_t type = 8, code = 0; ///< ICMP, ICMPv6.
    std::optional<std::uint16_t> vlan, inner_vlan;
    bool later_fragment = false; ///< Offset 1480, no more fragments behind it: no L4 header.
    bool first_fragment = false; ///< Offset 0, more fragments.
    rules::Mac src_mac{0x02, 0, 0, 0, 0, 0x01}, dst_mac{0x02, 0, 0, 0, 0, 0x02};
    std::uint32_t length = 0; ///< Of the frame; 0: as long as the headers.
    std::string device;       ///< That receives it; empty: none in particular.
};

/// Reads `tcp 192.0.2.1:4000 > 198.51.100.7:443 flags syn in eth0`; docs/operations.md has the grammar. Kind::usage
/// errors name the column.
[[nodiscard]] Result<PacketSpec> read_packet(std::string_view text);
/// The frame from the Ethernet header on, with right lengths and checksums. The payload is zero bytes. Kind::usage when
/// length is less than the headers or more than can be judged.
[[nodiscard]] Result<std::vector<std::byte>> build_frame(const PacketSpec &spec);
/// Hexadecimal digits, white space and colons between bytes are skipped.
[[nodiscard]] Result<std::vector<std::byte>> read_hex(std::string_view text);

/// One header field of a frame; names are the words of rules where a word exists.
struct Field {
    std::string name;
    std::string value;
    bool operator==(const Field &) const = default;
};
/// The fields that are there, in the order of the headers. Never fails: what is cut short is left out.
[[nodiscard]] std::vector<Field> fields(std::span<const std::byte> frame);
/// "tcp 192.0.2.1:4000 > 198.51.100.7:443 flags syn, 54 bytes".
[[nodiscard]] std::string describe(std::span<const std::byte> frame, std::size_t length);
[[nodiscard]] inline std::string describe(std::span<const std::byte> frame) {
    return describe(frame, frame.size());
}

/// What differs between two frames.
struct Change {
    std::string field;
    std::string before, after; ///< Empty: the field was not there.
};
[[nodiscard]] std::vector<Change> changes(std::span<const std::byte> before, std::span<const std::byte> after);

/// "tcp" for 6; the number for those without a name here.
[[nodiscard]] std::string protocol_name(std::uint8_t proto);
/// "syn,ack" for 0x12; "none" for 0.
[[nodiscard]] std::string tcp_flag_names(std::uint8_t flags);

} // namespace beeline::edge
