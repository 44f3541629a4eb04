// SPDX-License-Identifier: Apache-2.0
//
// Which rule decides: the conditions one by one, as policy.hpp words them.
#include <harness/model.hpp>

#include <algorithm>

#include <beeline/edge.h>

#include <harness/model_rewrite.hpp>

namespace beeline::model {

namespace {

using edge::Family;

bool in_prefix(const edge::Prefix &prefix, Family family, const std::array<std::uint8_t, 16> &address) {
    if (prefix.family != family)
        return false;
    for (unsigned bit = 0; bit < prefix.bits; ++bit) {
        const auto difference = static_cast<unsigned>(prefix.address[bit / 8] ^ address[bit / 8]);
        if ((difference >> (7 - bit % 8) & 1) != 0)
            return false;
    }
    return true;
}

using Sets = std::span<const edge::Set>;

const edge::Set &set_named(Sets sets, const std::string &name) {
    const auto set = std::find_if(sets.begin(), sets.end(), [&](const auto &s) { return s.name == name; });
    if (set == sets.end())
        std::abort();
    return *set;
}

bool in_range(std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    return low <= value && value <= high;
}

bool is(std::uint64_t field, std::uint64_t value) {
    return field == value;
}
template <class T>
bool is(std::uint64_t field, const edge::Range<T> &range) {
    return in_range(field, range.low, range.high);
}
bool is(const edge::Mac &field, const edge::Mac &value) {
    return field == value;
}
bool is(const std::string &field, const std::string &value) {
    return field == value;
}

/// A condition on a field that may be absent. The sets of ports and MACs are looked up by members.
template <class Condition, class Field, class Members>
bool holds(const std::optional<Condition> &condition, const std::optional<Field> &field, Members members) {
    if (!condition)
        return true;
    if (!field)
        return false;
    const auto same = [&](const auto &value) { return is(*field, value); };
    bool found = std::any_of(condition->any_of.begin(), condition->any_of.end(), same);
    if (!condition->set.empty()) {
        const auto &list = members(condition->set);
        found = std::any_of(list.begin(), list.end(), same);
    }
    return found != condition->negated;
}

template <class Condition, class Field>
bool holds(const std::optional<Condition> &condition, const std::optional<Field> &field) {
    if (!condition)
        return true;
    if (!field)
        return false;
    const auto same = [&](const auto &value) { return is(*field, value); };
    return std::any_of(condition->any_of.begin(), condition->any_of.end(), same) != condition->negated;
}

/// Negated prefixes constrain their own family only; a negated set constrains both.
bool address_holds(const std::optional<edge::OneOf<edge::Prefix>> &condition, Sets sets, const Fields &fields,
                   const std::array<std::uint8_t, 16> Fields::Ip::*which) {
    if (!condition)
        return true;
    if (!fields.ip)
        return false;
    const bool set = !condition->set.empty();
    const std::vector<edge::Prefix> &prefixes = set ? set_named(sets, condition->set).prefixes : condition->any_of;
    const Family family = fields.ip->family;
    const auto same_family = [&](const edge::Prefix &p) { return p.family == family; };
    if (condition->negated && !set && std::none_of(prefixes.begin(), prefixes.end(), same_family))
        return false;
    const auto within = [&](const edge::Prefix &p) { return in_prefix(p, family, (*fields.ip).*which); };
    return std::any_of(prefixes.begin(), prefixes.end(), within) != condition->negated;
}

bool fragment_holds(edge::Fragment wanted, const Fields::Ip &ip) {
    switch (wanted) {
    case edge::Fragment::any:
        return ip.fragment;
    case edge::Fragment::first:
        return ip.fragment && !ip.later;
    case edge::Fragment::later:
        return ip.later;
    case edge::Fragment::none:
        return !ip.fragment;
    }
    std::abort();
}

template <class T, class Owner>
std::optional<T> of(const std::optional<Owner> &owner, T Owner::*member) {
    return owner ? std::optional<T>((*owner).*member) : std::nullopt;
}

bool ip_holds(const edge::Match &m, const std::optional<Fields::Ip> &ip) {
    if (m.ip && (!ip || ip->family != *m.ip))
        return false;
    if (m.fragment && (!ip || !fragment_holds(*m.fragment, *ip)))
        return false;
    if (m.options && (!ip || ip->options != *m.options))
        return false;
    return holds(m.proto, of(ip, &Fields::Ip::proto)) && holds(m.ttl, of(ip, &Fields::Ip::ttl)) &&
           holds(m.dscp, of(ip, &Fields::Ip::dscp));
}

bool flags_hold(const std::optional<edge::TcpFlags> &condition, const Fields &f) {
    return !condition || (f.tcp_flags && ((*f.tcp_flags & condition->mask) == condition->value) != condition->negated);
}

/// A rule that rewrites an address or a port wants it to be there, of that family.
bool rewritable(const edge::Rewrite &rewrite, const Fields &f) {
    for (const auto &address : {rewrite.src, rewrite.dst})
        if (address && (!f.ip || f.ip->family != address->family))
            return false;
    return (!rewrite.sport && !rewrite.dport) || f.ports.has_value();
}

} // namespace

bool matches(const edge::Match &m, Sets sets, const Fields &f, const std::string &device) {
    if (m.cgroup || m.process || m.user)
        return false; // a packet has no socket
    const auto ports = [&](const std::string &name) -> auto & {
        return set_named(sets, name).ports;
    };
    const auto macs = [&](const std::string &name) -> auto & {
        return set_named(sets, name).macs;
    };
    return ip_holds(m, f.ip) && address_holds(m.src, sets, f, &Fields::Ip::src) &&
           address_holds(m.dst, sets, f, &Fields::Ip::dst) && holds(m.sport, of(f.ports, &Fields::Ports::src), ports) &&
           holds(m.dport, of(f.ports, &Fields::Ports::dst), ports) && flags_hold(m.flags, f) &&
           holds(m.icmp_type, of(f.icmp, &Fields::Icmp::type)) && holds(m.icmp_code, of(f.icmp, &Fields::Icmp::code)) &&
           holds(m.ethertype, f.ethertype) && holds(m.vlan, f.vlan) && holds(m.inner_vlan, f.inner_vlan) &&
           (!m.tagged || f.tagged == *m.tagged) && holds(m.src_mac, f.src_mac, macs) &&
           holds(m.dst_mac, f.dst_mac, macs) && holds(m.length, std::optional(f.length)) &&
           (!m.malformed || (f.reason != BL_R_NONE) == *m.malformed) && holds(m.device, std::optional(device));
}

Answer judge(const edge::Policy &policy, View frame, const Surroundings &surroundings) {
    const Fields fields = parse(frame);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const edge::Rule &rule = policy.rules[i];
        if (!rewritable(rule.action.rewrite, fields) || !matches(rule.match, policy.sets, fields, surroundings.device))
            continue;
        if (rule.rate && !surroundings.over_rate(i, fields))
            continue;
        Answer answer = act(rule.action, frame, fields, surroundings);
        answer.rule = i;
        answer.reason = fields.reason;
        return answer;
    }
    std::abort(); // a policy ends with a rule that matches everything
}

} // namespace beeline::model
