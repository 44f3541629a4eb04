// SPDX-License-Identifier: Apache-2.0
//
// Checksums the long way: every byte is added up, nothing is updated. What the BPF program does by differences is held
// against these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace beeline::harness {

/// Ones' complement sum of the bytes as 16-bit words in network order, an odd last byte filled up with zero, folded
/// (RFC 1071). 0 only when all bytes are zero.
[[nodiscard]] std::uint16_t ones_sum(std::span<const std::byte> bytes, std::uint32_t start = 0);

/// Folded sum of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1): source and destination are adjacent in both headers.
[[nodiscard]] std::uint16_t pseudo_sum(std::span<const std::byte> addresses, std::uint8_t proto, std::size_t length);

/// CRC32c (RFC 9260, appendix A) as the value of the SCTP checksum field read as a big-endian number.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

/// Looks at a frame as a receiver would and names each checksum that it would reject, "ipv4 udp"; "" when all are
/// right. Frames that hold no whole checksummed header have nothing wrong. UDP over IPv4 may have none; over IPv6 it
/// must. First fragments are not looked at (the sum is over all fragments).
[[nodiscard]] std::string wrong_checksums(std::span<const std::byte> frame);

} // namespace beeline::harness
