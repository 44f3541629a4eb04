// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <beeline/policy/names.hpp>
#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

namespace {

using rules::Condition;
using rules::Interval;
using rules::Item;

std::uint64_t number(const Item &item) {
    return std::get<Interval>(item.value).low;
}

/// Keeps the first of equal values.
template <class T>
void add_once(std::vector<T> &values, const T &value) {
    if (std::find(values.begin(), values.end(), value) == values.end())
        values.push_back(value);
}

/// One compare cannot say "none of several", and one compare each is too dear for many.
template <class T>
bool needs_set(const OneOf<T> &condition) {
    return condition.any_of.size() > (condition.negated ? 1 : kMaxLiterals);
}

/// The bits of "syn", "all", "none".
std::uint8_t flag_bits(std::string_view name) {
    if (name == "all")
        return 0xff;
    for (const rules::NamedNumber &flag : tcp_flags())
        if (flag.name == name)
            return static_cast<std::uint8_t>(flag.number);
    return 0;
}

} // namespace

Prefix to_policy(const rules::Prefix &prefix) {
    return {prefix.v6 ? Family::v6 : Family::v4, prefix.bits, prefix.address};
}

void Lowering::error(rules::Extent where, std::string message, std::string hint) {
    ++errors_;
    diagnostics_.push_back(
        source_.diagnostic(rules::Severity::error, where.offset, where.length, std::move(message), std::move(hint)));
}

const Condition *Lowering::condition(std::uint16_t id) const {
    for (const Condition &condition : tree_.conditions)
        if (condition.word->id == id)
            return &condition;
    return nullptr;
}

std::string Lowering::written(const Condition &condition) const {
    std::size_t length = condition.where.length;
    if (!condition.items.empty())
        length = condition.values_where.offset + condition.values_where.length - condition.where.offset;
    return rules::in_quotes(rules::folded(source_.text().substr(condition.where.offset, length)));
}

template <class T>
OneOf<T> Lowering::numbers(const Condition &condition) const {
    OneOf<T> result{.negated = condition.negated, .any_of = {}, .set = {}};
    for (const Item &item : condition.items)
        add_once(result.any_of, static_cast<T>(number(item)));
    return result;
}

template <class T>
OneOf<Range<T>> Lowering::ranges(const Condition &condition, SetType type) {
    OneOf<Range<T>> result{.negated = condition.negated, .any_of = {}, .set = set_of(condition, type)};
    if (!result.set.empty())
        return result;
    for (const Item &item : condition.items)
        if (const auto *interval = std::get_if<Interval>(&item.value))
            add_once(result.any_of, Range<T>{static_cast<T>(interval->low), static_cast<T>(interval->high)});
    return result;
}

OneOf<Mac> Lowering::macs(const Condition &condition) {
    OneOf<Mac> result{.negated = condition.negated, .any_of = {}, .set = set_of(condition, SetType::mac)};
    if (!result.set.empty())
        return result;
    for (const Item &item : condition.items)
        if (const auto *mac = std::get_if<Mac>(&item.value))
            add_once(result.any_of, *mac);
    if (needs_set(result)) {
        result.set = fmt::format("${}", made_.size() + 1);
        made_.push_back({result.set, SetType::mac, {}, {}, std::move(result.any_of)});
        result.any_of.clear();
    }
    return result;
}

OneOf<std::string> Lowering::texts(const Condition &condition) {
    OneOf<std::string> result{.negated = condition.negated, .any_of = {}, .set = {}};
    for (const Item &item : condition.items)
        add_once(result.any_of, item.text);
    return result;
}

/// Names are looked up now: what the rule means does not change with the host's users before it is read again.
OneOf<Range<std::uint32_t>> Lowering::users(const Condition &condition) {
    OneOf<Range<std::uint32_t>> result{.negated = condition.negated, .any_of = {}, .set = {}};
    for (const Item &item : condition.items) {
        const auto *compared = std::get_if<Interval>(&item.value); // <N
        const auto ids = compared != nullptr ? Result<Interval>(*compared) : read_user(item.text);
        if (ids)
            add_once(result.any_of, {static_cast<std::uint32_t>(ids->low), static_cast<std::uint32_t>(ids->high)});
        else
            error(item.where, ids.error().what, ids.error().remedy);
    }
    return result;
}

/// The name of the set that the condition names; empty when it has literals (or, with an error, no such set).
std::string Lowering::set_of(const Condition &condition, SetType type) {
    if (condition.items.empty() || !condition.items.front().is_set)
        return {};
    const Item &item = condition.items.front();
    std::vector<std::string_view> known;
    const Set *other = nullptr; // of the name, but of another type
    for (const Set &set : named_) {
        known.push_back(set.name);
        if (set.name == item.text && set.type == type)
            return item.text;
        if (set.name == item.text)
            other = &set;
    }
    if (other != nullptr) {
        error(item.where, fmt::format("the set '@{}' holds {} entries", other->name, to_text(other->type)),
              fmt::format("'{}' needs a set of type {}", condition.word->name, to_text(type)));
        return {};
    }
    const std::string_view near = rules::nearest(item.text, known);
    error(item.where, fmt::format("unknown set {}", rules::in_quotes("@" + item.text)),
          near.empty() ? fmt::format("define it in [sets.{}]", item.text) : fmt::format("did you mean '@{}'?", near));
    return {};
}

void Lowering::prefixes(const Condition &condition, std::optional<OneOf<Prefix>> &field) {
    OneOf<Prefix> result{.negated = condition.negated, .any_of = {}, .set = set_of(condition, SetType::prefix)};
    std::set<std::pair<std::uint8_t, std::array<std::uint8_t, 16>>> seen4, seen6;
    for (const Item &item : condition.items) {
        if (item.is_set)
            continue;
        const Prefix prefix = to_policy(std::get<rules::Prefix>(item.value));
        if ((prefix.family == Family::v4 ? seen4 : seen6).emplace(prefix.bits, prefix.address).second)
            result.any_of.push_back(prefix);
    }
    const bool one_family = seen4.empty() != seen6.empty();
    if (needs_set(result)) {
        result.set = fmt::format("${}", made_.size() + 1);
        made_.push_back({result.set, SetType::prefix, std::move(result.any_of), {}, {}});
        result.any_of.clear();
        // A negated set holds for both families, negated prefixes of one family for that one only.
        if (condition.negated && one_family)
            rule_.match.ip = seen6.empty() ? Family::v4 : Family::v6;
    }
    field = std::move(result);
}

void Lowering::vlan(const Condition &condition) {
    for (const Item &item : condition.items) {
        const std::uint64_t id = number(item);
        if (id <= 4095)
            continue;
        if (condition.negated || condition.items.size() > 1)
            return error(item.where, fmt::format("'{}' stands alone: vlan {}", item.text, item.text),
                         condition.negated ? fmt::format("write vlan {}", id == kVlanAny ? "none" : "any") : "");
        rule_.match.tagged = id == kVlanAny;
        return;
    }
    rule_.match.vlan = numbers<std::uint16_t>(condition);
}

/// `flags a,b`: of fin, syn, rst, ack and those named, exactly those named are set. `flags a,b/c,d`: of c and d.
void Lowering::flags(const Condition &condition) {
    constexpr std::uint8_t kHandshake = 0x17; // fin, syn, rst, ack
    TcpFlags result{.negated = condition.negated, .value = 0, .mask = 0};
    bool in_mask = false;
    for (const Item &item : condition.items) {
        const auto slash = item.text.find('/');
        const std::string_view text = item.text;
        if (slash != text.npos && in_mask)
            return error(item.where, "a second '/' in the flags", "expected flags/mask, for example syn/syn,ack");
        (in_mask ? result.mask : result.value) |= flag_bits(text.substr(0, slash));
        if (slash != text.npos) {
            in_mask = true;
            result.mask |= flag_bits(text.substr(slash + 1));
        }
    }
    if (!in_mask)
        result.mask = kHandshake | result.value;
    if (result.mask == 0)
        return error(condition.values_where, "an empty mask fits every segment", "leave 'flags' out, or write tcp");
    if ((result.value & ~result.mask) != 0)
        return error(condition.values_where, fmt::format("{} can never hold", written(condition)),
                     "every flag must be in the mask behind the '/'");
    rule_.match.flags = result;
}

void Lowering::protocol_word(const Condition &condition) {
    const auto number = static_cast<std::uint8_t>(condition.word->id - word::protocol);
    rule_.match.proto = OneOf<std::uint8_t>{.negated = false, .any_of = {number}, .set = {}};
    if (number == 1)
        rule_.match.ip = Family::v4;
    if (number == 58)
        rule_.match.ip = Family::v6;
}

void Lowering::match(const Condition &condition) {
    Match &m = rule_.match;
    const auto choice = [&](std::uint64_t otherwise) {
        return condition.items.empty() ? otherwise : number(condition.items.front());
    };
    if (condition.word->id >= word::protocol)
        return protocol_word(condition);
    switch (condition.word->id) {
    case word::in:
    case word::out:
        m.direction = condition.word->id == word::in ? Direction::in : Direction::out;
        break;
    case word::ip:
    case word::ipv6:
        m.ip = condition.word->id == word::ip ? Family::v4 : Family::v6;
        break;
    case word::arp:
        m.ethertype = OneOf<std::uint16_t>{.negated = false, .any_of = {0x0806}, .set = {}};
        break;
    case word::proto:
        m.proto = numbers<std::uint8_t>(condition);
        break;
    case word::src:
        return prefixes(condition, m.src);
    case word::dst:
        return prefixes(condition, m.dst);
    case word::sport:
        m.sport = ranges<std::uint16_t>(condition, SetType::port);
        break;
    case word::dport:
        m.dport = ranges<std::uint16_t>(condition, SetType::port);
        break;
    case word::flags:
        return flags(condition);
    case word::ethertype:
        m.ethertype = numbers<std::uint16_t>(condition);
        break;
    case word::vlan:
        return vlan(condition);
    case word::inner_vlan:
        m.inner_vlan = numbers<std::uint16_t>(condition);
        break;
    case word::mac_src:
        m.src_mac = macs(condition);
        break;
    case word::mac_dst:
        m.dst_mac = macs(condition);
        break;
    case word::ttl:
        m.ttl = ranges<std::uint8_t>(condition, SetType::port);
        break;
    case word::dscp:
        m.dscp = numbers<std::uint8_t>(condition);
        break;
    case word::length:
        m.length = ranges<std::uint32_t>(condition, SetType::port);
        break;
    case word::fragment: {
        const std::uint64_t which = choice(~0ull);
        m.fragment = which == kFirst   ? Fragment::first
                     : which == kLater ? Fragment::later
                     : which == kNone  ? Fragment::none
                                       : Fragment::any;
        break;
    }
    case word::options:
        m.options = choice(1) != kNone;
        break;
    case word::malformed:
        m.malformed = choice(1) != kNone;
        break;
    case word::device:
        m.device = texts(condition);
        break;
    case word::cgroup:
        m.cgroup = texts(condition);
        break;
    case word::process:
        m.process = texts(condition);
        break;
    case word::user:
        m.user = users(condition);
        break;
    default: // type and code: icmp() knows their names
        break;
    }
}

} // namespace beeline::policy
