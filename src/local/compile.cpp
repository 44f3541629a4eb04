// SPDX-License-Identifier: Apache-2.0
//
// Rules to rows: each of a rule's entries with each of its cgroups, processes and ranges of users.
#include <beeline/local/tables.hpp>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <beeline/kernel/cgroup.hpp>
#include <beeline/policy/ranges.hpp>
#include <beeline/policy/words.hpp>

namespace beeline::local {
namespace {

using policy::Rule;
using policy::Verdict;
using Rows = std::vector<bl_local_row>;

Result<std::pair<std::uint64_t, std::uint32_t>> find_cgroup(const std::string &path) {
    BL_TRY(const kernel::Cgroup cgroup, kernel::Cgroup::open(path));
    BL_TRY(const std::uint64_t id, cgroup.id());
    const auto names = path == "/" ? 0 : std::count(path.begin(), path.end(), '/');
    return std::pair(id, static_cast<std::uint32_t>(names));
}

Error too_many() {
    return {Kind::config, 0, fmt::format("becomes more than {} table entries", BL_LOCAL_MAX_ROWS),
            "use a set for the longest list"};
}

/// Every row times every alternative; f(row, alternative) writes it in.
template <class T, class F>
Result<> times(Rows &rows, const std::vector<T> &alternatives, F &&f) {
    if (rows.size() * alternatives.size() > BL_LOCAL_MAX_ROWS)
        return std::unexpected(too_many());
    Rows product;
    for (const bl_local_row &row : rows)
        for (const T &alternative : alternatives) {
            product.push_back(row);
            f(product.back(), alternative);
        }
    rows = std::move(product);
    return {};
}

class Compiler {
public:
    explicit Compiler(const Binding &binding) : binding_(binding) {}

    Result<Tables> run(const Policy &policy) {
        if (policy.rules.size() > BL_LOCAL_MAX_RULES)
            return fail(Kind::config, 0, fmt::format("{} rules", policy.rules.size()),
                        fmt::format("at most {}", BL_LOCAL_MAX_RULES));
        BL_TRY(tables_.sets, policy::set_tables(policy.sets, BL_LOCAL_MAX_SETS));
        std::vector<std::string> names = policy::identities(policy.rules);
        for (std::size_t i = 0; i < policy.rules.size(); ++i)
            if (auto done = add(policy.rules[i], std::move(names[i]), i + 1 == policy.rules.size()); !done)
                return std::unexpected(
                    std::move(done).error().within(fmt::format("rule {} '{}'", i + 1, policy.rules[i].text)));
        return std::move(tables_);
    }

private:
    Result<> add(const Rule &rule, std::string identity, bool fallback) {
        static const std::function<Result<std::uint32_t>(const std::string &)> no_devices =
            [](const std::string &name) -> Result<std::uint32_t> {
            return fail(Kind::config, 0, "the device '" + name + "' in a rule of [local]");
        };
        std::uint32_t counter = static_cast<std::uint32_t>(tables_.rules.size()) + 1;
        if (binding_.counter) {
            BL_TRY(counter, binding_.counter(identity));
        }
        BL_TRY(const std::vector<policy::Expanded> entries,
               policy::expand(rule, {tables_.sets, no_devices, BL_LOCAL_MAX_ROWS}));
        bl_local_row blank{};
        blank.flags = fallback ? BL_LOCAL_FALLBACK : 0;
        Rows rows{blank};
        BL_CHECK(times(rows, entries, [&](bl_local_row &row, const policy::Expanded &one) {
            row.entry = one.entry;
            row.extra = one.extra;
            row.entry.rule = static_cast<std::uint16_t>(tables_.rules.size());
            row.entry.verdict = rule.action.verdict == Verdict::accelerate ? BL_LOCAL_ACCELERATE : BL_LOCAL_TCP;
            row.entry.counter = counter;
        }));
        BL_CHECK(cgroups(rows, rule.match.cgroup));
        BL_CHECK(processes(rows, rule.match.process));
        BL_CHECK(users(rows, rule.match.user));
        if (tables_.rows.size() + rows.size() > BL_LOCAL_MAX_ROWS)
            return fail(Kind::config, 0, fmt::format("the rules become more than {} table entries", BL_LOCAL_MAX_ROWS),
                        "use sets instead of long lists in several fields");
        tables_.rows.insert(tables_.rows.end(), rows.begin(), rows.end());
        tables_.rules.push_back(
            {.text = rule.text, .identity = std::move(identity), .line = rule.where.line, .counter = counter});
        return {};
    }

    Result<> cgroups(Rows &rows, const std::optional<policy::OneOf<std::string>> &condition) {
        if (!condition)
            return {};
        BL_CHECK(one_if_negated(*condition, "cgroups"));
        std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
        for (const std::string &path : condition->any_of) {
            BL_TRY(const auto cgroup, binding_.cgroup ? binding_.cgroup(path) : find_cgroup(path));
            tables_.cgroups[path] = cgroup.first;
            found.push_back(cgroup);
        }
        return times(rows, found, [&](bl_local_row &row, const auto &cgroup) {
            std::tie(row.cgroup, row.level) = cgroup;
            row.flags |= BL_LOCAL_CGROUP | (condition->negated ? BL_LOCAL_NOT_CGROUP : 0);
        });
    }

    Result<> processes(Rows &rows, const std::optional<policy::OneOf<std::string>> &condition) {
        if (!condition)
            return {};
        BL_CHECK(one_if_negated(*condition, "processes"));
        return times(rows, condition->any_of, [&](bl_local_row &row, const std::string &name) {
            name.copy(row.comm, sizeof row.comm - 1);
            row.flags |= BL_LOCAL_PROCESS | (condition->negated ? BL_LOCAL_NOT_PROCESS : 0);
        });
    }

    /// One range may be negated in its row; "none of several" is the ranges between them.
    static Result<> users(Rows &rows, const std::optional<policy::OneOf<policy::Range<std::uint32_t>>> &condition) {
        if (!condition)
            return {};
        const bool negate = condition->negated && condition->any_of.size() == 1;
        const auto ranges = negate ? condition->any_of : policy::ranges_of(*condition, policy::kMaxUser);
        return times(rows, ranges, [&](bl_local_row &row, const policy::Range<std::uint32_t> &range) {
            row.uid_low = range.low;
            row.uid_high = range.high;
            row.flags |= BL_LOCAL_USER | (negate ? BL_LOCAL_NOT_USER : 0);
        });
    }

    /// A row says "not this one", and rows are alternatives: there is no "none of these".
    static Result<> one_if_negated(const policy::OneOf<std::string> &condition, std::string_view what) {
        if (!condition.negated || condition.any_of.size() == 1)
            return {};
        return fail(Kind::config, 0, fmt::format("a negated list of {}", what),
                    "put a rule with the list, not negated, before this one");
    }

    const Binding &binding_;
    Tables tables_;
};

} // namespace

Result<Tables> compile(const Policy &policy, const Binding &binding) {
    return Compiler(binding).run(policy);
}

} // namespace beeline::local
