// SPDX-License-Identifier: Apache-2.0
//
// Rules: from text to meaning and back to their normal form, for every part. docs/rules.md is the description.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/policy/rule.hpp>
#include <beeline/result.hpp>
#include <beeline/rules/source_string.hpp>
#include <beeline/rules/vocabulary.hpp>

namespace beeline::policy {

/// What differs from part to part.
struct Language {
    const rules::Vocabulary &vocabulary; ///< Its words are those of <beeline/policy/words.hpp>.
    std::size_t max_rules;               ///< Of one policy, the fallback included.
    std::string_view fallback;           ///< The rule that ends a list without one: "fallback -> pass".
};

/// What parse_rules() makes. The rules end with a fallback (the language's when none was written). sets are those that
/// were made of long literal lists, named "$1", "$2"…: they belong into the policy's sets behind the named ones.
struct ParsedRules {
    std::vector<Rule> rules;
    std::vector<Set> sets;
};

/// Rules in their order. sets are the named ones; only names and types are looked at. Errors and warnings are added to
/// diagnostics; a rule with an error is missing in the result, so look for errors before using it.
[[nodiscard]] ParsedRules parse_rules(std::span<const rules::SourceString> sources, const Language &language,
                                      std::span<const Set> sets, rules::Diagnostics &diagnostics);

/// The normal form of a rule: parses back to an equal match, rate and action (unless names make it longer than
/// rules::kMaxRuleBytes). sets must hold the rule's "$N" sets,
/// which are written as lists again.
[[nodiscard]] std::string to_text(const Rule &rule, std::span<const Set> sets = {});
[[nodiscard]] std::string to_text(const Match &match, std::span<const Set> sets = {});
[[nodiscard]] std::string to_text(const Rate &rate);
[[nodiscard]] std::string to_text(const Action &action);
[[nodiscard]] std::string to_text(const Prefix &prefix);
[[nodiscard]] std::string to_text(const Mac &mac);

/// What is wrong with the name of a device (whether there is one, the host says).
[[nodiscard]] Result<> check_device(std::string_view name);

/// What is wrong with the path of a cgroup below the mount of its hierarchy (whether there is one, the host says).
[[nodiscard]] Result<> check_cgroup(std::string_view path);

/// One entry of a set, as config files and `set add` write it: adds it to set, or says what is wrong with the text.
[[nodiscard]] Result<> add_entry(Set &set, std::string_view text);
/// Sorts the entries and removes the repeated ones; ports that overlap or touch become one range.
void normalise(Set &set);
/// "prefix", "port", "mac".
[[nodiscard]] std::string_view to_text(SetType type);

} // namespace beeline::policy
