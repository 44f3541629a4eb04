// SPDX-License-Identifier: Apache-2.0
#include <beeline/rules/values.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <beeline/rules/words.hpp>

namespace beeline::rules {

namespace {

std::unexpected<Error> wrong(std::string what, std::string remedy = {}) {
    return fail(Kind::config, 0, std::move(what), std::move(remedy));
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

int hex_digit(char c) {
    const char l = static_cast<char>(c | 0x20);
    return is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// The address without a prefix length, all its bits valid.
Result<Prefix> bare_address(std::string_view text) {
    Prefix prefix;
    std::array<char, INET6_ADDRSTRLEN + 1> copy{};
    if (text.size() < copy.size() && text.find('\0') == text.npos) {
        std::copy(text.begin(), text.end(), copy.begin());
        prefix.v6 = text.find(':') != text.npos;
        prefix.bits = prefix.v6 ? 128 : 32;
        if (inet_pton(prefix.v6 ? AF_INET6 : AF_INET, copy.data(), prefix.address.data()) == 1)
            return prefix;
    }
    return wrong(in_quotes(text) + " is not an address");
}

void clear_host_bits(Prefix &prefix) {
    for (unsigned bit = prefix.bits; bit < 128; ++bit)
        prefix.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
}

} // namespace

Result<Prefix> read_address(std::string_view text) {
    if (const auto slash = text.find('/'); slash != text.npos && bare_address(text.substr(0, slash)))
        return wrong(in_quotes(text) + " is a prefix, not an address", "write it without the '/'");
    return bare_address(text);
}

Result<Prefix> read_prefix(std::string_view text) {
    const auto slash = text.find('/');
    BL_TRY(Prefix prefix, bare_address(text.substr(0, slash)));
    if (slash == text.npos)
        return prefix;
    const std::string_view length = text.substr(slash + 1);
    const unsigned most = prefix.bits;
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (!all_digits(length) || error != std::errc{} || bits > most || (length.size() > 1 && length[0] == '0'))
        return wrong(fmt::format("{} is not a prefix length", in_quotes(length)),
                     fmt::format("expected 0 to {} behind the '/'", most));
    Prefix masked = prefix;
    masked.bits = static_cast<std::uint8_t>(bits);
    clear_host_bits(masked);
    if (masked.address != prefix.address)
        return wrong(fmt::format("{} has host bits set", in_quotes(text)),
                     fmt::format("write {}, or {} for the one address", to_text(masked), to_text(prefix)));
    return masked;
}

Result<Mac> read_mac(std::string_view text) {
    Mac mac{};
    bool good = text.size() == 17;
    for (std::size_t i = 0; good && i < 6; ++i) {
        const int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
        good = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
        mac[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good)
        return wrong(in_quotes(text) + " is not a MAC address", "expected six bytes such as 02:00:5e:10:00:01");
    return mac;
}

Result<std::uint64_t> read_number(std::string_view text, Interval limits) {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hex ? text.substr(2) : text;
    const bool good =
        hex ? !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return hex_digit(c) >= 0; })
            : all_digits(digits);
    if (!good)
        return wrong(in_quotes(text) + " is not a number");
    if (!hex && digits.size() > 1 && digits[0] == '0')
        return wrong(in_quotes(text) + " has a leading zero",
                     "hexadecimal numbers begin with 0x, decimal ones not with 0");
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (error != std::errc{} || value < limits.low || value > limits.high)
        return wrong(in_quotes(text) + " is out of range", fmt::format("expected {} to {}", limits.low, limits.high));
    return value;
}

Result<Interval> read_interval(std::string_view text, Interval limits, std::span<const NamedNumber> names) {
    for (const NamedNumber &name : names)
        if (name.name == text)
            return Interval{name.number, name.number};
    if (text.empty() || !is_digit(text[0])) {
        if (names.empty())
            return wrong(in_quotes(text) + " is not a number");
        std::vector<std::string_view> known;
        for (const NamedNumber &name : names)
            known.push_back(name.name);
        return wrong("unknown name " + in_quotes(text), did_you_mean(text, known));
    }
    const auto dash = text.find('-');
    if (dash == text.npos) {
        BL_TRY(const std::uint64_t number, read_number(text, limits));
        return Interval{number, number};
    }
    if (dash + 1 == text.size() || !is_digit(text[dash + 1]))
        return wrong(in_quotes(text) + " is not a range");
    BL_TRY(const std::uint64_t low, read_number(text.substr(0, dash), limits));
    BL_TRY(const std::uint64_t high, read_number(text.substr(dash + 1), limits));
    if (low > high)
        return wrong("empty range " + in_quotes(text), fmt::format("the smaller number comes first: {}-{}", high, low));
    return Interval{low, high};
}

Result<Interval> read_ports(std::string_view text) {
    return read_interval(text, {0, 65535}, services());
}

std::string to_text(const Prefix &prefix) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(prefix.v6 ? AF_INET6 : AF_INET, prefix.address.data(), text.data(), text.size());
    return prefix.is_host() ? std::string(text.data()) : fmt::format("{}/{}", text.data(), prefix.bits);
}

std::string to_text(const Mac &mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

} // namespace beeline::rules
