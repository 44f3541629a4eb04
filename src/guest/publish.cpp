// SPDX-License-Identifier: Apache-2.0
//
// Published ports: [ADDRESS:]HOST_PORT:GUEST_PORT[/PROTOCOL], as container runtimes write them.
#include <fmt/format.h>

#include <beeline/guest/parse.hpp>
#include <beeline/rules/values.hpp>
#include <beeline/rules/words.hpp>

namespace beeline::guest {

namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::string_view kExpected = "expected [address:]port:port[/tcp or /udp], for example 8080:80 or "
                                       "[2001:db8::1]:53:53/udp";

Result<std::uint16_t> read_port(std::string_view text, std::string_view whose) {
    const auto port = rules::read_number(text, {1, 65535});
    if (!port)
        return fail(Kind::config, 0, fmt::format("the {}'s port {}", whose, port.error().what), std::string(kExpected));
    return static_cast<std::uint16_t>(*port);
}

/// The address in front, with its brackets; they are the mark of IPv6.
Result<kernel::IpAddress> read_host(std::string_view text) {
    const bool brackets = text.size() > 1 && text.front() == '[' && text.back() == ']';
    const auto read = rules::read_address(brackets ? text.substr(1, text.size() - 2) : text);
    if (!read)
        return fail(Kind::config, 0, read.error().what, std::string(kExpected));
    if (read->v6 != brackets)
        return fail(Kind::config, 0,
                    fmt::format("{} {}", rules::in_quotes(text),
                                brackets ? "is IPv4 in brackets" : "needs brackets around IPv6"),
                    std::string(kExpected));
    const kernel::IpAddress address{.v6 = read->v6, .bytes = read->address};
    if (is_loopback(address))
        return fail(Kind::config, 0, fmt::format("{} is a loopback address, which the world never sends to", text),
                    "an address of an uplink, or none for all of them; on the host itself use the guest's own address");
    return address;
}

} // namespace

Result<Publish> read_publish(std::string_view text) {
    Publish publish;
    const auto slash = text.rfind('/');
    const std::string_view proto = slash == text.npos ? "tcp" : text.substr(slash + 1);
    if (proto != "tcp" && proto != "udp")
        return fail(Kind::config, 0, fmt::format("{} is no protocol that can be published", rules::in_quotes(proto)),
                    "expected tcp or udp");
    publish.proto = proto == "tcp" ? kTcp : kUdp;

    const std::string_view ports = text.substr(0, slash);
    const auto last = ports.rfind(':');
    if (last == ports.npos || last == 0)
        return fail(Kind::config, 0, fmt::format("{} is no published port", rules::in_quotes(text)),
                    std::string(kExpected));
    BL_TRY(publish.guest_port, read_port(ports.substr(last + 1), "guest"));
    std::string_view front = ports.substr(0, last);
    if (const auto colon = front.rfind(':'); colon != front.npos) {
        BL_TRY(publish.address, read_host(front.substr(0, colon)));
        front = front.substr(colon + 1);
    }
    BL_TRY(publish.host_port, read_port(front, "host"));
    return publish;
}

std::string to_text(const Publish &publish) {
    std::string address;
    if (publish.address)
        address = fmt::format(fmt::runtime(publish.address->v6 ? "[{}]:" : "{}:"), kernel::to_string(*publish.address));
    return fmt::format("{}{}:{}/{}", address, publish.host_port, publish.guest_port,
                       publish.proto == kUdp ? "udp" : "tcp");
}

bool overlap(const Publish &a, const Publish &b) {
    return a.proto == b.proto && a.host_port == b.host_port && (!a.address || !b.address || a.address == b.address);
}

} // namespace beeline::guest
