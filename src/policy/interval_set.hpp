// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

namespace beeline::policy {

/// A number of 128 bits, wide enough for every field of a packet.
struct Wide {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    constexpr Wide() = default;
    constexpr Wide(std::uint64_t number) : low(number) {} // NOLINT(google-explicit-constructor): numbers are meant
    constexpr Wide(std::uint64_t h, std::uint64_t l) : high(h), low(l) {}
    auto operator<=>(const Wide &) const = default;
    [[nodiscard]] constexpr Wide next() const { return {high + (low == ~0ull ? 1 : 0), low + 1}; }
    [[nodiscard]] constexpr Wide previous() const { return {high - (low == 0 ? 1 : 0), low - 1}; }
};

/// A set of numbers as ascending intervals that neither overlap nor touch.
class IntervalSet {
public:
    struct Piece {
        Wide low, high; ///< Both included.
        bool operator==(const Piece &) const = default;
    };

    IntervalSet() = default;
    /// Pieces in any order, overlapping or not.
    explicit IntervalSet(std::vector<Piece> pieces);

    [[nodiscard]] bool empty() const { return pieces_.empty(); }
    [[nodiscard]] const std::vector<Piece> &pieces() const { return pieces_; }
    [[nodiscard]] bool contains(const IntervalSet &other) const;
    [[nodiscard]] IntervalSet intersected(const IntervalSet &other) const;
    /// What is in domain, but not in this set (which lies within it).
    [[nodiscard]] IntervalSet complement(Piece domain) const;
    bool operator==(const IntervalSet &) const = default;

private:
    std::vector<Piece> pieces_;
};

} // namespace beeline::policy
