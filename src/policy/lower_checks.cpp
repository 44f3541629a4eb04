// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <beeline/match.h>
#include <beeline/policy/names.hpp>
#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

namespace {

using rules::Condition;
using rules::Item;

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kIcmpv6 = 58;
constexpr std::uint8_t kWithPorts[] = {kTcp, 17, 33, 132, 136}; // dccp, sctp, udplite

std::string protocol_name(std::uint8_t number) {
    return name_or_number(protocols(), number);
}

} // namespace

std::string_view Lowering::Families::name() const {
    if (v4 && v6)
        return other ? "anything" : "IP";
    if (!other)
        return v4 ? "IPv4" : "IPv6";
    return v4 ? "not IPv6" : v6 ? "not IPv4" : "not IP";
}

Lowering::Families Lowering::families(const Condition &condition) const {
    Families result{false, false, false};
    switch (condition.word->id) {
    case word::ip:
    case word::protocol + kIcmp:
        return {true, false, false};
    case word::ipv6:
    case word::protocol + kIcmpv6:
        return {false, true, false};
    case word::arp:
        return {false, false, true};
    case word::src:
    case word::dst:
        for (const Item &item : condition.items) {
            const auto *prefix = std::get_if<rules::Prefix>(&item.value);
            result.v4 = result.v4 || prefix == nullptr || !prefix->v6; // a set may hold both
            result.v6 = result.v6 || prefix == nullptr || prefix->v6;
        }
        return result;
    case word::ethertype: {
        const auto named = [&](std::uint64_t type) {
            return std::any_of(condition.items.begin(), condition.items.end(),
                               [&](const Item &item) { return std::get<rules::Interval>(item.value).low == type; });
        };
        // A broken IP header makes a frame "other" under IP's ethertype, too.
        return {named(0x0800) != condition.negated, named(0x86dd) != condition.negated, true};
    }
    case word::type:
    case word::code: {
        const auto only = only_protocols();
        return {only != std::vector{kIcmpv6}, only != std::vector{kIcmp}, false};
    }
    case word::vlan:
    case word::inner_vlan:
    case word::mac_src:
    case word::mac_dst:
    case word::length:
    case word::malformed:
    case word::device:
    case word::in:
    case word::out:
        return {};
    default:
        return {true, true, false};
    }
}

void Lowering::check_families() {
    for (const Condition &condition : tree_.conditions) {
        const Families own = families(condition);
        const Families both = left_.with(own);
        if (!both.none()) {
            left_ = both;
            continue;
        }
        // Names an earlier condition that excludes this one alone, else the first one that narrows.
        const Condition *other = &tree_.conditions.front();
        for (const Condition &earlier : tree_.conditions) {
            if (&earlier == &condition)
                break;
            if (families(earlier).with(own).none()) {
                other = &earlier;
                break;
            }
        }
        return error(condition.where,
                     fmt::format("{} is {}, but {} is {}", written(condition), own.name(), written(*other),
                                 families(*other).name()),
                     own.other || families(*other).other ? "no packet is both" : "write one rule for each family");
    }
}

/// The protocols that the rule is limited to by name or number; nothing when it is not (or by a negation only).
std::optional<std::vector<std::uint8_t>> Lowering::only_protocols() const {
    const auto &proto = rule_.match.proto;
    if (!proto || proto->negated)
        return std::nullopt;
    return proto->any_of;
}

void Lowering::check_ports() {
    const auto only = only_protocols();
    for (const std::uint16_t id : {word::sport, word::dport}) {
        const Condition *ports = condition(id);
        if (ports == nullptr || !only)
            continue;
        for (const std::uint8_t protocol : *only)
            if (std::find(std::begin(kWithPorts), std::end(kWithPorts), protocol) == std::end(kWithPorts))
                return error(ports->where,
                             fmt::format("'{}', but {} has no ports", ports->word->name, protocol_name(protocol)),
                             "ports are in tcp, udp, sctp, dccp and udplite");
    }
}

void Lowering::check_tcp_flags() {
    const Condition *flags = condition(word::flags);
    const auto only = only_protocols();
    if (flags != nullptr && only && *only != std::vector{kTcp})
        error(flags->where, fmt::format("'flags', but the rule is not for tcp alone"), "only tcp has flags");
}

std::optional<OneOf<std::uint8_t>> Lowering::icmp_values(const Condition &condition,
                                                         std::span<const rules::NamedNumber> names,
                                                         std::string_view what, std::string_view otherwise) {
    OneOf<std::uint8_t> result{.negated = condition.negated, .any_of = {}, .set = {}};
    std::vector<std::string_view> known;
    for (const rules::NamedNumber &name : names)
        known.push_back(name.name);
    for (const Item &item : condition.items) {
        std::uint64_t value = 0;
        if (const auto *interval = std::get_if<rules::Interval>(&item.value)) {
            value = interval->low;
        } else if (const auto found = std::find(known.begin(), known.end(), item.text); found != known.end()) {
            value = names[static_cast<std::size_t>(found - known.begin())].number;
        } else {
            const std::string near = rules::did_you_mean(item.text, known);
            error(item.where, fmt::format("unknown {} {}", what, rules::in_quotes(item.text)),
                  near.empty() ? std::string(otherwise) : near);
            return std::nullopt;
        }
        const auto byte = static_cast<std::uint8_t>(value);
        if (std::find(result.any_of.begin(), result.any_of.end(), byte) == result.any_of.end())
            result.any_of.push_back(byte);
    }
    return result;
}

/// Type and code: their names depend on the protocol, those of the code also on the type.
void Lowering::icmp() {
    const Condition *type = condition(word::type), *code = condition(word::code);
    const Condition *first = type != nullptr ? type : code;
    if (first == nullptr)
        return;
    const auto only = only_protocols();
    if (!only || (*only != std::vector{kIcmp} && *only != std::vector{kIcmpv6})) {
        const bool one = only && only->size() == 1;
        return error(first->where,
                     one ? fmt::format("'{}', but {} has none", first->word->name, protocol_name(only->front()))
                         : fmt::format("'{}' needs icmp or icmpv6", first->word->name),
                     fmt::format("for example: icmp {0} {1}, icmpv6 {0} {1}", first->word->name,
                                 first == type ? "echo-request" : "0"));
    }
    const Family family = only->front() == kIcmp ? Family::v4 : Family::v6;
    const std::string_view name = family == Family::v4 ? "ICMP" : "ICMPv6";
    rule_.match.ip = family;
    if (type != nullptr)
        rule_.match.icmp_type =
            icmp_values(*type, icmp_types(family), fmt::format("{} type", name),
                        "expected a number or a name such as echo-request; ICMP and ICMPv6 have different ones");
    if (code == nullptr)
        return;
    const auto &types = rule_.match.icmp_type;
    const bool one_type = types && !types->negated && types->any_of.size() == 1;
    const auto names = one_type ? icmp_codes(family, types->any_of.front()) : std::span<const rules::NamedNumber>{};
    rule_.match.icmp_code = icmp_values(*code, names, fmt::format("{} code", name),
                                        !one_type ? "codes have names behind a single type: type unreachable code ..."
                                        : names.empty() ? "this type has numbered codes only"
                                                        : "expected a number or a name of this type's codes");
}

void Lowering::check_vlans() {
    if (rule_.match.tagged == false && rule_.match.inner_vlan)
        error(condition(word::inner_vlan)->where, "'inner-vlan' with 'vlan none'", "leave out one of them");
}

bool Lowering::names_l4() const {
    const Match &m = rule_.match;
    return m.sport || m.dport || m.flags || m.icmp_type || m.icmp_code;
}

void Lowering::check_fragment() {
    if (rule_.match.fragment == Fragment::later && names_l4())
        error(condition(word::fragment)->where, "a later fragment has no ports, flags or types",
              "match it by addresses and protocol alone");
}

/// What a table entry has room for; said here, where the place in the file is known.
void Lowering::check_room() {
    const Match &m = rule_.match;
    if (m.device && m.device->any_of.size() > BL_DEVICE_LIST)
        error(condition(word::device)->where, fmt::format("more than {} names behind 'device'", BL_DEVICE_LIST),
              "write a second rule for the others");
    for (const auto &[id, field] : {std::pair{word::cgroup, &m.cgroup}, std::pair{word::process, &m.process}})
        if (*field && (*field)->negated && (*field)->any_of.size() > 1)
            error(condition(id)->values_where, fmt::format("a negated list behind '{}'", condition(id)->word->name),
                  "put a rule with the list, not negated, before this one");
    std::size_t negated = m.flags && m.flags->negated ? 1 : 0;
    const auto add = [&](const auto &field, std::size_t more) {
        if (field && field->negated)
            negated += field->any_of.size() + more;
    };
    add(m.proto, 0);
    add(m.icmp_type, 0);
    add(m.icmp_code, 0);
    add(m.dscp, 0);
    add(m.ethertype, 1); // the frame must have one
    if (negated > BL_NOT_FACTS)
        error(tree_.start, fmt::format("{} negated values of proto, flags, type, code, dscp and ethertype", negated),
              fmt::format("at most {} in a rule, ethertype counts one more; put a rule with the values before this one",
                          BL_NOT_FACTS));
}

void Lowering::check() {
    check_families();
    check_ports();
    check_tcp_flags();
    icmp();
    check_vlans();
    check_fragment();
    check_room();
}

} // namespace beeline::policy
