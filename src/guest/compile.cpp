// SPDX-License-Identifier: Apache-2.0
//
// A guest's rules to rows: each rule's entries go into the table of its direction, or into both.
#include <beeline/guest/tables.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace beeline::guest {
namespace {

using policy::Direction;
using policy::Rule;

class Compiler {
public:
    explicit Compiler(const Binding &binding) : binding_(binding) {}

    Result<Tables> run(const Policy &policy) {
        if (policy.rules.size() > BL_GUEST_MAX_RULES)
            return fail(Kind::config, 0, fmt::format("{} rules", policy.rules.size()),
                        fmt::format("at most {}", BL_GUEST_MAX_RULES));
        BL_CHECK(sets(policy.sets));
        std::vector<std::string> names = policy::identities(policy.rules);
        for (std::size_t i = 0; i < policy.rules.size(); ++i)
            if (auto done = add(policy.rules[i], std::move(names[i])); !done)
                return std::unexpected(
                    std::move(done).error().within(fmt::format("rule {} '{}'", i + 1, policy.rules[i].text)));
        const auto passes = [](const Rule &rule) {
            return rule.action.verdict == policy::Verdict::pass && rule.action.log_every == 0;
        };
        tables_.open = policy.publish.empty() && std::all_of(policy.rules.begin(), policy.rules.end(), passes);
        return std::move(tables_);
    }

private:
    Result<> sets(const std::vector<policy::Set> &all) {
        BL_TRY(tables_.sets, policy::set_tables(all, BL_SET_NONE));
        if (!binding_.set)
            return {};
        for (std::size_t i = 0; i < all.size(); ++i) {
            BL_TRY(const std::uint32_t index, binding_.set(all[i]));
            if (index >= BL_SET_NONE)
                return fail(
                    Kind::config, 0, fmt::format("the set '{}' has number {}", all[i].name, index),
                    fmt::format("guests have at most {} sets, those of long lists in rules included", BL_SET_NONE));
            tables_.sets[i] = policy::set_table(all[i], index);
        }
        return {};
    }

    Result<> add(const Rule &rule, std::string identity) {
        static const std::function<Result<std::uint32_t>(const std::string &)> no_devices =
            [](const std::string &name) -> Result<std::uint32_t> {
            return fail(Kind::config, 0, "the device '" + name + "' in a guest's rule");
        };
        std::uint32_t counter = static_cast<std::uint32_t>(tables_.rules.size()) + 1;
        if (binding_.counter) {
            BL_TRY(counter, binding_.counter(identity));
        }
        BL_TRY(const std::vector<policy::Expanded> expanded,
               policy::expand(rule, {tables_.sets, no_devices, BL_GUEST_MAX_ROWS}));
        for (const policy::Expanded &one : expanded) {
            bl_guest_row row{.entry = one.entry, .extra = one.extra};
            row.entry.rule = static_cast<std::uint16_t>(tables_.rules.size());
            row.entry.verdict = rule.action.verdict == policy::Verdict::drop ? BL_GUEST_DROP : BL_GUEST_PASS;
            row.entry.rule_flags = rule.action.log_every != 0 ? BL_GUEST_LOG : 0;
            row.entry.log_every = rule.action.log_every;
            row.entry.counter = counter;
            if (rule.match.direction != Direction::out)
                tables_.in.push_back(row);
            if (rule.match.direction != Direction::in)
                tables_.out.push_back(row);
        }
        if (std::max(tables_.in.size(), tables_.out.size()) > BL_GUEST_MAX_ROWS)
            return fail(Kind::config, 0,
                        fmt::format("the rules become more than {} entries of one direction", BL_GUEST_MAX_ROWS),
                        "use a set instead of long lists and port lists in several fields");
        tables_.rules.push_back({.text = rule.text, .identity = std::move(identity), .counter = counter});
        return {};
    }

    const Binding &binding_;
    Tables tables_;
};

} // namespace

Result<Tables> compile(const Policy &policy, const Binding &binding) {
    return Compiler(binding).run(policy);
}

} // namespace beeline::guest
