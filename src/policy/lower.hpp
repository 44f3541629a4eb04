// SPDX-License-Identifier: Apache-2.0
//
// From the tree of one rule to Rule: what its words mean, and whether they make sense together.
// lower_match.cpp fills the match, lower_checks.cpp looks at the conditions together, lower_action.cpp does the rest.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <beeline/policy/parse.hpp>
#include <beeline/rules/parser.hpp>

namespace beeline::policy {

/// Longer lists of prefixes or MAC addresses become sets of their own: one lookup instead of one table entry for each.
inline constexpr std::size_t kMaxLiterals = 8;

class Lowering {
public:
    /// made: the sets made of literal lists so far; more are added, named by their number.
    Lowering(const rules::SourceString &source, const rules::RuleTree &tree, std::span<const Set> named,
             std::vector<Set> &made, rules::Diagnostics &diagnostics)
        : source_(source), tree_(tree), named_(named), made_(made), diagnostics_(diagnostics) {}

    /// Nothing, with diagnostics, when the rule makes no sense.
    [[nodiscard]] std::optional<Rule> rule();

private:
    /// The kinds of packets a condition leaves, as bits.
    struct Families {
        bool v4 = true, v6 = true, other = true;
        [[nodiscard]] bool none() const { return !v4 && !v6 && !other; }
        [[nodiscard]] Families with(const Families &o) const { return {v4 && o.v4, v6 && o.v6, other && o.other}; }
        [[nodiscard]] std::string_view name() const;
    };

    void error(rules::Extent where, std::string message, std::string hint = {});
    [[nodiscard]] const rules::Condition *condition(std::uint16_t id) const;
    /// The text of a condition with its values, to be named in a message.
    [[nodiscard]] std::string written(const rules::Condition &condition) const;

    // lower_match.cpp
    void match(const rules::Condition &condition);
    void protocol_word(const rules::Condition &condition);
    void prefixes(const rules::Condition &condition, std::optional<OneOf<Prefix>> &field);
    void vlan(const rules::Condition &condition);
    void flags(const rules::Condition &condition);
    std::string set_of(const rules::Condition &condition, SetType type);
    template <class T>
    OneOf<T> numbers(const rules::Condition &condition) const;
    template <class T>
    OneOf<Range<T>> ranges(const rules::Condition &condition, SetType type);
    OneOf<Mac> macs(const rules::Condition &condition);
    [[nodiscard]] static OneOf<std::string> texts(const rules::Condition &condition);
    OneOf<Range<std::uint32_t>> users(const rules::Condition &condition);

    // lower_checks.cpp
    void check();
    void check_families();
    [[nodiscard]] Families families(const rules::Condition &condition) const;
    void check_ports();
    void check_tcp_flags();
    void icmp();
    std::optional<OneOf<std::uint8_t>> icmp_values(const rules::Condition &condition,
                                                   std::span<const rules::NamedNumber> names, std::string_view what,
                                                   std::string_view otherwise);
    void check_vlans();
    void check_fragment();
    void check_room();
    [[nodiscard]] std::optional<std::vector<std::uint8_t>> only_protocols() const;

    // lower_action.cpp
    void rate();
    void actions();
    void verdict(const rules::ActionClause &clause);
    void rewrite(const rules::ActionClause &clause);
    void new_addresses(const rules::ActionClause &clause);
    void check_rewrite(const rules::ActionClause &clause);
    [[nodiscard]] bool names_l4() const;

    const rules::SourceString &source_;
    const rules::RuleTree &tree_;
    std::span<const Set> named_;
    std::vector<Set> &made_;
    rules::Diagnostics &diagnostics_;
    Rule rule_;
    Families left_; ///< By all conditions.
    std::size_t errors_ = 0;
};

/// The values of both libraries' prefixes are laid out alike.
[[nodiscard]] Prefix to_policy(const rules::Prefix &prefix);

/// A user's number, or a range of numbers; a name is looked up on this host.
[[nodiscard]] Result<rules::Interval> read_user(const std::string &text);

/// Adds warnings for rules that can never match: their conditions exclude each other, or an earlier rule takes all
/// that they could. sources are the texts of the first rules (all but a fallback that was not written); sets are all
/// sets, anonymous ones included.
void warn_unreachable(const std::vector<Rule> &rules, std::span<const rules::SourceString *const> sources,
                      std::span<const Set> sets, rules::Diagnostics &diagnostics);

} // namespace beeline::policy
