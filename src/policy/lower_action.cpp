// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

namespace {

using rules::ActionClause;
using rules::Argument;

/// A bucket that takes longer to fill was not meant; it also keeps bucket depths far inside 64 bits of 1/64 ns.
constexpr std::uint64_t kMaxFillSeconds = 30ull * 24 * 3600;

std::uint64_t number(const Argument &argument) {
    return std::get<rules::Interval>(argument.item.value).low;
}

Verdict verdict_of(std::uint16_t id) {
    switch (id) {
    case action::drop:
        return Verdict::drop;
    case action::abort:
        return Verdict::abort;
    case action::tx:
        return Verdict::tx;
    case action::redirect:
        return Verdict::redirect;
    case action::cpu:
        return Verdict::cpu;
    case action::xsk:
        return Verdict::xsk;
    case action::accelerate:
        return Verdict::accelerate;
    case action::tcp:
        return Verdict::tcp;
    default:
        return Verdict::pass;
    }
}

} // namespace

void Lowering::rate() {
    if (!tree_.rate)
        return;
    const rules::RateClause &clause = *tree_.rate;
    Rate rate{.packets = clause.packets, .period = std::chrono::seconds(clause.period_seconds)};
    rate.burst =
        clause.burst != 0 ? clause.burst : std::max<std::uint64_t>(1, clause.packets / clause.period_seconds / 10);
    rate.key = clause.key == "src" ? RateKey::src : RateKey::all;
    if (rate.burst * clause.period_seconds / clause.packets > kMaxFillSeconds)
        return error(clause.where,
                     fmt::format("a burst of {} takes more than 30 days to fill at this rate", rate.burst), "lower it");
    if (rate.key == RateKey::src && !left_.v4 && !left_.v6)
        return error(clause.where, "'per src' in a rule that is not IP", "count all its packets: leave out 'per src'");
    rule_.rate = rate;
}

void Lowering::verdict(const ActionClause &clause) {
    rule_.action.verdict = verdict_of(clause.word->id);
    for (const Argument &argument : clause.arguments) {
        if (rule_.action.verdict == Verdict::cpu)
            rule_.action.cpu = static_cast<std::uint32_t>(number(argument));
        else
            rule_.action.target = argument.item.text;
    }
}

void Lowering::rewrite(const ActionClause &clause) {
    Rewrite &r = rule_.action.rewrite;
    for (const Argument &argument : clause.arguments) {
        switch (argument.parameter->id) {
        case parameter::src:
            r.src = to_policy(std::get<rules::Prefix>(argument.item.value));
            break;
        case parameter::dst:
            r.dst = to_policy(std::get<rules::Prefix>(argument.item.value));
            break;
        case parameter::sport:
            r.sport = static_cast<std::uint16_t>(number(argument));
            break;
        case parameter::dport:
            r.dport = static_cast<std::uint16_t>(number(argument));
            break;
        case parameter::dscp:
            r.dscp = static_cast<std::uint8_t>(number(argument));
            break;
        case parameter::ttl:
            r.ttl = static_cast<std::uint8_t>(number(argument));
            break;
        case parameter::mac_src:
            r.src_mac = std::get<Mac>(argument.item.value);
            break;
        default:
            r.dst_mac = std::get<Mac>(argument.item.value);
            break;
        }
    }
    new_addresses(clause);
    check_rewrite(clause);
}

/// New addresses limit the rule to their family.
void Lowering::new_addresses(const ActionClause &clause) {
    for (const Argument &argument : clause.arguments) {
        if (argument.parameter->id != parameter::src && argument.parameter->id != parameter::dst)
            continue;
        const bool v6 = std::get<rules::Prefix>(argument.item.value).v6;
        const std::string_view name = v6 ? "IPv6" : "IPv4";
        if (tree_.fallback)
            return error(argument.where, "the fallback cannot rewrite addresses",
                         fmt::format("it is for every packet; write a rule: {} -> rewrite ...", v6 ? "ipv6" : "ip"));
        if (v6 ? !left_.v6 : !left_.v4)
            return error(
                argument.item.where,
                fmt::format("{} is {}, but the rule is {}", rules::in_quotes(argument.item.text), name, left_.name()),
                "addresses keep their family");
        left_ = left_.with({!v6, v6, false});
        rule_.match.ip = v6 ? Family::v6 : Family::v4;
    }
}

void Lowering::check_rewrite(const ActionClause &clause) {
    const Rewrite &r = rule_.action.rewrite;
    const auto only = only_protocols();
    for (const Argument &argument : clause.arguments) {
        const std::string_view field = argument.parameter->keyword;
        if (argument.parameter->id == parameter::sport || argument.parameter->id == parameter::dport) {
            const auto fits = [](std::uint8_t protocol) { return protocol == 6 || protocol == 17; };
            if (only && std::find(only->begin(), only->end(), 132) != only->end())
                return error(argument.where,
                             fmt::format("'rewrite {}' is not for sctp: its CRC32c covers the whole packet", field),
                             "ports are rewritten in tcp and udp");
            if (!only || only->empty() || !std::all_of(only->begin(), only->end(), fits))
                return error(argument.where, fmt::format("'rewrite {}' needs tcp or udp before '->'", field),
                             "ports are rewritten in tcp and udp");
        }
        if ((argument.parameter->id == parameter::dscp || argument.parameter->id == parameter::ttl) && !left_.v4 &&
            !left_.v6)
            return error(argument.where, fmt::format("'rewrite {}' in a rule that is not IP", field));
    }
    // The L4 header is in the first fragment only: rewriting one fragment and not the others breaks the datagram.
    if (!names_l4() && !r.sport && !r.dport)
        return;
    if (rule_.match.fragment && rule_.match.fragment != Fragment::none)
        return error(condition(word::fragment)->where, "fragments cannot be rewritten by ports, flags or types",
                     "leave out 'fragment', or match and rewrite addresses alone");
    rule_.match.fragment = Fragment::none;
}

void Lowering::actions() {
    for (const ActionClause &clause : tree_.actions) {
        if (clause.word->id == action::log)
            rule_.action.log_every =
                clause.arguments.empty() ? 1 : static_cast<std::uint32_t>(number(clause.arguments.front()));
        else if (clause.word->id == action::rewrite)
            rewrite(clause);
        else
            verdict(clause);
    }
    const Verdict verdict = rule_.action.verdict;
    if (rule_.action.rewrite.any() && verdict != Verdict::pass && verdict != Verdict::tx &&
        verdict != Verdict::redirect) {
        const ActionClause &last = tree_.actions.back();
        error(last.where, fmt::format("'rewrite' before '{}'", last.word->name), "it goes with pass, tx or redirect");
    }
}

std::optional<Rule> Lowering::rule() {
    // By word, not as written: sets made of lists are numbered, and equal rules must get equal numbers.
    std::vector<const rules::Condition *> ordered;
    for (const rules::Condition &condition : tree_.conditions)
        ordered.push_back(&condition);
    std::sort(ordered.begin(), ordered.end(), [](auto *a, auto *b) { return a->word->id < b->word->id; });
    for (const rules::Condition *condition : ordered)
        match(*condition);
    check();
    rate();
    actions();
    if (errors_ != 0)
        return std::nullopt;
    rule_.text = rules::folded(source_.text());
    const std::size_t length = source_.text().size() - tree_.start.offset;
    rule_.where = source_.span(tree_.start.offset, length);
    return std::move(rule_);
}

} // namespace beeline::policy
