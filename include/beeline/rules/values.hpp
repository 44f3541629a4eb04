// SPDX-License-Identifier: Apache-2.0
//
// The values that rules, sets and the command line share: addresses, ports, MAC addresses, numbers. Every reader takes
// the whole text or says what is wrong with it (Error::what) and what was expected (Error::remedy).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::rules {

/// An address with a prefix length, network order; IPv4 uses the first four bytes. Host bits are zero.
struct Prefix {
    bool v6 = false;
    std::uint8_t bits = 0;
    std::array<std::uint8_t, 16> address{};
    bool operator==(const Prefix &) const = default;
    [[nodiscard]] bool is_host() const { return bits == (v6 ? 128 : 32); }
};

using Mac = std::array<std::uint8_t, 6>;

/// low..high, both included.
struct Interval {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool operator==(const Interval &) const = default;
};

/// A word that stands for a number.
struct NamedNumber {
    std::string_view name;
    std::uint64_t number = 0;
};

/// 192.0.2.1, 192.0.2.0/24, 2001:db8::1, 2001:db8::/32. Host bits that are set are an error that names the prefix
/// meant.
[[nodiscard]] Result<Prefix> read_prefix(std::string_view text);
/// The same without a prefix length.
[[nodiscard]] Result<Prefix> read_address(std::string_view text);
/// 02:00:5e:10:00:01
[[nodiscard]] Result<Mac> read_mac(std::string_view text);
/// Decimal or 0x hexadecimal within limits; no leading zeros.
[[nodiscard]] Result<std::uint64_t> read_number(std::string_view text, Interval limits);
/// N, N-M or a name.
[[nodiscard]] Result<Interval> read_interval(std::string_view text, Interval limits,
                                             std::span<const NamedNumber> names);
/// A port, a range of ports or the name of a service.
[[nodiscard]] Result<Interval> read_ports(std::string_view text);

[[nodiscard]] std::string to_text(const Prefix &prefix);
[[nodiscard]] std::string to_text(const Mac &mac);
/// The services that rules may name. A list of our own, not /etc/services: a file means the same on every host.
[[nodiscard]] std::span<const NamedNumber> services();

} // namespace beeline::rules
