// SPDX-License-Identifier: Apache-2.0
#include <harness/packet.hpp>

#include <cstdlib>
#include <cstring>
#include <string>

#include <arpa/inet.h>

#include <harness/packet_sum.hpp>

namespace beeline::harness {

namespace {

using View = std::span<const std::byte>;

void put8(Bytes &to, std::uint64_t value) {
    to.push_back(static_cast<std::byte>(value));
}
void put16(Bytes &to, std::uint64_t value) {
    put8(to, value >> 8);
    put8(to, value);
}
void put32(Bytes &to, std::uint64_t value) {
    put16(to, value >> 16);
    put16(to, value);
}
template <class Range>
void put(Bytes &to, const Range &values) {
    for (auto value : values)
        put8(to, static_cast<std::uint64_t>(value));
}
void set16(Bytes &in, std::size_t at, std::uint16_t value) {
    in[at] = static_cast<std::byte>(value >> 8);
    in[at + 1] = static_cast<std::byte>(value);
}

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::uint16_t ether_type_of(const Layer *layer) {
    static constexpr std::uint16_t kExperimental = 0x88b5; // IEEE 802 local experimental
    if (layer == nullptr)
        return kExperimental;
    return std::visit(
        Overloaded{[](const Vlan &v) { return v.tpid; }, [](const Ip4 &) -> std::uint16_t { return 0x0800; },
                   [](const Ip6 &) -> std::uint16_t { return 0x86dd; },
                   [](const Arp &) -> std::uint16_t { return 0x0806; }, [](const auto &) { return kExperimental; }},
        *layer);
}

std::uint8_t proto_of(const Layer *layer) {
    static constexpr std::uint8_t kExperimental = 253, kNoNext = 59; // RFC 3692, RFC 8200
    if (layer == nullptr)
        return kNoNext;
    return std::visit(
        Overloaded{[](const Ext &e) { return e.proto; }, [](const Ip4 &) { return std::uint8_t{4}; },
                   [](const Ip6 &) { return std::uint8_t{41}; }, [](const Frag6 &) { return std::uint8_t{44}; },
                   [](const Ah &) { return std::uint8_t{51}; }, [](const Tcp &) { return std::uint8_t{6}; },
                   [](const Udp &) { return std::uint8_t{17}; }, [](const UdpLite &) { return std::uint8_t{136}; },
                   [](const Dccp &) { return std::uint8_t{33}; }, [](const Sctp &) { return std::uint8_t{132}; },
                   [](const Icmp &) { return std::uint8_t{1}; }, [](const Icmp6 &) { return std::uint8_t{58}; },
                   [](const auto &) { return kExperimental; }},
        *layer);
}

Bytes filled_to_words(Bytes options) {
    options.resize((options.size() + 3) / 4 * 4);
    return options;
}

/// Serialises from the last layer to the first, so that each knows the bytes behind it.
class Builder {
public:
    explicit Builder(const std::vector<Layer> &layers) : layers_(layers) {}

    Bytes build() {
        for (std::size_t i = layers_.size(); i-- > 0;) {
            index_ = i;
            Bytes header = std::visit([this](const auto &layer) { return this->header(layer); }, layers_[i]);
            header.insert(header.end(), rest_.begin(), rest_.end());
            rest_ = std::move(header);
        }
        rest_.resize(rest_.size() + padding_);
        return std::move(rest_);
    }

private:
    const Layer *next() const { return index_ + 1 < layers_.size() ? &layers_[index_ + 1] : nullptr; }

    /// Addresses of the nearest IP header before this layer; empty: there is none.
    Bytes addresses() const {
        Bytes both;
        for (std::size_t i = index_; i-- > 0 && both.empty();) {
            if (const auto *v4 = std::get_if<Ip4>(&layers_[i])) {
                put(both, v4->src.bytes);
                put(both, v4->dst.bytes);
            } else if (const auto *v6 = std::get_if<Ip6>(&layers_[i])) {
                put(both, v6->src.bytes);
                put(both, v6->dst.bytes);
            }
        }
        return both;
    }

    /// The value for the checksum field of head, zero so far: over head, the bytes behind it up to covered, and the
    /// pseudo-header, which says length.
    std::uint16_t sum_of(const Bytes &head, std::uint8_t proto, Sum sum, std::size_t covered,
                         std::size_t length) const {
        const std::uint16_t pseudo = pseudo_sum(addresses(), proto, length);
        if (sum == Sum::partial)
            return pseudo;
        Bytes all = head;
        all.insert(all.end(), rest_.begin(), rest_.end());
        all.resize(covered);
        return static_cast<std::uint16_t>(~ones_sum(all, pseudo));
    }

    Bytes header(const Eth &eth) const {
        Bytes out;
        put(out, eth.dst);
        put(out, eth.src);
        put16(out, eth.type.value_or(ether_type_of(next())));
        return out;
    }

    Bytes header(const Vlan &vlan) const {
        Bytes out;
        put16(out, vlan.priority << 13 | (vlan.id & 0xfff));
        put16(out, vlan.type.value_or(ether_type_of(next())));
        return out;
    }

    Bytes header(const Ip4 &ip) const {
        const Bytes options = filled_to_words(ip.options);
        const std::size_t size = 20 + options.size();
        Bytes out;
        put8(out, ip.version << 4 | (ip.ihl.value_or(size / 4) & 15));
        put8(out, ip.dscp << 2 | ip.ecn);
        put16(out, ip.length.value_or(size + rest_.size()));
        put16(out, ip.id);
        put16(out, (ip.df ? 0x4000 : 0) | (ip.mf ? 0x2000 : 0) | (ip.offset & 0x1fff));
        put8(out, ip.ttl);
        put8(out, ip.proto.value_or(proto_of(next())));
        put16(out, 0);
        put(out, ip.src.bytes);
        put(out, ip.dst.bytes);
        put(out, options);
        set16(out, 10, ip.check.value_or(~ones_sum(out)));
        return out;
    }

    Bytes header(const Ip6 &ip) const {
        Bytes out;
        put32(out, static_cast<std::uint32_t>(ip.version) << 28 | ip.dscp << 22 | ip.ecn << 20 | (ip.flow & 0xfffff));
        put16(out, ip.length.value_or(rest_.size()));
        put8(out, ip.next.value_or(proto_of(next())));
        put8(out, ip.hop_limit);
        put(out, ip.src.bytes);
        put(out, ip.dst.bytes);
        return out;
    }

    Bytes header(const Ext &ext) const {
        Bytes out;
        put8(out, ext.next.value_or(proto_of(next())));
        put8(out, ext.length.value_or(ext.units));
        put8(out, ext.third);
        put8(out, ext.fourth);
        out.resize((ext.units + 1u) * 8);
        if (ext.proto == 0 || ext.proto == 60)
            set16(out, 2, static_cast<std::uint16_t>(1 << 8 | (out.size() <= 257 ? out.size() - 4 : 4))); // PadN
        return out;
    }

    Bytes header(const Frag6 &fragment) const {
        Bytes out;
        put8(out, fragment.next.value_or(proto_of(next())));
        put8(out, 0);
        put16(out, fragment.offset << 3 | (fragment.more ? 1 : 0));
        put32(out, fragment.id);
        return out;
    }

    Bytes header(const Ah &ah) const {
        Bytes out;
        put8(out, ah.next.value_or(proto_of(next())));
        put8(out, ah.length.value_or(ah.units));
        out.resize((ah.units + 2u) * 4);
        return out;
    }

    Bytes header(const Tcp &tcp) const {
        const Bytes options = filled_to_words(tcp.options);
        Bytes out;
        put16(out, tcp.sport);
        put16(out, tcp.dport);
        put32(out, tcp.seq);
        put32(out, tcp.ack);
        put8(out, tcp.doff.value_or((20 + options.size()) / 4) << 4);
        put8(out, tcp.flags);
        put16(out, tcp.window);
        put32(out, 0);
        put(out, options);
        const std::size_t all = out.size() + rest_.size();
        set16(out, 16, tcp.check.value_or(sum_of(out, 6, tcp.sum, all, all)));
        return out;
    }

    Bytes header(const Udp &udp) const {
        const std::size_t all = 8 + rest_.size(), length = udp.length.value_or(all);
        const std::size_t covered = length >= 8 && length <= all ? length : all;
        Bytes out;
        put16(out, udp.sport);
        put16(out, udp.dport);
        put16(out, length);
        put16(out, 0);
        const std::uint16_t sum = sum_of(out, 17, udp.sum, covered, covered);
        set16(out, 6, udp.check.value_or(sum == 0 ? 0xffff : sum));
        return out;
    }

    Bytes header(const UdpLite &udp) const {
        const std::size_t all = 8 + rest_.size();
        Bytes out;
        put16(out, udp.sport);
        put16(out, udp.dport);
        put16(out, udp.coverage);
        put16(out, 0);
        const std::size_t covered = udp.coverage >= 8 && udp.coverage <= all ? udp.coverage : all;
        const std::uint16_t sum = sum_of(out, 136, Sum::complete, covered, all);
        set16(out, 6, udp.check.value_or(sum == 0 ? 0xffff : sum));
        return out;
    }

    /// A DCCP-Data packet with a 24-bit sequence number (RFC 4340, 5.1), the checksum over everything.
    Bytes header(const Dccp &dccp) const {
        Bytes out;
        put16(out, dccp.sport);
        put16(out, dccp.dport);
        put8(out, 3);
        put8(out, 0);
        put16(out, 0);
        put32(out, 2 << 25 | 1);
        const std::size_t all = out.size() + rest_.size();
        set16(out, 6, dccp.check.value_or(sum_of(out, 33, Sum::complete, all, all)));
        return out;
    }

    Bytes header(const Sctp &sctp) const {
        Bytes out;
        put16(out, sctp.sport);
        put16(out, sctp.dport);
        put32(out, 1);
        put32(out, 0);
        Bytes all = out;
        all.insert(all.end(), rest_.begin(), rest_.end());
        const std::uint32_t check = sctp.check.value_or(crc32c(all));
        set16(out, 8, static_cast<std::uint16_t>(check >> 16));
        set16(out, 10, static_cast<std::uint16_t>(check));
        return out;
    }

    template <class Message>
    static Bytes message(const Message &icmp) {
        Bytes out;
        put8(out, icmp.type);
        put8(out, icmp.code);
        put16(out, 0);
        put16(out, icmp.id);
        put16(out, icmp.seq);
        return out;
    }

    Bytes header(const Icmp &icmp) const {
        Bytes out = message(icmp), all = out;
        all.insert(all.end(), rest_.begin(), rest_.end());
        set16(out, 2, icmp.check.value_or(~ones_sum(all)));
        return out;
    }

    Bytes header(const Icmp6 &icmp) const {
        Bytes out = message(icmp);
        const std::size_t all = out.size() + rest_.size();
        set16(out, 2, icmp.check.value_or(sum_of(out, 58, icmp.sum, all, all)));
        return out;
    }

    Bytes header(const Arp &arp) const {
        Bytes out;
        put16(out, 1);
        put16(out, 0x0800);
        put16(out, 0x0604);
        put16(out, arp.operation);
        put(out, Eth{}.src);
        put(out, arp.sender.bytes);
        put(out, MacBytes{});
        put(out, arp.target.bytes);
        return out;
    }

    Bytes header(const Payload &payload) const { return payload.bytes; }

    Bytes header(const Padding &padding) {
        padding_ += padding.size;
        return {};
    }

    const std::vector<Layer> &layers_;
    Bytes rest_;
    std::size_t index_ = 0, padding_ = 0;
};

} // namespace

Addr4::Addr4(const char *text) {
    if (inet_pton(AF_INET, text, bytes.data()) != 1)
        std::abort();
}

Addr4::Addr4(const std::array<std::uint8_t, 16> &first_four) {
    std::memcpy(bytes.data(), first_four.data(), bytes.size());
}

Addr6::Addr6(const char *text) {
    if (inet_pton(AF_INET6, text, bytes.data()) != 1)
        std::abort();
}

Payload::Payload(std::string_view text) {
    put(bytes, text);
}

Payload::Payload(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        put8(bytes, i + 1);
}

Bytes Packet::bytes() const {
    return Builder(layers).build();
}

Packet operator/(Packet a, const Packet &b) {
    a.layers.insert(a.layers.end(), b.layers.begin(), b.layers.end());
    return a;
}

Bytes truncate(Bytes frame, std::size_t size) {
    if (size < frame.size())
        frame.resize(size);
    return frame;
}

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (std::byte b : bytes) {
        text += "0123456789abcdef"[std::to_integer<int>(b) >> 4];
        text += "0123456789abcdef"[std::to_integer<int>(b) & 15];
    }
    return text;
}

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    int high = -1;
    for (char c : text) {
        if (c == ' ' || c == '\n')
            continue;
        const char *digits = "0123456789abcdef";
        const char *digit = std::strchr(digits, c);
        if (digit == nullptr || c == '\0')
            std::abort();
        const int value = static_cast<int>(digit - digits);
        if (high >= 0)
            put8(bytes, high << 4 | value);
        high = high >= 0 ? -1 : value;
    }
    if (high >= 0)
        std::abort();
    return bytes;
}

} // namespace beeline::harness
