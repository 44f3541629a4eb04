// SPDX-License-Identifier: Apache-2.0
//
// Names and addresses of guests.
#include <algorithm>

#include <fmt/format.h>

#include <beeline/guest/parse.hpp>
#include <beeline/rules/values.hpp>
#include <beeline/rules/words.hpp>

namespace beeline::guest {

namespace {

constexpr std::size_t kMaxName = 63;
constexpr std::size_t kMaxContainer = 255;
constexpr std::size_t kMaxPath = 4095;
constexpr std::size_t kMaxDeviceName = 15; // IFNAMSIZ - 1

bool plain(std::string_view name, std::size_t most) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto good = [&](char c) { return letter(c) || c == '_' || c == '-' || c == '.'; };
    return !name.empty() && name.size() <= most && letter(name.front()) && std::all_of(name.begin(), name.end(), good);
}

Result<> check_netns(const std::string &name) {
    if (name.find('\0') != name.npos || name.empty() || name.size() > kMaxPath)
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be a network namespace",
                    "a name as `ip netns` shows it, or a path");
    if (!name.starts_with('/') && (name.find('/') != name.npos || name == "." || name == ".."))
        return fail(Kind::config, 0, rules::in_quotes(name) + " is neither a name nor a whole path",
                    "names have no '/', paths begin with one");
    return {};
}

/// The bits of the address behind its prefix, all of them 0 or all of them 1.
bool host_bits_are(const kernel::IpPrefix &prefix, bool value) {
    for (unsigned bit = prefix.bits; bit < prefix.address.size() * 8; ++bit)
        if (((prefix.address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) != value)
            return false;
    return true;
}

/// Of one host: not the unspecified, a loopback, multicast or broadcast address.
Result<> check_one_host(const kernel::IpAddress &address) {
    const auto &bytes = address.bytes;
    const bool zero = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    const bool loopback = is_loopback(address);
    const bool many = address.v6 ? bytes[0] == 0xff : bytes[0] >= 224; // 240/4 is reserved, its last one broadcast
    if (zero || loopback || many)
        return fail(Kind::config, 0,
                    fmt::format("{} is {} address", kernel::to_string(address),
                                zero       ? "the unspecified"
                                : loopback ? "a loopback"
                                           : "a multicast or reserved"),
                    "a guest needs one of its own");
    return {};
}

} // namespace

bool is_loopback(const kernel::IpAddress &address) {
    const auto &bytes = address.bytes;
    const auto first = std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
    return address.v6 ? first == bytes.end() - 1 && *first == 1 : bytes[0] == 127;
}

Result<kernel::IpAddress> read_gateway(std::string_view text) {
    const auto read = rules::read_address(text);
    if (!read)
        return fail(Kind::config, 0, read.error().what,
                    read.error().remedy.empty() ? "for example 10.88.0.1 or 2001:db8::1" : read.error().remedy);
    const kernel::IpAddress address{.v6 = read->v6, .bytes = read->address};
    BL_CHECK(check_one_host(address));
    return address;
}

Result<kernel::IpPrefix> read_address(std::string_view text) {
    const auto slash = text.find('/');
    BL_TRY(const kernel::IpAddress address, read_gateway(text.substr(0, slash)));
    const auto all = static_cast<std::uint8_t>(address.size() * 8);
    kernel::IpPrefix prefix{.address = address, .bits = all};
    if (slash == text.npos)
        return prefix;
    const auto bits = rules::read_number(text.substr(slash + 1), {1, all});
    if (!bits)
        return fail(Kind::config, 0, "the prefix length " + bits.error().what, bits.error().remedy);
    prefix.bits = static_cast<std::uint8_t>(*bits);
    // RFC 3021: a network of two has neither.
    if (!address.v6 && prefix.bits < 31 && (host_bits_are(prefix, false) || host_bits_are(prefix, true)))
        return fail(Kind::config, 0,
                    fmt::format("{} is the {} of its network", rules::in_quotes(text),
                                host_bits_are(prefix, false) ? "address" : "broadcast address"),
                    "write the guest's own address with the length, for example 10.88.0.2/24");
    return prefix;
}

Result<> check_name(std::string_view name) {
    if (!plain(name, kMaxName))
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be the name of a guest",
                    fmt::format("letters, digits, '-', '_' and '.', a letter or digit first, at most {}", kMaxName));
    return {};
}

Result<> check_place(const Place &place) {
    switch (place.by) {
    case Place::By::netns:
        return check_netns(place.name);
    case Place::By::container:
        if (!plain(place.name, kMaxContainer))
            return fail(Kind::config, 0, rules::in_quotes(place.name) + " cannot be a container",
                        "its id or name, as the runtime shows it");
        return {};
    case Place::By::tap:
        return policy::check_device(place.name);
    }
    return {};
}

std::string host_device_of(std::string_view name) {
    return ("bl" + std::string(name)).substr(0, kMaxDeviceName);
}

} // namespace beeline::guest
