// SPDX-License-Identifier: Apache-2.0
//
// Messages that prove themselves: a header with the hash of the random bytes behind it. Either end can say whether what
// arrived is what was sent, without knowing anything of the other end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace beeline::lab {

/// FNV-1a, 64 bits (draft-eastlake-fnv): every byte counts, and so does its place.
[[nodiscard]] std::uint64_t hash(std::span<const std::byte> bytes);

/// In front of every message, host byte order (both ends are on this host).
struct MessageHeader {
    std::uint64_t hash = 0;   ///< Of all bytes behind this header, xored with number.
    std::uint32_t number = 0; ///< Of the message in its exchange.
    std::uint32_t bytes = 0;  ///< Behind this header.
};
inline constexpr std::size_t kMinMessage = sizeof(MessageHeader);
inline constexpr std::size_t kMaxMessage = 60'000;

/// A reproducible stream of messages of random sizes and contents.
class PayloadSource {
public:
    /// Sizes are those of whole messages: kMinMessage <= min_bytes <= max_bytes <= kMaxMessage, else they are clamped.
    PayloadSource(std::uint64_t seed, std::size_t min_bytes, std::size_t max_bytes);

    [[nodiscard]] std::vector<std::byte> next();

private:
    std::mt19937_64 random_;
    std::size_t min_;
    std::size_t max_;
    std::uint32_t number_ = 0;
};

/// The header of a message, when there are enough bytes for one and its length is possible.
[[nodiscard]] std::optional<MessageHeader> header_of(std::span<const std::byte> bytes);

/// Whether this is one whole message and its hash is right.
[[nodiscard]] bool intact(std::span<const std::byte> message);

} // namespace beeline::lab
