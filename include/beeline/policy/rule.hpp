// SPDX-License-Identifier: Apache-2.0
//
// What a rule means, as plain values, the same for every part that judges packets: parse_rules() makes them out of
// text, expand() turns them into table entries for the kernel, and the reference model judges packets with them.
// Nothing here knows about BPF.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <beeline/rules/source.hpp>

namespace beeline::policy {

enum class Family : std::uint8_t { v4, v6 };

/// An address or prefix in network order; IPv4 uses the first four bytes, the rest is zero. Host bits are zero.
struct Prefix {
    Family family = Family::v4;
    std::uint8_t bits = 0; ///< 0..32 or 0..128.
    std::array<std::uint8_t, 16> address{};
    bool operator==(const Prefix &) const = default;
};

using Mac = std::array<std::uint8_t, 6>;

/// low..high, both included.
template <class T>
struct Range {
    T low{};
    T high{};
    bool operator==(const Range &) const = default;
};

/// One condition on one field: the field is in any_of, or in the named set; negated turns the answer round. The field
/// must be there at all: `dport !80` does not match ICMP, `src !10.0.0.0/8` does not match ARP (or IPv6: a negated
/// prefix constrains its own family only, a negated set both).
template <class T>
struct OneOf {
    bool negated = false;
    std::vector<T> any_of;
    std::string set; ///< Name of a set of the policy; then any_of is empty.
    bool operator==(const OneOf &) const = default;
};

/// (flags & mask) == value, flags being byte 13 of the TCP header (RFC 9293 3.1): FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32
/// ECE 64 CWR 128. negated: the packet has TCP flags, and they are not these.
struct TcpFlags {
    bool negated = false;
    std::uint8_t value = 0;
    std::uint8_t mask = 0xff;
    bool operator==(const TcpFlags &) const = default;
};

enum class Fragment : std::uint8_t {
    any,   ///< `fragment`: first or later fragment (an atomic fragment, RFC 6946, is none).
    first, ///< `fragment first`
    later, ///< `fragment later`
    none,  ///< `fragment none`
};

/// Seen from whom the rules are of: packets to it, packets from it.
enum class Direction : std::uint8_t { in, out };

/// All conditions of a rule; an absent one holds for every packet. docs/rules.md says exactly when a field is present.
struct Match {
    std::optional<Direction> direction;    ///< `in`, `out`; of guests. Neither: both.
    std::optional<Family> ip;              ///< `ip` (IPv4) or `ipv6`.
    std::optional<OneOf<Prefix>> src, dst; //
    std::optional<OneOf<Range<std::uint16_t>>> sport, dport;
    std::optional<OneOf<std::uint8_t>> proto;          ///< IP protocol behind all IPv6 extension headers.
    std::optional<TcpFlags> flags;                     //
    std::optional<OneOf<std::uint8_t>> icmp_type;      ///< ICMP or ICMPv6, as proto says.
    std::optional<OneOf<std::uint8_t>> icmp_code;      //
    std::optional<OneOf<std::uint16_t>> ethertype;     ///< Behind at most two VLAN tags.
    std::optional<OneOf<std::uint16_t>> vlan;          ///< VLAN id of the outer tag, 0..4095.
    std::optional<OneOf<std::uint16_t>> inner_vlan;    ///< VLAN id of the second tag.
    std::optional<bool> tagged;                        ///< `vlan any` / `vlan none`.
    std::optional<OneOf<Mac>> src_mac, dst_mac;        //
    std::optional<OneOf<Range<std::uint8_t>>> ttl;     ///< TTL or hop limit.
    std::optional<OneOf<std::uint8_t>> dscp;           ///< 0..63.
    std::optional<OneOf<Range<std::uint32_t>>> length; ///< Bytes of the frame from the Ethernet header on, no FCS.
    std::optional<Fragment> fragment;                  //
    std::optional<bool> options;                       ///< IPv4 options or any IPv6 extension header (not ESP) present.
    std::optional<bool> malformed;                     ///< Headers lie or are cut short.
    std::optional<OneOf<std::string>> device;          ///< Name of the device that received the frame.
    std::optional<OneOf<std::string>> cgroup;          ///< Path below the cgroup2 mount; sockets in it and below it.
    std::optional<OneOf<std::string>> process;         ///< Name of the process that reads the socket, 1..15 bytes.
    std::optional<OneOf<Range<std::uint32_t>>> user;   ///< User id of the socket's owner.
    bool operator==(const Match &) const = default;
};

enum class RateKey : std::uint8_t { all, src };

/// Token bucket: the rule matches only the packets above the rate. It is asked last, when all of Match holds.
struct Rate {
    std::uint64_t packets = 0;      ///< Per period, 1..10,000,000 per second.
    std::chrono::seconds period{1}; ///< 1 s, 60 s or 3600 s.
    std::uint64_t burst = 0;        ///< Packets; 0 in the text means: one tenth of a second's worth, at least 1.
    RateKey key = RateKey::all;
    bool operator==(const Rate &) const = default;
};

enum class Verdict : std::uint8_t { pass, drop, abort, tx, redirect, cpu, xsk, accelerate, tcp };

/// New values for header fields; an absent one stays.
struct Rewrite {
    std::optional<Prefix> src, dst; ///< Full-length prefixes; the rule then matches that family only.
    std::optional<std::uint16_t> sport, dport;
    std::optional<std::uint8_t> dscp, ttl;
    std::optional<Mac> src_mac, dst_mac;
    bool operator==(const Rewrite &) const = default;
    [[nodiscard]] bool any() const { return *this != Rewrite{}; }
};

struct Action {
    Verdict verdict = Verdict::pass;
    std::string target;          ///< Device of redirect, name of xsk.
    std::uint32_t cpu = 0;       ///< Of verdict cpu.
    Rewrite rewrite;             ///< Before pass, tx or redirect.
    std::uint32_t log_every = 0; ///< Every n-th packet of the rule goes to the ring buffer; 0: none.
    bool operator==(const Action &) const = default;
};

struct Rule {
    Match match;
    std::optional<Rate> rate;
    Action action;
    std::string text;  ///< The rule as written, white space folded; its identity across reloads.
    rules::Span where; ///< Place in the config file.
};

enum class SetType : std::uint8_t { prefix, port, mac };

/// A named set, or one that the checker made of a long literal list (its name then begins with '$').
struct Set {
    std::string name;
    SetType type = SetType::prefix;
    std::vector<Prefix> prefixes;
    std::vector<Range<std::uint16_t>> ports;
    std::vector<Mac> macs;
};

} // namespace beeline::policy
