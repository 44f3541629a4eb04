// SPDX-License-Identifier: Apache-2.0
//
// The normal form of rules: words in one order, names where there are some, nothing that is a default.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include <beeline/policy/names.hpp>
#include <beeline/policy/parse.hpp>
#include <beeline/policy/words.hpp>

namespace beeline::policy {

namespace {

using rules::NamedNumber;

std::string text_of(const Prefix &prefix) {
    return to_text(prefix);
}

std::string text_of(const Mac &mac) {
    return to_text(mac);
}

/// Names with bytes that the language uses itself stand in quotes. (A quote cannot be quoted, and no parser lets one
/// in.)
std::string text_of(const std::string &name) {
    const bool plain =
        name.find_first_of(" {},!<>@") == name.npos && name.find("->") == name.npos && name != "=" && name != "==";
    return plain ? name : fmt::format("'{}'", name);
}

/// A range; `<N` and `>N` where it touches an end of the field.
template <class T>
std::string text_of(const Range<T> &range) {
    const bool from_start = range.low == 0, to_end = range.high == static_cast<T>(~T{0});
    if (range.low == range.high)
        return std::to_string(range.low);
    if (to_end && !from_start && sizeof(T) != 2)
        return fmt::format(">{}", range.low - 1);
    return fmt::format("{}-{}", range.low, range.high);
}

/// Numbers, since the names are the host's.
std::string user(const Range<std::uint32_t> &range) {
    return range.high == kMaxUser && range.low != 0 && range.low != kMaxUser ? fmt::format(">{}", range.low - 1)
                                                                             : text_of(range);
}

/// " word !{a, b}": a condition with its values written by `write`.
template <class T, class Write>
std::string field(std::string_view word, const std::optional<OneOf<T>> &condition, Write write) {
    if (!condition)
        return {};
    std::string values;
    if (!condition->set.empty()) {
        values = "@" + condition->set;
    } else {
        for (const T &value : condition->any_of)
            values += (values.empty() ? "" : ", ") + write(value);
        if (condition->any_of.size() != 1)
            values = fmt::format("{{{}}}", values);
    }
    return fmt::format(" {} {}{}", word, condition->negated ? "!" : "", values);
}

template <class T>
std::string field(std::string_view word, const std::optional<OneOf<T>> &condition) {
    return field(word, condition, [](const T &value) { return text_of(value); });
}

template <class T>
std::string field(std::string_view word, const std::optional<OneOf<T>> &condition, std::span<const NamedNumber> names) {
    return field(word, condition, [&](const T &value) { return name_or_number(names, value); });
}

/// Sets made of literals ("$1") are written as the literals again.
template <class T>
std::string literals(std::string_view word, const std::optional<OneOf<T>> &condition, std::vector<T> Set::*entries,
                     std::span<const Set> sets) {
    if (condition && condition->set.starts_with('$'))
        for (const Set &set : sets)
            if (set.name == condition->set)
                return field(word, std::optional(OneOf<T>{condition->negated, set.*entries, {}}));
    return field(word, condition);
}

std::string flag_names(std::uint8_t bits) {
    if (bits == 0xff)
        return "all";
    std::string names;
    for (const NamedNumber &flag : tcp_flags())
        if ((bits & flag.number) != 0)
            names.append(names.empty() ? "" : ",").append(flag.name);
    return names.empty() ? "none" : names;
}

std::string flags(const TcpFlags &flags) {
    std::string text = fmt::format(" flags {}{}", flags.negated ? "!" : "", flag_names(flags.value));
    if (flags.mask != (0x17 | flags.value)) // what `flags` without a mask means
        text += "/" + flag_names(flags.mask);
    return text;
}

/// The protocol and the family, which `icmp` and `icmpv6` say in one word.
std::string protocol(const Match &m) {
    const std::string family = !m.ip ? "" : *m.ip == Family::v4 ? " ip" : " ipv6";
    if (!m.proto || m.proto->negated || m.proto->any_of.size() != 1)
        return family + field("proto", m.proto, protocols());
    const std::uint8_t number = m.proto->any_of.front();
    const std::string name = name_or_number(protocols(), number);
    if (number == 1 || number == 58) {
        const Family own = number == 1 ? Family::v4 : Family::v6;
        return m.ip == own ? " " + name : family + " proto " + name;
    }
    return family + (name == std::to_string(number) ? " proto " : " ") + name;
}

std::string icmp(const Match &m) {
    if (!m.icmp_type && !m.icmp_code)
        return {};
    const Family family = m.ip.value_or(Family::v4);
    const bool one_type = m.icmp_type && !m.icmp_type->negated && m.icmp_type->any_of.size() == 1;
    return field("type", m.icmp_type, icmp_types(family)) +
           field("code", m.icmp_code,
                 one_type ? icmp_codes(family, m.icmp_type->any_of.front()) : std::span<const NamedNumber>{});
}

std::string fragment(Fragment fragment) {
    switch (fragment) {
    case Fragment::first:
        return " fragment first";
    case Fragment::later:
        return " fragment later";
    case Fragment::none:
        return " fragment none";
    case Fragment::any:
        break;
    }
    return " fragment";
}

std::string ethertype(std::uint16_t number) {
    const std::string name = name_or_number(ethertypes(), number);
    return name == std::to_string(number) ? fmt::format("{:#06x}", number) : name;
}

std::string link_layer(const Match &m, std::span<const Set> sets) {
    std::string text = field("device", m.device);
    text += literals("mac src", m.src_mac, &Set::macs, sets) + literals("mac dst", m.dst_mac, &Set::macs, sets);
    if (m.tagged)
        text += *m.tagged ? " vlan any" : " vlan none";
    const auto number = [](std::uint16_t id) { return std::to_string(id); };
    text += field("vlan", m.vlan, number) + field("inner-vlan", m.inner_vlan, number);
    if (m.ethertype == OneOf<std::uint16_t>{false, {0x0806}, {}})
        return text + " arp";
    return text + field("ethertype", m.ethertype, ethertype);
}

std::string rewrite(const Rewrite &r) {
    std::string text;
    const auto add = [&](std::string_view word, const auto &value, auto write) {
        if (value)
            text += fmt::format(" {} {}", word, write(*value));
    };
    const auto address = [](const auto &value) { return to_text(value); };
    const auto number = [](auto value) { return std::to_string(value); };
    add("src", r.src, address);
    add("dst", r.dst, address);
    add("sport", r.sport, number);
    add("dport", r.dport, number);
    add("dscp", r.dscp, [](std::uint8_t value) { return name_or_number(dscps(), value); });
    add("ttl", r.ttl, number);
    add("mac src", r.src_mac, address);
    add("mac dst", r.dst_mac, address);
    return text.empty() ? text : " rewrite" + text;
}

} // namespace

std::string to_text(const Prefix &prefix) {
    return rules::to_text(rules::Prefix{prefix.family == Family::v6, prefix.bits, prefix.address});
}

std::string to_text(const Mac &mac) {
    return rules::to_text(mac);
}

std::string to_text(const Match &m, std::span<const Set> sets) {
    std::string text = !m.direction ? "" : *m.direction == Direction::in ? " in" : " out";
    text += link_layer(m, sets) + protocol(m);
    text += literals("src", m.src, &Set::prefixes, sets) + literals("dst", m.dst, &Set::prefixes, sets);
    text += field("sport", m.sport) + field("dport", m.dport);
    if (m.flags)
        text += flags(*m.flags);
    text += icmp(m) + field("ttl", m.ttl) + field("dscp", m.dscp, dscps()) + field("length", m.length);
    if (m.fragment)
        text += fragment(*m.fragment);
    if (m.options)
        text += *m.options ? " options" : " options none";
    if (m.malformed)
        text += *m.malformed ? " malformed" : " malformed none";
    text += field("cgroup", m.cgroup) + field("process", m.process) + field("user", m.user, user);
    return text.empty() ? text : text.substr(1);
}

std::string to_text(const Rate &rate) {
    const char unit = rate.period.count() == 1 ? 's' : rate.period.count() == 60 ? 'm' : 'h';
    const auto seconds = static_cast<std::uint64_t>(rate.period.count());
    std::string text = fmt::format("rate over {}/{}", rate.packets, unit);
    if (rate.burst != std::max<std::uint64_t>(1, rate.packets / seconds / 10))
        text += fmt::format(" burst {}", rate.burst);
    return text + (rate.key == RateKey::src ? " per src" : "");
}

std::string to_text(const Action &action) {
    std::string text;
    if (action.log_every != 0)
        text = action.log_every == 1 ? " log" : fmt::format(" log every {}", action.log_every);
    text += rewrite(action.rewrite);
    switch (action.verdict) {
    case Verdict::pass:
        text += " pass";
        break;
    case Verdict::drop:
        text += " drop";
        break;
    case Verdict::abort:
        text += " abort";
        break;
    case Verdict::tx:
        text += " tx";
        break;
    case Verdict::redirect:
        text += " redirect " + text_of(action.target);
        break;
    case Verdict::cpu:
        text += fmt::format(" cpu {}", action.cpu);
        break;
    case Verdict::xsk:
        text += " xsk " + action.target;
        break;
    case Verdict::accelerate:
        text += " accelerate";
        break;
    case Verdict::tcp:
        text += " tcp";
        break;
    }
    return text.substr(1);
}

std::string to_text(const Rule &rule, std::span<const Set> sets) {
    std::string text = to_text(rule.match, sets);
    if (rule.rate)
        text += (text.empty() ? "" : " ") + to_text(*rule.rate);
    return fmt::format("{} -> {}", text.empty() ? "fallback" : text, to_text(rule.action));
}

} // namespace beeline::policy
