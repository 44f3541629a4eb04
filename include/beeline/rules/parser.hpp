// SPDX-License-Identifier: Apache-2.0
//
// Text to tree, for every part. docs/rules.md has the grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <beeline/rules/source_string.hpp>
#include <beeline/rules/vocabulary.hpp>

namespace beeline::rules {

/// Bounds of what is accepted, so that no file can make the parser slow.
inline constexpr std::size_t kMaxRuleBytes = 16384;
inline constexpr std::size_t kMaxListItems = 1024;
inline constexpr std::uint64_t kMaxRatePerSecond = 10'000'000;
inline constexpr std::uint64_t kMaxBurst = 10'000'000;
/// Errors of one rule that are worth telling.
inline constexpr std::size_t kMaxErrorsPerRule = 10;

/// text[offset, offset + length) of the rule.
struct Extent {
    std::size_t offset = 0;
    std::size_t length = 0;
};

/// One value as written and as read. number: Interval; prefix, address: Prefix; mac: Mac; others: monostate, see text.
struct Item {
    Extent where{};
    std::string text{}; ///< Without quotes; the name alone of a set.
    bool is_set = false;
    std::variant<std::monostate, Interval, Prefix, Mac> value{};
};

struct Condition {
    const MatchWord *word = nullptr;
    Extent where{}; ///< The word.
    bool negated = false;
    Extent values_where{};     ///< All of the values.
    std::vector<Item> items{}; ///< Empty when the word stands alone.
};

struct RateClause {
    Extent where{};
    std::uint64_t packets = 0;
    std::uint32_t period_seconds = 1;
    std::uint64_t burst = 0; ///< 0: not written.
    std::string key{};       ///< Behind `per`; empty: not written.
};

struct Argument {
    const Parameter *parameter = nullptr;
    Extent where{}; ///< The keyword, or the value when there is none.
    Item item{};
};

struct ActionClause {
    const ActionWord *word = nullptr;
    Extent where{};
    std::vector<Argument> arguments{};
};

/// A rule whose every word and value is known to its vocabulary; whether they make sense together is the part's to say.
struct RuleTree {
    bool fallback = false;
    Extent start{}; ///< The first word.
    std::vector<Condition> conditions;
    std::optional<RateClause> rate;
    Extent arrow{};
    std::vector<ActionClause> actions; ///< The last one is a verdict, or implies one.
};

/// The tree, or nothing when something was wrong; what it was is added to diagnostics.
[[nodiscard]] std::optional<RuleTree> parse(const SourceString &source, const Vocabulary &vocabulary,
                                            Diagnostics &diagnostics);

/// The text with white space folded to single blanks.
[[nodiscard]] std::string folded(std::string_view text);

} // namespace beeline::rules
