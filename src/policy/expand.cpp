// SPDX-License-Identifier: Apache-2.0
//
// The conditions of one rule as entries. Every condition narrows the entries there are so far, or multiplies them by
// its alternatives. A condition on a field also asks for the fact that the field is there.
#include <beeline/policy/expand.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include <beeline/policy/ranges.hpp>

namespace beeline::policy {
namespace {

constexpr std::uint64_t kIp = BL_FACT_V4 | BL_FACT_V6;

std::vector<Range<std::uint16_t>> ranges_of(const OneOf<std::uint16_t> &condition, std::uint16_t highest) {
    std::vector<Range<std::uint16_t>> ranges;
    for (const std::uint16_t value : condition.any_of)
        ranges.push_back({value, value});
    return condition.negated ? complement(std::move(ranges), highest) : ranges;
}

void put_words(const Prefix &prefix, __u64 (&value)[2], __u64 (&mask)[2]) {
    std::array<std::uint8_t, 16> bits{};
    for (unsigned i = 0; i < prefix.bits; ++i)
        bits[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
    std::memcpy(value, prefix.address.data(), sizeof value);
    std::memcpy(mask, bits.data(), sizeof mask);
}

/// IPv4 source is in the first half of the eight bytes, destination in the second.
void put_word4(const Prefix &prefix, bool source, bl_entry &entry) {
    __u64 value[2], mask[2];
    put_words(prefix, value, mask);
    std::memcpy(reinterpret_cast<char *>(&entry.addr4_value) + (source ? 0 : 4), value, 4);
    std::memcpy(reinterpret_cast<char *>(&entry.addr4_mask) + (source ? 0 : 4), mask, 4);
}

class Expander {
public:
    explicit Expander(const Expansion &with) : with_(with) {
        Expanded first;
        first.entry.sport_span = first.entry.dport_span = 0xffff;
        std::fill(std::begin(first.extra.sets), std::end(first.extra.sets), BL_SET_NONE);
        entries_.push_back(first);
    }

    Result<std::vector<Expanded>> run(const Rule &rule) {
        const Match &m = rule.match;
        const Rewrite &rewrite = rule.action.rewrite;
        if (m.ip)
            fact(*m.ip == Family::v4 ? BL_FACT_V4 : BL_FACT_V6);
        // A rewritten address or port must be there.
        for (const auto &address : {rewrite.src, rewrite.dst})
            if (address)
                fact(address->family == Family::v4 ? BL_FACT_V4 : BL_FACT_V6);
        if (rewrite.sport || rewrite.dport)
            fact(BL_FACT_PORTS);
        BL_CHECK(address(m.src, true));
        BL_CHECK(address(m.dst, false));
        BL_CHECK(port(m.sport, true));
        BL_CHECK(port(m.dport, false));
        BL_CHECK(value(m.proto, BL_FACT_PROTO_SHIFT, 0xff, 0));
        BL_CHECK(tcp_flags(m.flags));
        BL_CHECK(value(m.icmp_type, BL_FACT_ICMP_TYPE_SHIFT, 0xff, BL_FACT_ICMP));
        BL_CHECK(value(m.icmp_code, BL_FACT_ICMP_CODE_SHIFT, 0xff, BL_FACT_ICMP));
        BL_CHECK(value(m.dscp, BL_FACT_DSCP_SHIFT, 0x3f, 0));
        if (m.proto || m.dscp || m.ttl)
            flag(BL_EXTRA_IP);
        BL_CHECK(ethertype(m.ethertype));
        BL_CHECK(mac(m.src_mac, true));
        BL_CHECK(mac(m.dst_mac, false));
        booleans(m);
        BL_CHECK(ranges(m));
        BL_CHECK(device(m.device));
        simplify();
        return std::move(entries_);
    }

private:
    template <class F>
    void each(F &&f) {
        for (Expanded &one : entries_)
            f(one);
    }
    void fact(std::uint64_t bits, bool there = true) {
        each([&](Expanded &one) {
            one.entry.facts_mask |= bits;
            if (there)
                one.entry.facts_value |= bits;
        });
    }
    void flag(std::uint32_t bits) {
        each([&](Expanded &one) { one.entry.extra_flags |= bits; });
    }

    /// Every entry times every alternative; f(entry, alternative) returns false where the two cannot hold together.
    template <class T, class F>
    Result<> times(const std::vector<T> &alternatives, F &&f) {
        std::vector<Expanded> product;
        for (const Expanded &one : entries_)
            for (const T &alternative : alternatives) {
                Expanded copy = one;
                if (f(copy, alternative))
                    product.push_back(copy);
                if (product.size() > with_.max_entries)
                    return fail(Kind::config, 0,
                                "becomes more than " + std::to_string(with_.max_entries) + " table entries",
                                "use a set for the longest list");
            }
        entries_ = std::move(product);
        return {};
    }

    Result<> in_set(const std::string &name, SetType type, unsigned field, bool negated) {
        const auto set =
            std::find_if(with_.sets.begin(), with_.sets.end(), [&](const SetTable &t) { return t.name == name; });
        if (set == with_.sets.end() || set->type != type)
            return fail(Kind::config, 0,
                        "set @" + name + (set == with_.sets.end() ? " does not exist" : " is of another type"));
        const auto index = static_cast<std::uint8_t>(set->index);
        flag(BL_EXTRA_SETS);
        each([&](Expanded &one) {
            one.extra.sets[field] = index;
            one.extra.sets_negated[field] = negated ? 1 : 0;
        });
        return {};
    }

    Result<> address(const std::optional<OneOf<Prefix>> &condition, bool source) {
        if (!condition)
            return {};
        if (!condition->set.empty())
            return in_set(condition->set, SetType::prefix, source ? BL_SET_SRC : BL_SET_DST, condition->negated);
        if (condition->negated && condition->any_of.size() > 1)
            return fail(Kind::config, 0, "a negated list of prefixes must be a set");
        return times(condition->any_of, [&](Expanded &one, const Prefix &prefix) {
            const std::uint64_t family = prefix.family == Family::v4 ? BL_FACT_V4 : BL_FACT_V6;
            if ((one.entry.facts_value & kIp & ~family) != 0)
                return false;
            one.entry.facts_mask |= family;
            one.entry.facts_value |= family;
            if (prefix.family == Family::v4 && !condition->negated) {
                put_word4(prefix, source, one.entry);
                return true;
            }
            if (source)
                put_words(prefix, one.extra.src_value, one.extra.src_mask);
            else
                put_words(prefix, one.extra.dst_value, one.extra.dst_mask);
            one.entry.extra_flags |= source ? BL_EXTRA_SRC : BL_EXTRA_DST;
            if (condition->negated)
                one.entry.extra_flags |= source ? BL_EXTRA_NOT_SRC : BL_EXTRA_NOT_DST;
            return true;
        });
    }

    Result<> port(const std::optional<OneOf<Range<std::uint16_t>>> &condition, bool source) {
        if (!condition)
            return {};
        fact(BL_FACT_PORTS);
        if (!condition->set.empty())
            return in_set(condition->set, SetType::port, source ? BL_SET_SPORT : BL_SET_DPORT, condition->negated);
        return times(ranges_of(*condition, std::uint16_t{0xffff}), [&](Expanded &one, const Range<std::uint16_t> &r) {
            (source ? one.entry.sport_low : one.entry.dport_low) = r.low;
            (source ? one.entry.sport_span : one.entry.dport_span) = static_cast<std::uint16_t>(r.high - r.low);
            return true;
        });
    }

    /// Fields of the facts. presence: the fact that the field is there, 0 where the caller sees to it.
    template <class T>
    Result<> value(const std::optional<OneOf<T>> &condition, unsigned shift, std::uint64_t mask,
                   std::uint64_t presence) {
        if (!condition)
            return {};
        if (presence != 0)
            fact(presence);
        if (condition->negated) {
            for (const T v : condition->any_of)
                BL_CHECK(not_facts(std::uint64_t{v} << shift, mask << shift));
            return {};
        }
        return times(condition->any_of, [&](Expanded &one, T v) {
            one.entry.facts_mask |= mask << shift;
            one.entry.facts_value |= std::uint64_t{v} << shift;
            return true;
        });
    }

    Result<> not_facts(std::uint64_t unwanted, std::uint64_t mask) {
        for (Expanded &one : entries_) {
            unsigned slot = 0;
            while (slot < BL_NOT_FACTS && one.extra.not_mask[slot] != 0)
                ++slot;
            if (slot == BL_NOT_FACTS)
                return fail(Kind::config, 0, "more than " + std::to_string(BL_NOT_FACTS) + " negated values",
                            "put the positive rule in front of this one instead");
            one.extra.not_mask[slot] = mask;
            one.extra.not_value[slot] = unwanted;
            one.entry.extra_flags |= BL_EXTRA_NOT_FACTS;
        }
        return {};
    }

    Result<> ethertype(const std::optional<OneOf<std::uint16_t>> &condition) {
        BL_CHECK(value(condition, BL_FACT_ETHERTYPE_SHIFT, 0xffff, 0));
        if (condition && condition->negated) // 0 is no ethertype: the frame is too short to have one
            BL_CHECK(not_facts(0, std::uint64_t{0xffff} << BL_FACT_ETHERTYPE_SHIFT));
        return {};
    }

    Result<> tcp_flags(const std::optional<TcpFlags> &flags) {
        if (!flags)
            return {};
        fact(BL_FACT_TCP);
        const std::uint64_t mask = std::uint64_t{flags->mask} << BL_FACT_TCP_FLAGS_SHIFT;
        const std::uint64_t wanted = std::uint64_t{flags->value} << BL_FACT_TCP_FLAGS_SHIFT;
        if (flags->negated)
            return not_facts(wanted, mask);
        each([&](Expanded &one) {
            one.entry.facts_mask |= mask;
            one.entry.facts_value |= wanted;
        });
        return {};
    }

    Result<> mac(const std::optional<OneOf<Mac>> &condition, bool source) {
        if (!condition)
            return {};
        if (!condition->set.empty())
            return in_set(condition->set, SetType::mac, source ? BL_SET_SRC_MAC : BL_SET_DST_MAC, condition->negated);
        if (condition->negated && condition->any_of.size() > 1)
            return fail(Kind::config, 0, "a negated list of MAC addresses must be a set");
        return times(condition->any_of, [&](Expanded &one, const Mac &address) {
            (source ? one.extra.src_mac : one.extra.dst_mac) = mac_word(address);
            one.entry.extra_flags |= source ? BL_EXTRA_SRC_MAC : BL_EXTRA_DST_MAC;
            if (condition->negated)
                one.entry.extra_flags |= source ? BL_EXTRA_NOT_SRC_MAC : BL_EXTRA_NOT_DST_MAC;
            return true;
        });
    }

    void booleans(const Match &m) {
        if (m.fragment) {
            flag(BL_EXTRA_IP);
            fact(BL_FACT_FRAGMENT, *m.fragment != Fragment::none);
            if (*m.fragment == Fragment::first || *m.fragment == Fragment::later)
                fact(BL_FACT_LATER, *m.fragment == Fragment::later);
        }
        if (m.options) {
            flag(BL_EXTRA_IP);
            fact(BL_FACT_OPTIONS, *m.options);
        }
        if (m.malformed)
            fact(BL_FACT_MALFORMED, *m.malformed);
        if (m.tagged)
            fact(BL_FACT_VLAN, *m.tagged);
    }

    Result<> ranges(const Match &m) {
        using Vlan = Range<std::uint16_t>;
        if (m.vlan)
            BL_CHECK(times(ranges_of(*m.vlan, std::uint16_t{4095}), [](Expanded &one, const Vlan &r) {
                one.extra.vlan_low = r.low;
                one.extra.vlan_high = r.high;
                one.entry.extra_flags |= BL_EXTRA_VLAN;
                return true;
            }));
        if (m.inner_vlan)
            BL_CHECK(times(ranges_of(*m.inner_vlan, std::uint16_t{4095}), [](Expanded &one, const Vlan &r) {
                one.extra.inner_low = r.low;
                one.extra.inner_high = r.high;
                one.entry.extra_flags |= BL_EXTRA_INNER_VLAN;
                return true;
            }));
        if (m.ttl)
            BL_CHECK(times(ranges_of(*m.ttl, std::uint8_t{255}), [](Expanded &one, const Range<std::uint8_t> &r) {
                one.extra.ttl_low = r.low;
                one.extra.ttl_high = r.high;
                one.entry.extra_flags |= BL_EXTRA_TTL;
                return true;
            }));
        if (m.length)
            BL_CHECK(times(ranges_of(*m.length, std::numeric_limits<std::uint32_t>::max()),
                           [](Expanded &one, const Range<std::uint32_t> &r) {
                               one.extra.length_low = r.low;
                               one.extra.length_high = r.high;
                               one.entry.extra_flags |= BL_EXTRA_LENGTH;
                               return true;
                           }));
        return {};
    }

    Result<> device(const std::optional<OneOf<std::string>> &condition) {
        if (!condition)
            return {};
        if (condition->any_of.size() > BL_DEVICE_LIST)
            return fail(Kind::config, 0, "more than " + std::to_string(BL_DEVICE_LIST) + " devices in one rule",
                        "write a rule for the others");
        for (std::size_t i = 0; i < condition->any_of.size(); ++i) {
            BL_TRY(const std::uint32_t index, with_.ifindex(condition->any_of[i]));
            each([&](Expanded &one) { one.extra.devices[i] = index; });
        }
        flag(BL_EXTRA_DEVICE | (condition->negated ? BL_EXTRA_NOT_DEVICE : 0));
        return {};
    }

    /// "Is IP" needs no look at the extras where another fact implies it.
    void simplify() {
        constexpr std::uint64_t kImplies = kIp | BL_FACT_PORTS | BL_FACT_TCP | BL_FACT_ICMP | BL_FACT_FRAGMENT |
                                           BL_FACT_LATER | BL_FACT_OPTIONS | std::uint64_t{0xff} << BL_FACT_PROTO_SHIFT;
        each([&](Expanded &one) {
            if ((one.entry.facts_value & kImplies) != 0)
                one.entry.extra_flags &= ~static_cast<std::uint32_t>(BL_EXTRA_IP);
        });
    }

    const Expansion &with_;
    std::vector<Expanded> entries_;
};

void add_prefix(SetTable &table, const Prefix &prefix) {
    if (prefix.family == Family::v4) {
        bl_lpm4 key{.bits = prefix.bits, .address = 0};
        std::memcpy(&key.address, prefix.address.data(), sizeof key.address);
        table.prefixes4.push_back(key);
    } else {
        bl_lpm6 key{.bits = prefix.bits, .address = {}};
        std::memcpy(key.address, prefix.address.data(), sizeof key.address);
        table.prefixes6.push_back(key);
    }
}

} // namespace

SetTable set_table(const Set &set, std::uint32_t index) {
    SetTable table{.name = set.name, .type = set.type, .index = index, .prefixes4 = {}, .prefixes6 = {}, .members = {}};
    for (const Prefix &prefix : set.prefixes)
        add_prefix(table, prefix);
    for (const Range<std::uint16_t> &range : set.ports)
        for (std::uint32_t port = range.low; port <= range.high; ++port)
            table.members.push_back({.data = port, .set = index, ._pad = 0});
    for (const Mac &mac : set.macs)
        table.members.push_back({.data = mac_word(mac), .set = index, ._pad = 0});
    return table;
}

Result<std::vector<SetTable>> set_tables(const std::vector<Set> &sets, std::size_t most) {
    if (sets.size() > most)
        return fail(Kind::config, 0, "the policy has " + std::to_string(sets.size()) + " sets",
                    "at most " + std::to_string(most) + ", those of long lists in rules included");
    std::vector<SetTable> tables;
    for (const Set &set : sets)
        tables.push_back(set_table(set, static_cast<std::uint32_t>(tables.size())));
    return tables;
}

std::uint64_t mac_word(const Mac &mac) {
    std::uint64_t word = 0;
    std::memcpy(&word, mac.data(), mac.size());
    return word;
}

std::vector<std::string> identities(const std::vector<Rule> &rules) {
    std::map<std::string, int> seen;
    std::vector<std::string> names;
    for (const Rule &rule : rules) {
        const int nth = ++seen[rule.text];
        names.push_back(nth == 1 ? rule.text : rule.text + "#" + std::to_string(nth));
    }
    return names;
}

Result<std::vector<Expanded>> expand(const Rule &rule, const Expansion &with) {
    return Expander(with).run(rule);
}

} // namespace beeline::policy
