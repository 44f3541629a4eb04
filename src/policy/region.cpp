// SPDX-License-Identifier: Apache-2.0
#include "policy/region.hpp"

#include <algorithm>

namespace beeline::policy {

namespace {

using Piece = IntervalSet::Piece;

/// Highest value of each field; addresses are of the kind's width.
Wide highest(Region::Name name, Region::Kind kind) {
    switch (name) {
    case Region::src:
    case Region::dst:
        return kind == Region::v4 ? Wide{0xffffffff} : Wide{~0ull, ~0ull};
    case Region::sport:
    case Region::dport:
    case Region::ethertype:
        return 0xffff;
    case Region::vlan:
    case Region::inner_vlan:
        return 4095;
    case Region::tagged:
    case Region::options:
    case Region::malformed:
    case Region::direction: // 0 in, 1 out
        return 1;
    case Region::mac_src:
    case Region::mac_dst:
        return 0xffffffffffff;
    case Region::dscp:
        return 63;
    case Region::length:
        return 0xffffffff;
    case Region::fragment:
        return 2; // 0 none, 1 first, 2 later
    case Region::device:
        return ~0ull; // numbers of Names; 0 stands for nothing
    default:
        return 0xff;
    }
}

/// Fields that every packet of the kind has.
bool always_there(Region::Name name, Region::Kind kind) {
    switch (name) {
    case Region::tagged:
    case Region::length:
    case Region::malformed:
    case Region::device:
    case Region::direction:
        return true;
    case Region::src:
    case Region::dst:
    case Region::proto:
    case Region::ttl:
    case Region::dscp:
    case Region::fragment:
    case Region::options:
    case Region::ethertype:
    case Region::mac_src:
    case Region::mac_dst:
        return kind != Region::other;
    default:
        return false;
    }
}

Piece value(std::uint64_t number) {
    return {number, number};
}

std::uint64_t number(const Mac &mac) {
    std::uint64_t result = 0;
    for (const std::uint8_t byte : mac)
        result = result << 8 | byte;
    return result;
}

Piece piece(const Prefix &prefix) {
    const auto word = [&](std::size_t from, std::size_t bytes) {
        std::uint64_t result = 0;
        for (std::size_t i = from; i < from + bytes; ++i)
            result = result << 8 | prefix.address[i];
        return result;
    };
    const auto host_bits = [](unsigned bits) { return bits >= 64 ? ~0ull : (1ull << bits) - 1; };
    if (prefix.family == Family::v4) {
        const std::uint64_t low = word(0, 4);
        return {low, low | host_bits(32u - prefix.bits)};
    }
    const Wide low{word(0, 8), word(8, 8)};
    const unsigned host = 128u - prefix.bits;
    return {low, {low.high | host_bits(host > 64 ? host - 64 : 0), low.low | host_bits(host)}};
}

template <class T>
Piece piece(const Range<T> &range) {
    return {range.low, range.high};
}
Piece piece(std::uint8_t number) {
    return value(number);
}
Piece piece(std::uint16_t number) {
    return value(number);
}
Piece piece(const Mac &mac) {
    return value(number(mac));
}

/// Is the value of the kind's width?
bool fits(const Prefix &prefix, Region::Kind kind) {
    return (prefix.family == Family::v4) == (kind == Region::v4);
}
template <class T>
bool fits(const T &, Region::Kind) {
    return true;
}

const Set *anonymous(std::span<const Set> sets, const std::string &name) {
    const auto found = std::find_if(sets.begin(), sets.end(), [&](const Set &set) { return set.name == name; });
    return name.starts_with('$') && found != sets.end() ? &*found : nullptr;
}

} // namespace

bool Field::contains(const Field &other) const {
    if (!constrained)
        return true;
    if (set != 0 && (set != other.set || negated != other.negated))
        return false;
    return (absent || !other.absent) && values.contains(other.values);
}

Region::Region(Kind kind, const Rule &rule, std::span<const Set> sets, Names &names) : kind_(kind) {
    const Match &match = rule.match;
    for (std::uint8_t i = 0; i < count; ++i) {
        const auto name = static_cast<Name>(i);
        fields_[i].values = IntervalSet({{0, highest(name, kind)}});
        fields_[i].absent = !always_there(name, kind);
    }
    // Fields of IP only are missing in other frames: a condition on them leaves nothing.
    if (kind == other)
        for (const Name name : {src, dst, sport, dport, proto, flags, type, code, ttl, dscp, fragment, options})
            fields_[name].values = {};
    if (kind != other)
        constrain(ethertype, IntervalSet({value(kind == v4 ? 0x0800 : 0x86dd)}));
    if (match.ip && (kind == other || (*match.ip == Family::v4) != (kind == v4)))
        constrain(length, {});
    less_ = match.cgroup || match.process || match.user;
    from(match, sets, names);
    if (rule.action.rewrite.sport || rule.action.rewrite.dport) // what is rewritten must be there
        constrain(sport, fields_[sport].values);
    conclude();
    for (std::uint8_t i = 0; i < count; ++i)
        empty_ = empty_ || fields_[i].empty();
}

void Region::mark(Name name) {
    fields_[name].constrained = true;
    constrained_ |= 1u << name;
}

void Region::constrain(Name name, const IntervalSet &values) {
    Field &field = fields_[name];
    IntervalSet left = field.values.intersected(values);
    if (!field.absent && left == field.values)
        return; // every packet fits
    field.values = std::move(left);
    field.absent = false;
    mark(name);
}

/// entries: where an anonymous set keeps its values; named sets change at run time and are opaque.
template <class T>
void Region::one_of(Name name, const std::optional<OneOf<T>> &condition, std::vector<T> Set::*entries,
                    std::span<const Set> sets, Names &names) {
    if (!condition)
        return;
    const Set *set = anonymous(sets, condition->set);
    if (!condition->set.empty() && set == nullptr) {
        constrain(name, fields_[name].values);
        mark(name);
        fields_[name].set = names.number("@" + condition->set);
        fields_[name].negated = condition->negated;
        return;
    }
    std::vector<Piece> pieces;
    bool other_family = false;
    for (const T &each : set != nullptr ? set->*entries : condition->any_of) {
        if (fits(each, kind_))
            pieces.push_back(piece(each));
        else
            other_family = true;
    }
    const IntervalSet in{std::move(pieces)};
    if (!condition->negated)
        constrain(name, in);
    else if (in.empty() && other_family && set == nullptr)
        constrain(name, {}); // a negated prefix is for its own family only, a negated set for both
    else
        constrain(name, in.complement({0, highest(name, kind_)}));
}

void Region::from(const Match &match, std::span<const Set> sets, Names &names) {
    const auto add = [&]<class T>(Name name, const std::optional<OneOf<T>> &condition,
                                  std::vector<T> Set::*entries = nullptr) {
        one_of(name, condition, entries, sets, names);
    };
    add(src, match.src, &Set::prefixes);
    add(dst, match.dst, &Set::prefixes);
    add(sport, match.sport, &Set::ports);
    add(dport, match.dport, &Set::ports);
    add(proto, match.proto);
    add(type, match.icmp_type);
    add(code, match.icmp_code);
    add(ethertype, match.ethertype);
    add(vlan, match.vlan);
    add(inner_vlan, match.inner_vlan);
    add(mac_src, match.src_mac, &Set::macs);
    add(mac_dst, match.dst_mac, &Set::macs);
    add(ttl, match.ttl);
    add(dscp, match.dscp);
    add(length, match.length);
    if (match.flags) {
        std::vector<Piece> pieces;
        for (std::uint64_t byte = 0; byte < 256; ++byte)
            if (((byte & match.flags->mask) == match.flags->value) != match.flags->negated)
                pieces.push_back(value(byte));
        constrain(flags, IntervalSet{std::move(pieces)});
    }
    if (match.tagged)
        constrain(tagged, IntervalSet({value(*match.tagged)}));
    if (match.options)
        constrain(options, IntervalSet({value(*match.options)}));
    if (match.malformed)
        constrain(malformed, IntervalSet({value(*match.malformed)}));
    if (match.fragment) {
        constexpr std::uint64_t kRange[][2] = {{1, 2}, {1, 1}, {2, 2}, {0, 0}}; // any, first, later, none
        const auto &range = kRange[static_cast<std::size_t>(*match.fragment)];
        constrain(fragment, IntervalSet({{range[0], range[1]}}));
    }
    if (match.direction)
        constrain(direction, IntervalSet({value(*match.direction == Direction::out ? 1 : 0)}));
    if (match.device) {
        std::vector<Piece> pieces;
        for (const std::string &name : match.device->any_of)
            pieces.push_back(value(names.number(name)));
        const IntervalSet in{std::move(pieces)};
        constrain(device, match.device->negated ? in.complement({0, highest(device, kind_)}) : in);
    }
}

void Region::conclude() {
    const auto there = [&](Name name) { return fields_[name].constrained; };
    const auto present = [&](Name name) { constrain(name, fields_[name].values); };
    if (kind_ != other && there(flags)) {
        constrain(proto, IntervalSet({value(6)}));
        present(sport);
    }
    if (kind_ != other && (there(sport) || there(dport))) {
        constrain(proto, IntervalSet({value(6), value(17), value(33), value(132), value(136)}));
        present(sport);
        present(dport);
    }
    if (kind_ != other && (there(type) || there(code))) {
        constrain(proto, IntervalSet({value(kind_ == v4 ? 1 : 58)}));
        present(type);
        present(code);
    }
    if (kind_ != other && (there(sport) || there(type))) {
        // No L4 field in later fragments, nor where a header is malformed (docs/edge.md).
        constrain(fragment, IntervalSet({{0, 1}}));
        constrain(malformed, IntervalSet({value(0)}));
    }
    if (there(inner_vlan))
        present(vlan);
    if (there(vlan))
        constrain(tagged, IntervalSet({value(1)}));
}

bool Region::contains(const Region &inner) const {
    if (inner.empty_)
        return true;
    // What is constrained here and not there lets something through there that does not fit here.
    if (empty_ || less_ || (constrained_ & ~inner.constrained_) != 0)
        return false;
    for (std::uint8_t i = 0; i < count; ++i)
        if (!fields_[i].contains(inner.fields_[i]))
            return false;
    return true;
}

} // namespace beeline::policy
