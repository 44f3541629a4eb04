// SPDX-License-Identifier: Apache-2.0
//
// /proc/net/{tcp,tcp6,udp,udp6}: "sl: ADDRESS:PORT ADDRESS:PORT STATE ...", addresses as words of the host's order in
// hexadecimal, the port as a number (net/ipv4/tcp_ipv4.c, get_tcp4_sock and its like). There without the modules that
// sock_diag needs.
#include "guest/listeners.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <netinet/in.h>

#include <beeline/guest/parse.hpp>

namespace beeline::guest {
namespace {

using kernel::IpAddress;

struct Listener {
    IpAddress address;
    std::uint16_t port = 0;
};

template <class Number>
bool read_hex(std::string_view text, Number &number) {
    const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return bad == std::errc{} && stop == text.data() + text.size();
}

/// "0100007F:0016" is 127.0.0.1:22 on a little-endian host.
std::optional<Listener> read_local(std::string_view text) {
    constexpr std::size_t kWord = 8;
    Listener listener;
    const auto colon = text.find(':');
    if (colon != kWord && colon != 4 * kWord)
        return std::nullopt;
    listener.address.v6 = colon != kWord;
    for (std::size_t at = 0; at < colon; at += kWord) {
        std::uint32_t word = 0;
        if (!read_hex(text.substr(at, kWord), word))
            return std::nullopt;
        std::memcpy(listener.address.bytes.data() + at / 2, &word, sizeof word);
    }
    return read_hex(text.substr(colon + 1), listener.port) ? std::optional(listener) : std::nullopt;
}

/// A listening TCP socket, or a UDP socket that takes datagrams from everybody.
bool listens(std::string_view state, std::uint8_t proto) {
    return state == (proto == IPPROTO_TCP ? "0A" : "07"); // TCP_LISTEN, TCP_CLOSE
}

bool is_mapped(const IpAddress &address) {
    in6_addr bytes{};
    std::memcpy(&bytes, address.bytes.data(), sizeof bytes);
    return address.v6 && IN6_IS_ADDR_V4MAPPED(&bytes);
}

/// IPv4 in an IPv6 socket is IPv4.
IpAddress plain(const IpAddress &address) {
    if (!is_mapped(address))
        return address;
    IpAddress four;
    std::copy_n(address.bytes.begin() + 12, 4, four.bytes.begin());
    return four;
}

bool is_any(const IpAddress &address) {
    return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}

/// One on :: may take IPv4, too, which /proc does not tell.
bool would_lose(const Listener &listener, const Publish &publish) {
    const IpAddress at = plain(listener.address);
    if (listener.port != publish.host_port || is_loopback(at))
        return false;
    if (is_any(at))
        return at.v6 || !publish.address || !publish.address->v6;
    return !publish.address || *publish.address == at;
}

/// Of one table; a host without IPv6 has none of its own.
std::vector<Listener> listeners_in(const std::string &table, std::uint8_t proto) {
    std::vector<Listener> found;
    std::ifstream lines("/proc/thread-self/net/" + table);
    std::string line, number, local, remote, state;
    while (std::getline(lines, line))
        if (std::istringstream(line) >> number >> local >> remote >> state && listens(state, proto))
            if (const auto listener = read_local(local))
                found.push_back(*listener);
    return found;
}

} // namespace

Result<> check_not_listening(const std::vector<Publish> &ports) {
    for (const Publish &publish : ports) {
        const std::string proto = publish.proto == IPPROTO_UDP ? "udp" : "tcp";
        for (const std::string &table : {proto, proto + "6"})
            for (const Listener &listener : listeners_in(table, publish.proto))
                if (would_lose(listener, publish))
                    return fail(Kind::conflict, 0,
                                fmt::format("published port {}: the host itself listens on {} port {} (address {})",
                                            to_text(publish), publish.proto == IPPROTO_UDP ? "UDP" : "TCP",
                                            listener.port, kernel::to_string(listener.address)),
                                "publish another port, or end what listens there (`ss -lntup` tells who)");
    }
    return {};
}

} // namespace beeline::guest
