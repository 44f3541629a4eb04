// SPDX-License-Identifier: Apache-2.0
//
// Link-layer and IP addresses as rtnetlink takes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::kernel {

using Mac = std::array<std::uint8_t, 6>;
[[nodiscard]] Result<Mac> parse_mac(std::string_view text); ///< "02:00:00:00:00:01"
[[nodiscard]] std::string to_string(const Mac &mac);

/// Network order; IPv4 in the first four bytes, the rest zero.
struct IpAddress {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};
    [[nodiscard]] static Result<IpAddress> parse(std::string_view text);
    [[nodiscard]] int family() const; ///< AF_INET or AF_INET6.
    [[nodiscard]] std::size_t size() const { return v6 ? 16 : 4; }
    bool operator==(const IpAddress &) const = default;
};
[[nodiscard]] std::string to_string(const IpAddress &address);

/// An address with a prefix length; host bits are kept ("10.0.0.1/24" of an interface).
struct IpPrefix {
    IpAddress address = {};
    std::uint8_t bits = 0;
    /// Without "/N" all bits count.
    [[nodiscard]] static Result<IpPrefix> parse(std::string_view text);
    bool operator==(const IpPrefix &) const = default;
};
[[nodiscard]] std::string to_string(const IpPrefix &prefix);

} // namespace beeline::kernel
