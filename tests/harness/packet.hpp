// SPDX-License-Identifier: Apache-2.0
//
// Packets as they are written down in a test:
//
//     auto frame = (Eth{} / Vlan{.id = 7} / Ip4{.ttl = 1} / Udp{.dport = 7999} / Payload("hello")).bytes();
//
// Lengths, types and checksums are computed; a field that is set explicitly is written as it is, so a packet can lie.
// Defaults are documentation addresses (RFC 5737, RFC 3849) and locally administered MACs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace beeline::harness {

using Bytes = std::vector<std::byte>;
using MacBytes = std::array<std::uint8_t, 6>;

/// An IPv4 address; aborts on text that is none.
struct Addr4 {
    std::array<std::uint8_t, 4> bytes{};
    Addr4() = default;
    Addr4(const char *text);
    explicit Addr4(const std::array<std::uint8_t, 16> &first_four);
};

struct Addr6 {
    std::array<std::uint8_t, 16> bytes{};
    Addr6() = default;
    Addr6(const char *text);
    explicit Addr6(const std::array<std::uint8_t, 16> &all) : bytes(all) {}
};

struct Eth {
    MacBytes dst{0x02, 0, 0, 0, 0, 0x02};
    MacBytes src{0x02, 0, 0, 0, 0, 0x01};
    std::optional<std::uint16_t> type = {};
};

struct Vlan {
    std::uint16_t id = 1;
    std::uint8_t priority = 0;
    std::uint16_t tpid = 0x8100; ///< Written in the header before: 0x8100 or 0x88a8.
    std::optional<std::uint16_t> type = {};
};

struct Ip4 {
    Addr4 src = "192.0.2.1";
    Addr4 dst = "198.51.100.2";
    std::uint8_t ttl = 64;
    std::uint8_t dscp = 0;
    std::uint8_t ecn = 0;
    std::uint16_t id = 1;
    bool df = false;
    bool mf = false;
    std::uint16_t offset = 0; ///< Of a fragment, in units of 8 bytes.
    Bytes options = {};       ///< Filled up to a multiple of 4 with zeros; at most 40 bytes.
    std::uint8_t version = 4;
    std::optional<std::uint8_t> ihl = {};
    std::optional<std::uint8_t> proto = {};
    std::optional<std::uint16_t> length = {};
    std::optional<std::uint16_t> check = {};
};

struct Ip6 {
    Addr6 src = "2001:db8::1";
    Addr6 dst = "2001:db8:1::2";
    std::uint8_t hop_limit = 64;
    std::uint8_t dscp = 0;
    std::uint8_t ecn = 0;
    std::uint32_t flow = 0;
    std::uint8_t version = 6;
    std::optional<std::uint8_t> next = {};
    std::optional<std::uint16_t> length = {};
};

/// Hop-by-hop 0, routing 43, destination options 60, mobility 135, HIP 139, shim6 140: (units + 1) * 8 bytes.
struct Ext {
    std::uint8_t proto = 60;
    std::uint8_t units = 0;
    std::uint8_t third = 0, fourth = 0; ///< Routing: type and segments left.
    std::optional<std::uint8_t> next = {};
    std::optional<std::uint8_t> length = {}; ///< A lie about units.
};

struct Frag6 {
    std::uint16_t offset = 0; ///< In units of 8 bytes.
    bool more = false;
    std::uint32_t id = 1;
    std::optional<std::uint8_t> next = {};
};

/// (units + 2) * 4 bytes: 24 with the usual 12 bytes of check value.
struct Ah {
    std::uint8_t units = 4;
    std::optional<std::uint8_t> next = {};
    std::optional<std::uint8_t> length = {};
};

inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32, kEce = 64, kCwr = 128;

/// What the checksum field of an L4 header holds.
enum class Sum : std::uint8_t {
    complete, ///< What a receiver accepts.
    partial,  ///< The folded sum of the pseudo-header, as CHECKSUM_PARTIAL leaves it to the device.
};

struct Tcp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 443;
    std::uint8_t flags = kAck;
    std::uint32_t seq = 1, ack = 0;
    std::uint16_t window = 1024;
    Bytes options = {}; ///< Filled up to a multiple of 4; at most 40 bytes.
    Sum sum = Sum::complete;
    std::optional<std::uint8_t> doff = {};
    std::optional<std::uint16_t> check = {};
};

struct Udp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 53;
    Sum sum = Sum::complete;
    std::optional<std::uint16_t> length = {};
    std::optional<std::uint16_t> check = {};
};

struct UdpLite {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 53;
    std::uint16_t coverage = 8; ///< 0 or 8 and more (RFC 3828).
    std::optional<std::uint16_t> check = {};
};

struct Dccp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 5000;
    std::optional<std::uint16_t> check = {};
};

/// The checksum is CRC32c over header and payload (RFC 9260, appendix A).
struct Sctp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 2905;
    std::optional<std::uint32_t> check = {};
};

struct Icmp {
    std::uint8_t type = 8;
    std::uint8_t code = 0;
    std::uint16_t id = 1, seq = 1;
    std::optional<std::uint16_t> check = {};
};

struct Icmp6 {
    std::uint8_t type = 128;
    std::uint8_t code = 0;
    std::uint16_t id = 1, seq = 1;
    Sum sum = Sum::complete;
    std::optional<std::uint16_t> check = {};
};

struct Arp {
    std::uint16_t operation = 1;
    Addr4 sender = "192.0.2.1";
    Addr4 target = "192.0.2.2";
};

/// Any bytes; counted by the lengths of the headers before it.
struct Payload {
    Bytes bytes = {};
    Payload() = default;
    explicit Payload(Bytes data) : bytes(std::move(data)) {}
    explicit Payload(std::string_view text);
    /// size bytes 1, 2, 3, ...
    explicit Payload(std::size_t size);
};

/// Bytes behind everything, counted by no length (Ethernet pads to 60 bytes).
struct Padding {
    std::size_t size = 0;
};

using Layer = std::variant<Eth, Vlan, Ip4, Ip6, Ext, Frag6, Ah, Tcp, Udp, UdpLite, Dccp, Sctp, Icmp, Icmp6, Arp,
                           Payload, Padding>;

template <class T>
concept IsLayer = std::is_constructible_v<Layer, T> && !std::is_same_v<std::remove_cvref_t<T>, Layer>;

struct Packet {
    std::vector<Layer> layers;
    [[nodiscard]] Bytes bytes() const;
};

template <IsLayer A, IsLayer B>
[[nodiscard]] Packet operator/(A a, B b) {
    return Packet{{Layer(std::move(a)), Layer(std::move(b))}};
}
template <IsLayer B>
[[nodiscard]] Packet operator/(Packet a, B b) {
    a.layers.emplace_back(std::move(b));
    return a;
}
[[nodiscard]] Packet operator/(Packet a, const Packet &b);

/// The first size bytes, or all when there are fewer.
[[nodiscard]] Bytes truncate(Bytes frame, std::size_t size);
/// "0011aa…", and back (aborts on anything else; spaces are skipped).
[[nodiscard]] std::string hex(std::span<const std::byte> bytes);
[[nodiscard]] Bytes from_hex(std::string_view text);

} // namespace beeline::harness
