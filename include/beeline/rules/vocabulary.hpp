// SPDX-License-Identifier: Apache-2.0
//
// The words of one part, as data. The language (lexer, grammar, checks, messages) is the same for every part; a part
// brings its Vocabulary and turns the checked tree into its own policy.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <beeline/rules/values.hpp>

namespace beeline::rules {

enum class ValueKind : std::uint8_t {
    none,    ///< No value: `tcp`.
    choice,  ///< One of names.
    number,  ///< A number within limits, or one of names.
    symbol,  ///< A number within limits, or any word: the part looks it up, its meaning depends on other words.
    prefix,  ///< An address or prefix.
    address, ///< An address.
    mac,     ///< A MAC address.
    name,    ///< Any word; check() may refuse it.
    flags,   ///< Words separated by commas without braces, any of which may hold a '/': the part looks them up.
};

/// How a value is written.
struct ValueSpec {
    ValueKind kind = ValueKind::none;
    /// What to say when something else stands there: "a port, a range, a service, {a list} or @set".
    std::string_view expected{};
    Interval limits{0, ~std::uint64_t{0}};
    std::span<const NamedNumber> names{};
    bool optional = false;                              ///< The word may stand alone.
    bool negatable = false;                             ///< `!` may stand before the value.
    bool list = false;                                  ///< `{a, b}` is allowed.
    bool range = false;                                 ///< `a-b`, `<a` and `>a` are allowed (numbers only).
    std::string_view set{};                             ///< The type of the sets that `@name` may name; empty: none.
    Result<> (*check)(std::string_view word) = nullptr; ///< For names and flags: what is wrong with the word.
};

/// Words of which at most one may stand in a rule. hint: what to write instead of two of them.
struct WordGroup {
    std::string_view hint{};
};

/// A condition. A name of two words ("mac src") is written with one blank.
struct MatchWord {
    std::string_view name{};
    ValueSpec value{};
    std::string_view help{};
    const WordGroup *group = nullptr; ///< Null: the word excludes itself only.
    std::uint16_t id = 0;             ///< For the part.
};

/// A value of an action. Without keyword it stands right behind the action's name.
struct Parameter {
    std::string_view keyword{};
    ValueSpec value{};
    std::uint16_t id = 0;
};

struct ActionWord {
    std::string_view name{};
    std::span<const Parameter> parameters{}; ///< Those with a keyword come in any order, each at most once.
    bool needs_parameter = false;            ///< At least one of those with a keyword must be there.
    bool verdict = true;                     ///< Decides and ends the rule; otherwise something must follow...
    std::string_view implies{};              ///< ...or this verdict is meant.
    std::string_view help{};
    std::uint16_t id = 0;
};

/// A word of the language (or `rate`) that a part cannot have. reason: said where the word is used.
struct AbsentWord {
    std::string_view name{};
    std::string_view reason{};
};

struct Vocabulary {
    std::string_view part{}; ///< "edge"; for messages.
    std::span<const MatchWord> matches{};
    std::span<const ActionWord> actions{};
    std::span<const AbsentWord> absent{};
    bool rate = false;                             ///< `rate over` is allowed...
    std::span<const std::string_view> rate_keys{}; ///< ...with `per` one of these.
};

} // namespace beeline::rules
