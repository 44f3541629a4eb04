// SPDX-License-Identifier: Apache-2.0
//
// Bytes that know their place: of each stream of bytes, any piece can be made and checked without keeping any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace beeline::conformance {

/// One direction of a connection. The period is a prime of about a million bytes, so what is lost, repeated or out of
/// order is found at its first byte; streams of different numbers differ from the first bytes on.
class Stream {
public:
    static constexpr std::size_t kLongest = std::size_t{1} << 20;

    explicit Stream(std::uint64_t number) : number_(number) {}

    /// The next size bytes (at most kLongest); says nothing of how many were sent.
    [[nodiscard]] std::string_view ahead(std::size_t size) const;
    void advance(std::size_t size) { position_ += size; }
    /// Whether these are the next bytes. Moves on; from the first wrong byte on nothing is right any more.
    bool check(std::string_view bytes);

    [[nodiscard]] std::uint64_t position() const { return position_; }
    [[nodiscard]] bool intact() const { return intact_; }

private:
    std::uint64_t number_;
    std::uint64_t position_ = 0;
    bool intact_ = true;
};

} // namespace beeline::conformance
