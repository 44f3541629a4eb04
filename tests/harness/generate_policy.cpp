// SPDX-License-Identifier: Apache-2.0
#include <harness/generate.hpp>

#include <algorithm>
#include <string>

namespace beeline::model {

namespace {

using edge::Family;
using edge::Prefix;
using edge::Range;

template <class T>
Range<T> random_range(Random &r, T value, T highest) {
    switch (r.below(4)) {
    case 0: {
        const T other = static_cast<T>(r.between(0, highest));
        return {std::min(value, other), std::max(value, other)};
    }
    case 1:
        return {value, static_cast<T>(std::min<std::uint64_t>(highest, std::uint64_t{value} + r.below(4)))};
    default:
        return {value, value};
    }
}

/// One to four values, seldom more.
template <class T, class F>
edge::OneOf<T> one_of(Random &r, unsigned negated_percent, F &&value, std::size_t most = 4) {
    edge::OneOf<T> condition{.negated = r.chance(negated_percent), .any_of = {}, .set = {}};
    const std::size_t count = r.chance(60) ? 1 : r.between(1, most);
    for (std::size_t i = 0; i < count; ++i)
        condition.any_of.push_back(value());
    return condition;
}

std::string set_of(Random &r, const std::vector<edge::Set> &sets, edge::SetType type) {
    std::vector<std::string> names;
    for (const edge::Set &set : sets)
        if (set.type == type)
            names.push_back(set.name);
    return names.empty() ? "" : r.pick(names);
}

std::vector<edge::Set> random_sets(Random &r) {
    std::vector<edge::Set> sets;
    const std::size_t count = r.below(5);
    for (std::size_t i = 0; i < count; ++i) {
        edge::Set set{
            .name = "s" + std::to_string(i),
            .type = r.pick({edge::SetType::prefix, edge::SetType::prefix, edge::SetType::port, edge::SetType::mac}),
            .prefixes = {},
            .ports = {},
            .macs = {}};
        const std::size_t entries = r.below(8); // an empty set is one, too
        for (std::size_t k = 0; k < entries; ++k) {
            if (set.type == edge::SetType::prefix)
                set.prefixes.push_back(random_prefix(r));
            if (set.type == edge::SetType::port) {
                const std::uint16_t low = random_port(r);
                set.ports.push_back({low, static_cast<std::uint16_t>(std::min(65535ul, low + r.below(20)))});
            }
            if (set.type == edge::SetType::mac)
                set.macs.push_back(random_mac(r));
        }
        sets.push_back(std::move(set));
    }
    return sets;
}

edge::OneOf<Prefix> address_condition(Random &r, const std::vector<edge::Set> &sets) {
    if (const std::string name = set_of(r, sets, edge::SetType::prefix); !name.empty() && r.chance(40))
        return {.negated = r.chance(30), .any_of = {}, .set = name};
    auto condition = one_of<Prefix>(r, 25, [&] { return random_prefix(r); });
    if (condition.negated)
        condition.any_of.resize(1); // the compiler takes negated lists as sets only
    return condition;
}

edge::OneOf<Range<std::uint16_t>> port_condition(Random &r, const std::vector<edge::Set> &sets) {
    if (const std::string name = set_of(r, sets, edge::SetType::port); !name.empty() && r.chance(40))
        return {.negated = r.chance(30), .any_of = {}, .set = name};
    return one_of<Range<std::uint16_t>>(
        r, 25, [&] { return random_range<std::uint16_t>(r, random_port(r), std::uint16_t{65535}); });
}

edge::OneOf<edge::Mac> mac_condition(Random &r, const std::vector<edge::Set> &sets) {
    if (const std::string name = set_of(r, sets, edge::SetType::mac); !name.empty() && r.chance(50))
        return {.negated = r.chance(30), .any_of = {}, .set = name};
    auto condition = one_of<edge::Mac>(r, 25, [&] { return random_mac(r); });
    if (condition.negated)
        condition.any_of.resize(1);
    return condition;
}

void add_l3_condition(Random &r, edge::Match &m, const std::vector<edge::Set> &sets) {
    switch (r.below(8)) {
    case 0:
        m.ip = r.pick({Family::v4, Family::v6});
        break;
    case 1:
    case 2:
        m.src = address_condition(r, sets);
        break;
    case 3:
        m.dst = address_condition(r, sets);
        break;
    case 4:
        m.ttl = one_of<Range<std::uint8_t>>(r, 20, [&] { return random_range<std::uint8_t>(r, random_byte(r), 255); });
        break;
    case 5:
        m.dscp = one_of<std::uint8_t>(
            r, 20, [&] { return static_cast<std::uint8_t>(random_byte(r) % 64); }, 2);
        break;
    case 6:
        m.fragment = r.pick({edge::Fragment::any, edge::Fragment::first, edge::Fragment::later, edge::Fragment::none});
        break;
    default:
        m.options = r.chance(60);
    }
}

void add_l4_condition(Random &r, edge::Match &m, const std::vector<edge::Set> &sets) {
    switch (r.below(7)) {
    case 0:
    case 1:
        m.proto = one_of<std::uint8_t>(
            r, 15, [&] { return random_proto(r); }, 2);
        break;
    case 2:
        m.sport = port_condition(r, sets);
        break;
    case 3:
    case 4:
        m.dport = port_condition(r, sets);
        break;
    case 5: {
        const auto mask = static_cast<std::uint8_t>(r.chance(50) ? 0x17 : r.between(1, 255));
        m.flags = edge::TcpFlags{.negated = r.chance(20),
                                 .value = static_cast<std::uint8_t>(r.pick({0x02, 0x10, 0x12, 0x04, 0x01, 0}) & mask),
                                 .mask = mask};
        break;
    }
    default:
        m.icmp_type = one_of<std::uint8_t>(
            r, 15,
            [&] {
                return r.pick<std::uint8_t>({0, 3, 8, 128, 129, 135});
            },
            2);
        if (r.chance(40))
            m.icmp_code = one_of<std::uint8_t>(
                r, 15, [&] { return random_byte(r); }, 2);
    }
}

void add_other_condition(Random &r, edge::Match &m, const std::vector<edge::Set> &sets) {
    switch (r.below(9)) {
    case 0:
        m.ethertype = one_of<std::uint16_t>(
            r, 20, [&] { return random_ethertype(r); }, 2);
        break;
    case 1:
        m.vlan = one_of<std::uint16_t>(
            r, 20, [&] { return random_vlan(r); }, 3);
        break;
    case 2:
        m.inner_vlan = one_of<std::uint16_t>(
            r, 20, [&] { return random_vlan(r); }, 3);
        break;
    case 3:
        m.tagged = r.chance(50);
        break;
    case 4:
        m.src_mac = mac_condition(r, sets);
        break;
    case 5:
        m.dst_mac = mac_condition(r, sets);
        break;
    case 6:
        m.length = one_of<Range<std::uint32_t>>(r, 20, [&] {
            return random_range<std::uint32_t>(r, static_cast<std::uint32_t>(r.between(14, 200)), 1600);
        });
        break;
    case 7:
        m.malformed = r.chance(60);
        break;
    default:
        m.device =
            edge::OneOf<std::string>{.negated = r.chance(30), .any_of = {r.pick({kDevice, kOtherDevice})}, .set = {}};
    }
}

edge::Match random_match(Random &r, const std::vector<edge::Set> &sets) {
    edge::Match m;
    const std::size_t conditions = r.between(1, 4);
    for (std::size_t i = 0; i < conditions; ++i) {
        const std::uint64_t which = r.below(10);
        if (which < 4)
            add_l4_condition(r, m, sets);
        else if (which < 8)
            add_l3_condition(r, m, sets);
        else
            add_other_condition(r, m, sets);
    }
    return m;
}

edge::Rewrite random_rewrite(Random &r) {
    edge::Rewrite rewrite;
    const Family family = r.pick({Family::v4, Family::v6});
    while (!rewrite.any()) {
        if (r.chance(30))
            rewrite.src = random_address(r, family);
        if (r.chance(30))
            rewrite.dst = random_address(r, family);
        if (r.chance(30))
            rewrite.sport = random_port(r);
        if (r.chance(30))
            rewrite.dport = random_port(r);
        if (r.chance(15))
            rewrite.dscp = static_cast<std::uint8_t>(r.below(64));
        if (r.chance(15))
            rewrite.ttl = random_byte(r);
        if (r.chance(15))
            rewrite.src_mac = random_mac(r);
        if (r.chance(15))
            rewrite.dst_mac = random_mac(r);
    }
    return rewrite;
}

edge::Action random_action(Random &r, bool fallback) {
    using enum edge::Verdict;
    edge::Action action;
    action.verdict = r.pick({pass, pass, pass, drop, drop, abort, tx, tx, redirect, cpu, xsk});
    if (action.verdict == redirect)
        action.target = kDevice;
    if (action.verdict == xsk)
        action.target = "capture";
    if (action.verdict != drop && action.verdict != abort && !fallback && r.chance(50))
        action.rewrite = random_rewrite(r);
    if (r.chance(10))
        action.log_every = static_cast<std::uint32_t>(r.between(1, 3));
    return action;
}

/// Conditions and verdicts that need nothing but the words every table entry has: programs take a shorter way for
/// policies of these alone.
edge::Rule plain_rule(Random &r) {
    edge::Match m;
    const std::size_t conditions = r.between(1, 3);
    for (std::size_t i = 0; i < conditions; ++i) {
        switch (r.below(8)) {
        case 0:
            m.ip = r.pick({Family::v4, Family::v6});
            break;
        case 1:
        case 2: {
            auto &address = r.chance(50) ? m.src : m.dst;
            address = edge::OneOf<Prefix>{};
            address->any_of.push_back(
                masked_prefix(random_address(r, Family::v4), r.pick<unsigned>({32, 31, 24, 8, 1})));
            break;
        }
        case 3:
            m.tagged = r.chance(50);
            break;
        case 4:
            m.malformed = r.chance(50);
            break;
        case 5:
            m.ethertype = one_of<std::uint16_t>(
                r, 0, [&] { return random_ethertype(r); }, 2);
            break;
        default:
            add_l4_condition(r, m, {});
        }
    }
    for (auto *values : {&m.proto, &m.icmp_type, &m.icmp_code})
        if (*values)
            (*values)->negated = false;
    if (m.flags)
        m.flags->negated = false;
    if (m.proto && r.chance(30))
        m.dscp = edge::OneOf<std::uint8_t>{
            .negated = false, .any_of = {static_cast<std::uint8_t>(random_byte(r) % 64)}, .set = {}};
    edge::Rule rule{.match = std::move(m), .rate = {}, .action = {}, .text = {}, .where = {}};
    rule.action.verdict = r.pick({edge::Verdict::pass, edge::Verdict::drop, edge::Verdict::abort});
    return rule;
}

edge::Policy plain_policy(Random &r) {
    edge::Policy policy;
    policy.devices = {kDevice};
    const std::size_t rules = r.between(1, 10);
    for (std::size_t i = 0; i <= rules; ++i) {
        policy.rules.push_back(plain_rule(r));
        if (i == rules)
            policy.rules.back().match = {};
        policy.rules.back().text = "rule " + std::to_string(i);
    }
    return policy;
}

edge::Policy any_policy(Random &r, std::size_t rules) {
    edge::Policy policy;
    policy.devices = {kDevice};
    policy.sets = random_sets(r);
    for (std::size_t i = 0; i < rules; ++i) {
        edge::Rule rule{.match = random_match(r, policy.sets),
                        .rate = {},
                        .action = random_action(r, false),
                        .text = "rule " + std::to_string(i),
                        .where = {}};
        if (r.chance(10))
            rule.rate = edge::Rate{.packets = r.between(1, 1000),
                                   .period = std::chrono::seconds(r.pick({1, 60, 3600})),
                                   .burst = r.below(20),
                                   .key = r.pick({edge::RateKey::all, edge::RateKey::src})};
        policy.rules.push_back(std::move(rule));
    }
    policy.rules.push_back(
        {.match = {}, .rate = {}, .action = random_action(r, true), .text = "fallback", .where = {}});
    return policy;
}

} // namespace

edge::Policy random_policy(Random &r) {
    if (r.chance(30))
        return plain_policy(r);
    return any_policy(r, r.chance(70) ? r.between(1, 8) : r.between(1, 39));
}

edge::Policy long_policy(Random &r, std::size_t rules) {
    edge::Policy policy = any_policy(r, rules - 1);
    for (edge::Rule &rule : policy.rules) // the last ones are to be reached
        if (&rule != &policy.rules.back())
            rule.match.src =
                edge::OneOf<Prefix>{.negated = false, .any_of = {random_address(r, Family::v4)}, .set = {}};
    return policy;
}

} // namespace beeline::model
