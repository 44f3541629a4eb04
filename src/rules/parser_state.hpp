// SPDX-License-Identifier: Apache-2.0
//
// The parser's inside: a cursor over the tokens of one rule. parser.cpp has the grammar of rules, parser_values.cpp
// that of values. No production calls itself, so depth is bounded; each step takes a token or ends, so time is, too.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <beeline/rules/parser.hpp>
#include <beeline/rules/words.hpp>

#include <fmt/format.h>

#include "rules/lexer.hpp"

namespace beeline::rules {

class Parser {
public:
    Parser(const SourceString &source, const Vocabulary &vocabulary, Diagnostics &diagnostics, std::vector<Token> list)
        : source_(source), vocabulary_(vocabulary), diagnostics_(diagnostics), tokens_(std::move(list)) {}

    /// The tree as far as it could be made; it counts only if errors() is 0.
    RuleTree rule();
    [[nodiscard]] std::size_t errors() const { return errors_; }

private:
    const Token &peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
    const Token &take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool next_is(TokenKind kind) const { return peek().kind == kind; }
    bool next_is(std::string_view word) const { return next_is(TokenKind::word) && peek().text == word; }
    void error(Extent where, std::string message, std::string hint = {});
    /// From the start of first to the end of the token taken last.
    Extent since(Extent first) const;

    // parser.cpp
    /// The word of a table at the cursor, and how many tokens its name takes; null when there is none.
    template <class Word>
    std::pair<const Word *, std::size_t> find(std::span<const Word> words) const;
    bool at_condition_end() const;
    bool arrow_missing() const;
    void conditions(RuleTree &tree);
    void condition(RuleTree &tree, const MatchWord &word, std::size_t name_tokens);
    bool absent_match();
    void unknown_match(const RuleTree &tree);
    void check_unique(const RuleTree &tree, const MatchWord &word, Extent where);
    void rate(RuleTree &tree);
    void rate_amount(RateClause &clause);
    void actions(RuleTree &tree);
    void arguments(ActionClause &clause);
    void unknown_action();
    void behind_verdict(const RuleTree &tree);
    void check_decided(const RuleTree &tree);

    // parser_values.cpp
    void values(Condition &condition);
    void list(Condition &condition);
    void flags(Condition &condition);
    void unbraced_list(const Condition &condition);
    bool value_missing(const ValueSpec &spec, std::string_view behind);
    /// One value; nothing (with an error) when there is none or it is wrong.
    std::optional<Item> value(const ValueSpec &spec, std::string_view behind);
    std::optional<Item> set_name(const ValueSpec &spec, std::string_view behind);
    std::optional<Item> compared(const ValueSpec &spec, std::string_view behind);
    bool read(const ValueSpec &spec, Item &item);

    const SourceString &source_;
    const Vocabulary &vocabulary_;
    Diagnostics &diagnostics_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::size_t errors_ = 0;
};

template <class Word>
std::pair<const Word *, std::size_t> Parser::find(std::span<const Word> words) const {
    if (!next_is(TokenKind::word))
        return {nullptr, 0};
    const auto named = [&](std::string_view name) -> const Word * {
        const auto found = std::find_if(words.begin(), words.end(), [&](const Word &w) { return w.name == name; });
        return found == words.end() ? nullptr : &*found;
    };
    if (peek(1).kind == TokenKind::word)
        if (const Word *word = named(fmt::format("{} {}", peek().text, peek(1).text)))
            return {word, 2};
    return {named(peek().text), 1};
}

} // namespace beeline::rules
