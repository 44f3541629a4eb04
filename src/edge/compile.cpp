// SPDX-License-Identifier: Apache-2.0
//
// Policy to tables. A rule becomes the cross product of its alternatives: one entry for every combination of values
// that cannot be said by one masked compare.
#include <beeline/edge/tables.hpp>

#include <algorithm>
#include <cstring>
#include <set>

namespace beeline::edge {
namespace {

constexpr std::uint64_t kDscp = std::uint64_t{0x3f} << BL_FACT_DSCP_SHIFT;

/// Gives the smallest free number below limit to a name that has none.
Result<std::uint32_t> slot_for(const std::string &name, const std::map<std::string, std::uint32_t> &before,
                               std::map<std::string, std::uint32_t> &now, std::uint32_t limit, const char *what) {
    if (const auto known = now.find(name); known != now.end())
        return known->second;
    if (const auto known = before.find(name); known != before.end())
        return now[name] = known->second;
    std::set<std::uint32_t> used;
    for (const auto &[other, slot] : before)
        used.insert(slot);
    for (const auto &[other, slot] : now)
        used.insert(slot);
    for (std::uint32_t slot = 0; slot < limit; ++slot)
        if (!used.contains(slot))
            return now[name] = slot;
    return fail(Kind::config, 0, std::string("no free ") + what + " for '" + name + "'",
                "at most " + std::to_string(limit));
}

std::uint32_t rewrite_flags(const Rewrite &rewrite) {
    std::uint32_t flags = 0;
    const auto set = [&flags](bool there, std::uint32_t flag) { flags |= there ? flag : 0; };
    set(rewrite.src.has_value(), BL_RULE_REWRITE_SRC);
    set(rewrite.dst.has_value(), BL_RULE_REWRITE_DST);
    set(rewrite.sport.has_value(), BL_RULE_REWRITE_SPORT);
    set(rewrite.dport.has_value(), BL_RULE_REWRITE_DPORT);
    set(rewrite.dscp.has_value(), BL_RULE_REWRITE_DSCP);
    set(rewrite.ttl.has_value(), BL_RULE_REWRITE_TTL);
    set(rewrite.src_mac.has_value(), BL_RULE_REWRITE_SRC_MAC);
    set(rewrite.dst_mac.has_value(), BL_RULE_REWRITE_DST_MAC);
    return flags;
}

void put_address(const Prefix &prefix, __be32 &four, __u32 (&six)[4]) {
    if (prefix.family == Family::v4)
        std::memcpy(&four, prefix.address.data(), sizeof four);
    else
        std::memcpy(six, prefix.address.data(), sizeof six);
}

void put_rewrite(const Rewrite &rewrite, bl_edge_rule &rule) {
    rule.flags |= rewrite_flags(rewrite);
    if (rewrite.src)
        put_address(*rewrite.src, rule.src4, rule.src6);
    if (rewrite.dst)
        put_address(*rewrite.dst, rule.dst4, rule.dst6);
    rule.sport = __builtin_bswap16(rewrite.sport.value_or(0));
    rule.dport = __builtin_bswap16(rewrite.dport.value_or(0));
    rule.dscp = rewrite.dscp.value_or(0);
    rule.ttl = rewrite.ttl.value_or(0);
    if (rewrite.src_mac)
        std::copy(rewrite.src_mac->begin(), rewrite.src_mac->end(), rule.src_mac);
    if (rewrite.dst_mac)
        std::copy(rewrite.dst_mac->begin(), rewrite.dst_mac->end(), rule.dst_mac);
}

void put_rate(const Rate &rate, bl_edge_rule &rule) {
    const auto period_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(rate.period).count());
    const std::uint64_t per_second = rate.packets / static_cast<std::uint64_t>(rate.period.count());
    const std::uint64_t burst = rate.burst != 0 ? rate.burst : std::max<std::uint64_t>(1, per_second / 10);
    rule.flags |= BL_RULE_RATE | (rate.key == RateKey::src ? BL_RULE_RATE_PER_SRC : 0);
    rule.rate_step = (period_ns << BL_RATE_UNITS_PER_NS_SHIFT) / rate.packets;
    rule.rate_depth = rule.rate_step * burst;
}

std::uint32_t number(Verdict verdict) {
    switch (verdict) {
    case Verdict::pass:
        return BL_EDGE_PASS;
    case Verdict::drop:
        return BL_EDGE_DROP;
    case Verdict::abort:
        return BL_EDGE_ABORT;
    case Verdict::tx:
        return BL_EDGE_TX;
    case Verdict::redirect:
        return BL_EDGE_REDIRECT;
    case Verdict::cpu:
        return BL_EDGE_CPU;
    case Verdict::xsk:
        return BL_EDGE_XSK;
    case Verdict::accelerate:
    case Verdict::tcp:
        break; // no words of the edge
    }
    std::abort();
}

class Compiler {
public:
    explicit Compiler(const Binding &binding) : binding_(binding) {}

    Result<Tables> run(const Policy &policy) {
        if (policy.rules.size() > BL_EDGE_MAX_RULES)
            return fail(Kind::config, 0, "the policy has " + std::to_string(policy.rules.size()) + " rules",
                        "at most " + std::to_string(BL_EDGE_MAX_RULES));
        BL_TRY(tables_.sets, policy::set_tables(policy.sets, BL_EDGE_MAX_SETS));
        const std::vector<std::string> names = identities(policy.rules);
        for (std::size_t i = 0; i < policy.rules.size(); ++i) {
            if (auto done = add(policy.rules[i], names[i]); !done)
                return std::unexpected(std::move(done).error().within("rule " + std::to_string(i + 1) + " '" +
                                                                      policy.rules[i].text + "'"));
        }
        finish();
        return std::move(tables_);
    }

private:
    Result<> add(const Rule &rule, const std::string &identity) {
        bl_edge_rule row{};
        row.verdict = number(rule.action.verdict);
        tables_.config.verdicts |= 1U << row.verdict;
        put_rewrite(rule.action.rewrite, row);
        if (rule.rate)
            put_rate(*rule.rate, row);
        if (rule.action.log_every != 0) {
            row.flags |= BL_RULE_LOG;
            row.log_every = rule.action.log_every;
        }
        BL_TRY(row.target, target(rule.action));
        BL_TRY(row.counter,
               slot_for(identity, binding_.counters, tables_.counters, BL_EDGE_MAX_COUNTERS, "counter slot"));
        BL_TRY(const std::vector<policy::Expanded> expanded,
               policy::expand(rule, {tables_.sets, binding_.ifindex, BL_EDGE_MAX_ENTRIES}));
        if (tables_.entries.size() + expanded.size() > BL_EDGE_MAX_ENTRIES)
            return fail(Kind::config, 0,
                        "the rules become more than " + std::to_string(BL_EDGE_MAX_ENTRIES) + " entries",
                        "use a set instead of long lists and port lists in several fields");
        for (const policy::Expanded &one : expanded) {
            bl_entry entry = one.entry;
            entry.rule = static_cast<std::uint16_t>(tables_.rules.size());
            entry.rule_flags = row.flags;
            entry.verdict = row.verdict;
            entry.counter = row.counter;
            entry.extra = static_cast<std::uint16_t>(tables_.extras.size());
            if (entry.extra_flags != 0)
                tables_.extras.push_back(one.extra);
            else
                entry.extra = 0;
            tables_.config.entry_flags |= entry.extra_flags;
            tables_.config.needs |= (entry.addr4_mask != 0 ? BL_NEEDS_ADDR4 : 0) |
                                    (entry.sport_span != 0xffff ? BL_NEEDS_SPORT : 0) |
                                    ((entry.facts_mask & kDscp) != 0 ? BL_NEEDS_DSCP : 0);
            tables_.entries.push_back(entry);
        }
        tables_.config.rule_flags |= row.flags;
        tables_.rules.push_back(row);
        tables_.texts.push_back(rule.text);
        return {};
    }

    Result<std::uint32_t> target(const Action &action) {
        switch (action.verdict) {
        case Verdict::redirect: {
            BL_TRY(const std::uint32_t ifindex, binding_.ifindex(action.target));
            const auto known = std::find(tables_.redirects.begin(), tables_.redirects.end(), ifindex);
            if (known != tables_.redirects.end())
                return static_cast<std::uint32_t>(known - tables_.redirects.begin());
            if (tables_.redirects.size() == BL_EDGE_MAX_DEVICES)
                return fail(Kind::config, 0, "more than " + std::to_string(BL_EDGE_MAX_DEVICES) + " redirect targets");
            tables_.redirects.push_back(ifindex);
            return static_cast<std::uint32_t>(tables_.redirects.size() - 1);
        }
        case Verdict::cpu:
            if (std::find(tables_.cpus.begin(), tables_.cpus.end(), action.cpu) == tables_.cpus.end())
                tables_.cpus.push_back(action.cpu);
            return action.cpu;
        case Verdict::xsk: {
            BL_TRY(const std::uint32_t slot,
                   slot_for(action.target, binding_.xsks, tables_.xsks, BL_EDGE_XSK_NAMES, "xsk name"));
            return slot * BL_EDGE_XSK_QUEUES;
        }
        default:
            return 0U;
        }
    }

    void finish() {
        tables_.config.entries = static_cast<std::uint32_t>(tables_.entries.size());
        tables_.config.rules = static_cast<std::uint32_t>(tables_.rules.size());
        tables_.config.generation = binding_.generation;
        constexpr std::uint32_t kPlain = 1U << BL_EDGE_PASS | 1U << BL_EDGE_DROP | 1U << BL_EDGE_ABORT;
        if (tables_.config.entry_flags != 0 || tables_.config.rule_flags != 0 ||
            (tables_.config.verdicts & ~kPlain) != 0)
            tables_.config.needs |= BL_NEEDS_PACKET;
        if (tables_.config.entry_flags != 0)
            tables_.config.needs |= BL_NEEDS_EXTRAS;
        if ((tables_.config.rule_flags & BL_RULE_RATE) != 0)
            tables_.config.needs |= BL_NEEDS_RATES;
        if ((tables_.config.rule_flags & BL_RULE_LOG) != 0)
            tables_.config.needs |= BL_NEEDS_LOGS;
        if (tables_.config.entries > BL_EDGE_NEAR_ENTRIES)
            tables_.config.needs |= BL_NEEDS_FAR_SCAN | BL_NEEDS_PACKET;
        if ((tables_.config.entry_flags & BL_EXTRA_LENGTH) != 0 || (tables_.config.rule_flags & BL_RULE_LOG) != 0)
            tables_.config.needs |= BL_NEEDS_LENGTH;
    }

    const Binding &binding_;
    Tables tables_;
};

} // namespace

Result<Tables> compile(const Policy &policy, const Binding &binding) {
    return Compiler(binding).run(policy);
}

} // namespace beeline::edge
