// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/address.hpp>

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

namespace beeline::kernel {

Result<Mac> parse_mac(std::string_view text) {
    Mac mac{};
    bool good = text.size() == 17;
    for (std::size_t i = 0; good && i < mac.size(); ++i) {
        const char *at = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(at, at + 2, mac[i], 16);
        good = error == std::errc() && end == at + 2 && (i == 5 || at[2] == ':');
    }
    if (!good)
        return fail(Kind::usage, 0, fmt::format("'{}' is no MAC address", text), "write it as 02:00:00:00:00:01");
    return mac;
}

std::string to_string(const Mac &mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

int IpAddress::family() const {
    return v6 ? AF_INET6 : AF_INET;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
    IpAddress address;
    const std::string copy(text);
    if (::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1)
        return address;
    address = {.v6 = true};
    if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1)
        return address;
    return fail(Kind::usage, 0, fmt::format("'{}' is no IPv4 or IPv6 address", text));
}

std::string to_string(const IpAddress &address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.family(), address.bytes.data(), text.data(), text.size());
    return text.data();
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    BL_TRY(const IpAddress address, IpAddress::parse(text.substr(0, slash)));
    const auto all = static_cast<std::uint8_t>(address.size() * 8);
    IpPrefix prefix{.address = address, .bits = all};
    if (slash == std::string_view::npos)
        return prefix;
    const std::string_view bits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix.bits);
    if (bits.empty() || error != std::errc() || end != bits.data() + bits.size() || prefix.bits > all)
        return fail(Kind::usage, 0, fmt::format("'{}' is no prefix length", bits),
                    fmt::format("it goes from 0 to {}", all));
    return prefix;
}

std::string to_string(const IpPrefix &prefix) {
    return fmt::format("{}/{}", to_string(prefix.address), prefix.bits);
}

} // namespace beeline::kernel
