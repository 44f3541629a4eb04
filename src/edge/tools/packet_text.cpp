// SPDX-License-Identifier: Apache-2.0
//
// The packet language:
//     packet  = protocol endpoint ">" endpoint { option } .
//     endpoint = address | IPv4 ":" port | "[" IPv6 "]" ":" port .
//     option  = "flags" flag { "," flag } | "ttl" N | "dscp" N | "type" N | "code" N | "vlan" N | "inner-vlan" N
//             | "fragment" ( "first" | "later" ) | "length" N | "mac" ( "src" | "dst" ) MAC | "in" DEVICE .
#include <beeline/edge/packet.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "edge/tools/packet_names.hpp"

namespace beeline::edge {
namespace {

constexpr std::string_view kForm = "expected PROTOCOL SRC[:PORT] > DST[:PORT] [flags ...] [in DEVICE]";
constexpr std::string_view kOptions =
    "expected flags, ttl, dscp, type, code, vlan, inner-vlan, fragment, length, mac src, mac dst or in";

struct Token {
    std::string_view text;
    std::size_t column; ///< From 1.
};

std::vector<Token> tokens_of(std::string_view text) {
    constexpr std::string_view kBlank = " \t\n";
    std::vector<Token> tokens;
    for (std::size_t at = text.find_first_not_of(kBlank); at < text.size(); at = text.find_first_not_of(kBlank, at)) {
        std::size_t end = text[at] == '>' ? at + 1 : text.find_first_of(" \t\n>", at);
        end = std::min(end, text.size());
        tokens.push_back({text.substr(at, end - at), at + 1});
        at = end;
    }
    return tokens;
}

class PacketReader {
public:
    explicit PacketReader(std::string_view text) : tokens_(tokens_of(text)), end_(text.size() + 1) {}

    Result<PacketSpec> read() {
        BL_TRY(const Token proto, take(kForm));
        BL_CHECK(protocol(proto));
        BL_TRY(const Token src, take(kForm));
        BL_CHECK(endpoint(src, spec_.src, spec_.sport));
        BL_TRY(const Token arrow, take(kForm));
        if (arrow.text != ">")
            return wrong(arrow, fmt::format("'{}' is not '>'", arrow.text), kForm);
        BL_TRY(const Token dst, take(kForm));
        BL_CHECK(endpoint(dst, spec_.dst, spec_.dport));
        if (spec_.src.v6 != spec_.dst.v6)
            return wrong(dst, "source and destination are not of one family", "expected both IPv4 or both IPv6");
        while (next_ < tokens_.size())
            BL_CHECK(option(tokens_[next_++]));
        if (has_ports(spec_.proto) && !spec_.later_fragment) {
            BL_CHECK(need_port(src, spec_.src, spec_.sport));
            BL_CHECK(need_port(dst, spec_.dst, spec_.dport));
        }
        return std::move(spec_);
    }

private:
    static std::unexpected<Error> wrong(const Token &token, std::string_view what, std::string_view expected) {
        return fail(Kind::usage, 0, fmt::format("packet, column {}: {}", token.column, what), std::string(expected));
    }

    Result<Token> take(std::string_view expected) {
        if (next_ == tokens_.size())
            return wrong({{}, end_}, "the packet ends here", expected);
        return tokens_[next_++];
    }

    Result<> protocol(const Token &token) {
        const auto read = rules::read_interval(token.text, {0, 255}, kProtocols);
        if (!read || read->low != read->high)
            return wrong(token, fmt::format("'{}' is no protocol", token.text),
                         "expected tcp, udp, icmp, icmpv6, sctp, another protocol's name or its number");
        spec_.proto = static_cast<std::uint8_t>(read->low);
        if (spec_.proto == kProtoIcmpv6)
            spec_.type = 128; // echo request, as 8 is in ICMP
        return {};
    }

    Result<> endpoint(const Token &token, rules::Prefix &address, std::optional<std::uint16_t> &port) const {
        std::string_view host = token.text, service;
        if (host.starts_with('[')) {
            const std::size_t close = host.find(']');
            if (close == std::string_view::npos || (close + 1 < host.size() && host[close + 1] != ':'))
                return wrong(token, fmt::format("'{}' is no address", token.text), "expected [IPv6 address]:PORT");
            service = host.substr(std::min(close + 2, host.size()));
            host = host.substr(1, close - 1);
        } else if (std::count(host.begin(), host.end(), ':') == 1) {
            service = host.substr(host.find(':') + 1);
            host = host.substr(0, host.find(':'));
        }
        const auto read = rules::read_address(host);
        if (!read)
            return wrong(token, read.error().what, read.error().remedy);
        address = *read;
        const bool written = host.size() + (token.text.starts_with('[') ? 2 : 0) < token.text.size();
        if (!written)
            return {};
        if (!has_ports(spec_.proto))
            return wrong(token, fmt::format("{} has no ports", protocol_name(spec_.proto)), "expected an address");
        const auto ports = rules::read_ports(service);
        if (!ports || ports->low != ports->high)
            return wrong(token, fmt::format("'{}' is no port", service), "expected 0..65535 or a service's name");
        port = static_cast<std::uint16_t>(ports->low);
        return {};
    }

    static Result<> need_port(const Token &token, const rules::Prefix &address,
                              const std::optional<std::uint16_t> &port) {
        if (port)
            return {};
        return wrong(token, fmt::format("'{}' has no port", token.text),
                     address.v6 ? fmt::format("expected [{}]:PORT", rules::to_text(address))
                                : fmt::format("expected {}:PORT", rules::to_text(address)));
    }

    Result<std::uint64_t> number(const Token &word, rules::Interval limits) {
        const std::string expected =
            fmt::format("expected {} and a number, {}..{}", word.text, limits.low, limits.high);
        BL_TRY(const Token token, take(expected));
        const auto read = rules::read_number(token.text, limits);
        if (!read)
            return wrong(token, fmt::format("'{}' is no {}", token.text, word.text), expected);
        return *read;
    }

    Result<> flags() {
        constexpr std::string_view kExpected = "expected fin, syn, rst, psh, ack, urg, ece, cwr with commas, or none";
        BL_TRY(const Token token, take(kExpected));
        if (spec_.proto != kProtoTcp)
            return wrong(token, "flags belong to tcp", "");
        spec_.flags = 0;
        if (token.text == "none")
            return {};
        std::string_view rest = token.text;
        for (bool more = true; more;) {
            const std::size_t comma = rest.find(',');
            const std::string_view name = rest.substr(0, comma);
            const auto flag = std::find_if(kTcpFlags.begin(), kTcpFlags.end(),
                                           [name](const rules::NamedNumber &known) { return known.name == name; });
            if (flag == kTcpFlags.end())
                return wrong(token, fmt::format("'{}' is no TCP flag", name), kExpected);
            spec_.flags |= static_cast<std::uint8_t>(flag->number);
            more = comma != std::string_view::npos;
            rest = more ? rest.substr(comma + 1) : std::string_view{};
        }
        return {};
    }

    Result<> fragment() {
        constexpr std::string_view kExpected = "expected fragment first or fragment later";
        BL_TRY(const Token token, take(kExpected));
        spec_.first_fragment = token.text == "first";
        spec_.later_fragment = token.text == "later";
        if (!spec_.first_fragment && !spec_.later_fragment)
            return wrong(token, fmt::format("'{}' is no fragment", token.text), kExpected);
        return {};
    }

    Result<> mac() {
        constexpr std::string_view kExpected = "expected mac src ADDRESS or mac dst ADDRESS";
        BL_TRY(const Token side, take(kExpected));
        if (side.text != "src" && side.text != "dst")
            return wrong(side, fmt::format("'{}' is not src or dst", side.text), kExpected);
        BL_TRY(const Token token, take(kExpected));
        const auto read = rules::read_mac(token.text);
        if (!read)
            return wrong(token, read.error().what, read.error().remedy);
        (side.text == "src" ? spec_.src_mac : spec_.dst_mac) = *read;
        return {};
    }

    Result<> option(const Token &word) {
        const auto set = [&](auto &field, rules::Interval limits) -> Result<> {
            BL_TRY(const std::uint64_t value, number(word, limits));
            field = static_cast<std::uint16_t>(value);
            return {};
        };
        if (word.text == "flags")
            return flags();
        if (word.text == "ttl")
            return set(spec_.ttl, {0, 255});
        if (word.text == "dscp")
            return set(spec_.dscp, {0, 63});
        if (word.text == "vlan")
            return set(spec_.vlan, {0, 4095});
        if (word.text == "inner-vlan" && spec_.vlan)
            return set(spec_.inner_vlan, {0, 4095});
        if (word.text == "inner-vlan")
            return wrong(word, "an inner tag without an outer one", "expected vlan N before it");
        if (word.text == "length")
            return set(spec_.length, {kMinJudgedFrame, kMaxJudgedFrame});
        if (word.text == "type" || word.text == "code") {
            if (!is_icmp(spec_.proto))
                return wrong(word, fmt::format("{} belongs to icmp and icmpv6", word.text), "");
            return set(word.text == "type" ? spec_.type : spec_.code, {0, 255});
        }
        if (word.text == "fragment")
            return fragment();
        if (word.text == "mac")
            return mac();
        if (word.text == "in") {
            BL_TRY(const Token device, take("expected the name of a device"));
            spec_.device = device.text;
            return {};
        }
        return wrong(word, fmt::format("'{}' says nothing about a packet", word.text), kOptions);
    }

    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    std::size_t end_;
    PacketSpec spec_;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

} // namespace

Result<PacketSpec> read_packet(std::string_view text) {
    return PacketReader(text).read();
}

Result<std::vector<std::byte>> read_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ' ' || text[i] == ':' || text[i] == '\n' || text[i] == '\t') {
            ++i;
            continue;
        }
        const int high = hex_digit(text[i]), low = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
        if (high < 0 || low < 0)
            return fail(Kind::usage, 0, fmt::format("hexadecimal bytes, column {}: '{}'", i + 1, text.substr(i, 2)),
                        "expected two digits 0-9, a-f a byte");
        bytes.push_back(static_cast<std::byte>(high << 4 | low));
        i += 2;
    }
    return bytes;
}

} // namespace beeline::edge
