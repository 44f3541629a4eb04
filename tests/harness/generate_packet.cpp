// SPDX-License-Identifier: Apache-2.0
#include <harness/generate.hpp>

#include <algorithm>

namespace beeline::model {

namespace {

using edge::Family;
using harness::Bytes;
using harness::Packet;

/// What a packet is to be, before it is written with its lies.
struct Wish {
    edge::Mac src_mac{}, dst_mac{};
    std::vector<std::uint16_t> vlans;
    std::uint16_t ethertype = 0; ///< 0: as the layers say.
    bool ip = true;
    Family family = Family::v4;
    edge::Prefix src, dst;
    std::uint8_t proto = 6, ttl = 64, dscp = 0, flags = 2, type = 8, code = 0;
    std::uint16_t sport = 0, dport = 0;
    bool options = false, more = false;
    std::uint16_t offset = 0;
    std::size_t payload = 0;
    std::size_t length = 0; ///< Of the frame; 0: as it comes.
};

Wish any_wish(Random &r) {
    Wish w;
    w.src_mac = random_mac(r);
    w.dst_mac = random_mac(r);
    const std::size_t tags = r.pick({0, 0, 0, 0, 1, 1, 2, 3});
    for (std::size_t i = 0; i < tags; ++i)
        w.vlans.push_back(random_vlan(r));
    w.ip = r.chance(92);
    w.ethertype = r.chance(3) ? random_ethertype(r) : 0;
    w.family = r.pick({Family::v4, Family::v6});
    w.src = random_address(r, w.family);
    w.dst = random_address(r, w.family);
    w.proto = random_proto(r);
    w.ttl = random_byte(r);
    w.dscp = static_cast<std::uint8_t>(random_byte(r) % 64);
    w.flags = r.pick<std::uint8_t>({0x02, 0x10, 0x12, 0x04, 0x01, 0x11, 0, 0xff, 0x18, 0xc2});
    w.type = r.pick<std::uint8_t>({0, 3, 8, 128, 129, 135});
    w.code = random_byte(r);
    w.sport = random_port(r);
    w.dport = random_port(r);
    w.options = r.chance(20);
    w.more = r.chance(8);
    w.offset = r.chance(8) ? r.pick<std::uint16_t>({1, 2, 185, 0x1fff}) : 0;
    w.payload = r.chance(80) ? r.below(40) : r.below(1400);
    return w;
}

/// A value of the condition, or next to one. Negated: no matter.
template <class T, class Convert>
void grant(Random &r, const std::optional<edge::OneOf<T>> &condition, Convert &&set) {
    if (condition && !condition->negated && !condition->any_of.empty())
        set(r.pick(condition->any_of));
}

template <class T>
T border(Random &r, const edge::Range<T> &range) {
    switch (r.below(5)) {
    case 0:
        return range.high;
    case 1:
        return static_cast<T>(range.low - 1);
    case 2:
        return static_cast<T>(range.high + 1);
    default:
        return range.low;
    }
}

edge::Prefix within(Random &r, const edge::Prefix &prefix) {
    edge::Prefix address = prefix;
    const unsigned full = prefix.family == Family::v4 ? 32 : 128;
    for (unsigned bit = prefix.bits; bit < full; ++bit)
        if (r.chance(50))
            address.address[bit / 8] ^= static_cast<std::uint8_t>(0x80u >> bit % 8);
    if (prefix.bits != 0 && r.chance(20)) // the last bit of the prefix makes it another one
        address.address[(prefix.bits - 1) / 8] ^= static_cast<std::uint8_t>(0x80u >> (prefix.bits - 1) % 8);
    address.bits = static_cast<std::uint8_t>(full);
    return address;
}

const edge::Set *set_named(const edge::Policy &policy, const std::string &name) {
    for (const edge::Set &set : policy.sets)
        if (!name.empty() && set.name == name)
            return &set;
    return nullptr;
}

void grant_address(Random &r, const edge::Policy &policy, const std::optional<edge::OneOf<edge::Prefix>> &condition,
                   Wish &w, edge::Prefix Wish::*which) {
    if (!condition)
        return;
    const edge::Set *set = set_named(policy, condition->set);
    const auto &prefixes = set != nullptr ? set->prefixes : condition->any_of;
    if (prefixes.empty())
        return;
    const edge::Prefix chosen = within(r, r.pick(prefixes));
    if (chosen.family != w.family) {
        w.family = chosen.family;
        w.src = random_address(r, w.family);
        w.dst = random_address(r, w.family);
    }
    w.*which = chosen;
}

void grant_port(Random &r, const edge::Policy &policy,
                const std::optional<edge::OneOf<edge::Range<std::uint16_t>>> &condition, std::uint16_t &port) {
    if (!condition)
        return;
    const edge::Set *set = set_named(policy, condition->set);
    const auto &ranges = set != nullptr ? set->ports : condition->any_of;
    if (!ranges.empty())
        port = border(r, r.pick(ranges));
}

void grant_mac(Random &r, const edge::Policy &policy, const std::optional<edge::OneOf<edge::Mac>> &condition,
               edge::Mac &mac) {
    if (!condition)
        return;
    const edge::Set *set = set_named(policy, condition->set);
    const auto &macs = set != nullptr ? set->macs : condition->any_of;
    if (!macs.empty())
        mac = r.pick(macs);
}

void grant_l4(Random &r, const edge::Policy &policy, const edge::Match &m, const edge::Rewrite &rewrite, Wish &w) {
    grant(r, m.proto, [&](std::uint8_t v) { w.proto = v; });
    const bool ports = m.sport || m.dport || rewrite.sport || rewrite.dport;
    if (ports && !m.proto)
        w.proto = r.pick<std::uint8_t>({6, 6, 17, 17, 33, 132, 136});
    if (m.flags) {
        w.proto = 6;
        w.flags = static_cast<std::uint8_t>(m.flags->value | (w.flags & ~m.flags->mask));
    }
    if (m.icmp_type || m.icmp_code)
        w.proto = w.family == Family::v4 ? 1 : 58;
    grant(r, m.icmp_type, [&](std::uint8_t v) { w.type = v; });
    grant(r, m.icmp_code, [&](std::uint8_t v) { w.code = v; });
    grant_port(r, policy, m.sport, w.sport);
    grant_port(r, policy, m.dport, w.dport);
}

/// Bends the wish to what the rule asks for.
void grant_rule(Random &r, const edge::Policy &policy, const edge::Rule &rule, Wish &w) {
    const edge::Match &m = rule.match;
    const edge::Rewrite &rewrite = rule.action.rewrite;
    std::optional<Family> family = m.ip;
    for (const auto &address : {rewrite.src, rewrite.dst})
        if (address)
            family = address->family;
    if (family && *family != w.family) {
        w.family = *family;
        w.src = random_address(r, w.family);
        w.dst = random_address(r, w.family);
    }
    grant_address(r, policy, m.src, w, &Wish::src);
    grant_address(r, policy, m.dst, w, &Wish::dst);
    grant_l4(r, policy, m, rewrite, w);
    grant(r, m.ttl, [&](const auto &range) { w.ttl = border(r, range); });
    grant(r, m.dscp, [&](std::uint8_t v) { w.dscp = v; });
    grant(r, m.ethertype, [&](std::uint16_t v) { w.ethertype = v; });
    grant(r, m.vlan, [&](std::uint16_t v) {
        w.vlans.resize(std::max<std::size_t>(w.vlans.size(), 1));
        w.vlans[0] = v;
    });
    grant(r, m.inner_vlan, [&](std::uint16_t v) {
        w.vlans.resize(std::max<std::size_t>(w.vlans.size(), 2));
        w.vlans[1] = v;
    });
    if (m.tagged && *m.tagged == w.vlans.empty())
        w.vlans.assign(*m.tagged ? 1 : 0, random_vlan(r));
    grant_mac(r, policy, m.src_mac, w.src_mac);
    grant_mac(r, policy, m.dst_mac, w.dst_mac);
    grant(r, m.length, [&](const auto &range) { w.length = border(r, range); });
    if (m.fragment) {
        w.offset = *m.fragment == edge::Fragment::later ? r.pick<std::uint16_t>({1, 185, 0x1fff}) : 0;
        w.more = *m.fragment != edge::Fragment::none;
    }
    if (m.options)
        w.options = *m.options;
}

template <class T>
std::optional<T> lie(Random &r, unsigned percent, std::initializer_list<std::uint64_t> values) {
    return r.chance(percent) ? std::optional<T>(static_cast<T>(r.pick(values))) : std::nullopt;
}

Packet l4_of(Random &r, const Wish &w) {
    using namespace harness;
    Packet p;
    const Sum sum = r.chance(20) ? Sum::partial : Sum::complete;
    const auto check = lie<std::uint16_t>(r, 8, {0, 0, 0xffff, 1, 0x8000});
    switch (w.offset != 0 ? 255 : w.proto) {
    case 6: {
        Bytes options(r.chance(75) ? 0 : 4 * r.below(11));
        p.layers.emplace_back(Tcp{.sport = w.sport,
                                  .dport = w.dport,
                                  .flags = w.flags,
                                  .seq = static_cast<std::uint32_t>(r.bits()),
                                  .options = std::move(options),
                                  .sum = sum,
                                  .doff = lie<std::uint8_t>(r, 5, {0, 4, 5, 6, 15}),
                                  .check = check});
        break;
    }
    case 17:
        p.layers.emplace_back(Udp{.sport = w.sport,
                                  .dport = w.dport,
                                  .sum = sum,
                                  .length = lie<std::uint16_t>(r, 8, {0, 7, 8, 9, w.payload + 7, w.payload + 9, 65535}),
                                  .check = check});
        break;
    case 136:
        p.layers.emplace_back(
            UdpLite{.sport = w.sport, .dport = w.dport, .coverage = r.pick<std::uint16_t>({0, 8, 12}), .check = check});
        break;
    case 33:
        p.layers.emplace_back(Dccp{.sport = w.sport, .dport = w.dport, .check = check});
        break;
    case 132:
        p.layers.emplace_back(Sctp{.sport = w.sport, .dport = w.dport, .check = {}});
        break;
    case 1:
        p.layers.emplace_back(Icmp{.type = w.type, .code = w.code, .check = check});
        break;
    case 58:
        p.layers.emplace_back(Icmp6{.type = w.type, .code = w.code, .sum = sum, .check = check});
        break;
    default:
        break;
    }
    Payload payload(w.payload);
    for (std::byte &b : payload.bytes)
        b = static_cast<std::byte>(r.bits());
    p.layers.emplace_back(std::move(payload));
    return p;
}

Packet ipv4_of(Random &r, const Wish &w) {
    using namespace harness;
    Ip4 ip{.src = Addr4(w.src.address),
           .dst = Addr4(w.dst.address),
           .ttl = w.ttl,
           .dscp = w.dscp,
           .ecn = static_cast<std::uint8_t>(r.below(4)),
           .id = static_cast<std::uint16_t>(r.bits()),
           .df = r.chance(30),
           .mf = w.more,
           .offset = w.offset,
           .options = Bytes(w.options ? 4 * r.between(1, 10) : 0),
           .proto = w.proto,
           .check = lie<std::uint16_t>(r, 4, {0, 0xffff, 0x1234})};
    for (std::byte &b : ip.options)
        b = static_cast<std::byte>(r.bits());
    ip.ihl = lie<std::uint8_t>(r, 3, {0, 4, 5, 6, 15});
    ip.version = r.chance(98) ? 4 : static_cast<std::uint8_t>(r.pick({0, 5, 6, 15}));
    const Packet l4 = l4_of(r, w);
    const std::uint64_t right = 20 + ip.options.size() + l4.bytes().size();
    ip.length = lie<std::uint16_t>(r, 6, {0, 19, 20, 27, 28, right - 1, right + 1, right - 8, right + 4, 65535});
    Packet p;
    p.layers.emplace_back(std::move(ip));
    return p / l4;
}

/// Extension headers in any order, with the fragment header somewhere when it is one.
Packet ipv6_of(Random &r, const Wish &w) {
    using namespace harness;
    Packet p;
    const std::size_t count = w.options ? (r.chance(70) ? r.between(1, 3) : r.between(4, 10)) : 0;
    const bool fragment = w.more || w.offset != 0 || (w.options && r.chance(10));
    const std::size_t fragment_at = fragment ? r.below(count + 1) : count + 1;
    std::vector<Layer> chain;
    for (std::size_t i = 0; i <= count; ++i) {
        if (i == fragment_at)
            chain.emplace_back(Frag6{.offset = w.offset, .more = w.more});
        if (i == count)
            break;
        if (r.chance(12))
            chain.emplace_back(
                Ah{.units = r.pick<std::uint8_t>({0, 1, 2, 4, 5}), .length = lie<std::uint8_t>(r, 8, {0, 255})});
        else
            chain.emplace_back(Ext{.proto = r.pick<std::uint8_t>({0, 43, 60, 60, 135, 139, 140}),
                                   .units = r.pick<std::uint8_t>({0, 0, 0, 1, 2, 7}),
                                   .fourth = r.pick<std::uint8_t>({0, 0, 1}),
                                   .length = lie<std::uint8_t>(r, 6, {0, 1, 2, 30, 255})});
    }
    // The last of the chain says the protocol, also where no layer of the builder stands for it.
    std::optional<std::uint8_t> first = chain.empty() ? std::optional(w.proto) : std::nullopt;
    if (!chain.empty())
        std::visit(
            [&](auto &last) {
                if constexpr (requires { last.next; })
                    last.next = w.proto;
            },
            chain.back());
    const Packet l4 = l4_of(r, w);
    Packet behind{chain};
    behind = behind / l4;
    const std::uint64_t right = behind.bytes().size();
    p.layers.emplace_back(
        Ip6{.src = Addr6(w.src.address),
            .dst = Addr6(w.dst.address),
            .hop_limit = w.ttl,
            .dscp = w.dscp,
            .ecn = static_cast<std::uint8_t>(r.below(4)),
            .flow = static_cast<std::uint32_t>(r.below(1 << 20)),
            .version = r.chance(98) ? std::uint8_t{6} : r.pick<std::uint8_t>({0, 4, 5, 15}),
            .next = first,
            .length = lie<std::uint16_t>(r, 6, {0, 0, 7, 8, right - 1, right + 1, right - 8, right + 4, 65535})});
    return p / behind;
}

Bytes frame_of(Random &r, const Wish &w) {
    using namespace harness;
    Packet p;
    p.layers.emplace_back(Eth{.dst = w.dst_mac, .src = w.src_mac});
    for (const std::uint16_t id : w.vlans)
        p.layers.emplace_back(Vlan{.id = id,
                                   .priority = static_cast<std::uint8_t>(r.below(8)),
                                   .tpid = r.pick<std::uint16_t>({0x8100, 0x8100, 0x88a8})});
    if (w.ethertype != 0)
        std::visit(
            [&](auto &last) {
                if constexpr (requires { last.type; })
                    last.type = w.ethertype;
            },
            p.layers.back());
    if (w.ip)
        p = p / (w.family == Family::v4 ? ipv4_of(r, w) : ipv6_of(r, w));
    else if (r.chance(50))
        p.layers.emplace_back(Arp{});
    else
        p.layers.emplace_back(Payload(w.payload));
    if (r.chance(20))
        p.layers.emplace_back(Padding{r.below(30)});
    return p.bytes();
}

} // namespace

Bytes random_packet(Random &r, const edge::Policy &policy) {
    Wish wish = any_wish(r);
    if (r.chance(80)) {
        grant_rule(r, policy, r.pick(policy.rules), wish);
        if (r.chance(20)) // both of two rules, as far as they go together
            grant_rule(r, policy, r.pick(policy.rules), wish);
    }
    if (wish.length > 0 && wish.length < 3000) { // the payload makes up for what is missing
        const std::size_t bare = 14 + 4 * wish.vlans.size() + (wish.family == Family::v4 ? 40 : 60);
        wish.payload = wish.length > bare ? wish.length - bare : 0;
        if (wish.proto != 6)
            wish.payload += 12;
    }
    Bytes frame = frame_of(r, wish);
    if (r.chance(5))
        frame[r.below(std::min<std::size_t>(frame.size(), 90))] = static_cast<std::byte>(random_byte(r));
    if (wish.length > 0 && wish.length < 3000 && r.chance(50)) // exactly, by padding or by a cut
        frame.resize(wish.length);
    else if (r.chance(10))
        frame.resize(r.between(14, std::max<std::size_t>(frame.size(), 14)));
    frame.resize(std::max<std::size_t>(frame.size(), 14));
    return frame;
}

} // namespace beeline::model
