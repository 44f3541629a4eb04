// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "rules/parser_state.hpp"

namespace beeline::rules {

void Parser::error(Extent where, std::string message, std::string hint) {
    if (++errors_ <= kMaxErrorsPerRule)
        diagnostics_.push_back(
            source_.diagnostic(Severity::error, where.offset, where.length, std::move(message), std::move(hint)));
}

Extent Parser::since(Extent first) const {
    const Extent last = tokens_[at_ == 0 ? 0 : at_ - 1].where;
    return {first.offset, std::max(last.offset + last.length, first.offset + first.length) - first.offset};
}

RuleTree Parser::rule() {
    RuleTree tree;
    tree.start = peek().where;
    if (next_is(TokenKind::end)) {
        error(tree.start, "the rule is empty", "expected 'matches -> action'");
        return tree;
    }
    if (next_is("fallback")) {
        take();
        tree.fallback = true;
        if (!next_is(TokenKind::arrow) && !next_is(TokenKind::end))
            error(peek().where, fmt::format("{} behind 'fallback'", in_quotes(peek().text)),
                  "'fallback' takes no matches: write fallback -> action");
        while (!next_is(TokenKind::arrow) && !next_is(TokenKind::end))
            take();
    } else {
        conditions(tree);
    }
    if (find(vocabulary_.actions).first != nullptr) { // said already: the arrow is missing
        actions(tree);
        return tree;
    }
    if (next_is(TokenKind::end)) {
        error(peek().where, "the rule ends without an action", "expected '->' and an action");
        return tree;
    }
    tree.arrow = take().where;
    if (!tree.fallback && tree.conditions.empty() && !tree.rate && errors_ == 0)
        error(tree.arrow, "a rule without a match", "what fits every packet is written fallback -> action");
    actions(tree);
    return tree;
}

bool Parser::at_condition_end() const {
    return next_is(TokenKind::arrow) || next_is(TokenKind::end);
}

/// At an action, with no arrow in front of it nor behind.
bool Parser::arrow_missing() const {
    return find(vocabulary_.actions).first != nullptr &&
           std::none_of(tokens_.begin(), tokens_.end(), [](const Token &t) { return t.kind == TokenKind::arrow; });
}

void Parser::conditions(RuleTree &tree) {
    while (!at_condition_end()) {
        if (next_is("rate") && vocabulary_.rate) {
            if (tree.rate)
                error(peek().where, "'rate' twice in one rule");
            rate(tree);
        } else if (const auto [word, length] = find(vocabulary_.matches); word != nullptr) {
            if (tree.rate)
                error(peek().where, fmt::format("{} behind the rate", in_quotes(peek().text)),
                      "'rate' comes last, right before '->'");
            condition(tree, *word, length);
        } else if (!absent_match()) {
            unknown_match(tree);
            if (arrow_missing())
                return;
            // Goes on at the next word that is known, to find more errors.
            do
                take();
            while (!at_condition_end() && find(vocabulary_.matches).first == nullptr && !next_is("rate"));
        }
    }
}

void Parser::condition(RuleTree &tree, const MatchWord &word, std::size_t name_tokens) {
    Condition condition{.word = &word};
    const Extent first = take().where;
    for (std::size_t i = 1; i < name_tokens; ++i)
        take();
    condition.where = since(first);
    check_unique(tree, word, condition.where);
    values(condition);
    tree.conditions.push_back(std::move(condition));
}

void Parser::check_unique(const RuleTree &tree, const MatchWord &word, Extent where) {
    for (const Condition &other : tree.conditions) {
        if (other.word == &word)
            return error(where, fmt::format("'{}' twice in one rule", word.name),
                         word.value.list ? fmt::format("several values are written {} {{a, b}}", word.name)
                                         : "all matches of a rule must hold; once is enough");
        if (word.group != nullptr && other.word->group == word.group)
            return error(where, fmt::format("'{}' and '{}' in one rule", other.word->name, word.name),
                         std::string(word.group->hint));
    }
}

/// A word that this part has not for a reason, and the values behind it; false at any other word.
bool Parser::absent_match() {
    const auto [word, length] = find(vocabulary_.absent);
    if (word == nullptr)
        return false;
    const Extent first = take().where;
    for (std::size_t i = 1; i < length; ++i)
        take();
    error(since(first), fmt::format("'{}' is not in {} rules", word->name, vocabulary_.part),
          std::string(word->reason));
    if (next_is(TokenKind::bang))
        take();
    if (next_is(TokenKind::open)) // what stands in a list is no match
        while (!at_condition_end() && !next_is(TokenKind::close))
            take();
    const bool to_the_end = word->name == "rate"; // which comes last, and `per src` is no match
    while (!at_condition_end() && !arrow_missing() &&
           (to_the_end || (find(vocabulary_.matches).first == nullptr && find(vocabulary_.absent).first == nullptr)))
        take();
    return true;
}

void Parser::unknown_match(const RuleTree &tree) {
    const Token &token = peek();
    const std::string expected = vocabulary_.rate ? "expected a match, 'rate' or '->'" : "expected a match or '->'";
    if (token.kind == TokenKind::bang)
        return error(token.where, "'!' stands before a value, not before a match", "for example: src !10.0.0.0/8");
    if (token.kind != TokenKind::word)
        return error(token.where, fmt::format("unexpected {}", in_quotes(token.text)), expected);

    if (arrow_missing())
        return error(token.where, fmt::format("no '->' before the action {}", in_quotes(token.text)),
                     fmt::format("write -> {}", token.text));
    if (find(vocabulary_.actions).first != nullptr)
        return error(token.where, fmt::format("the action {} before '->'", in_quotes(token.text)), expected);
    if (token.text == "and" || token.text == "or" || token.text == "&&" || token.text == "||")
        return error(token.where, fmt::format("unknown match {}", in_quotes(token.text)),
                     "matches follow each other, and all must hold; alternatives are lists {a, b}");

    std::vector<std::string_view> known{"rate"};
    if (!vocabulary_.rate)
        known.clear();
    if (tree.conditions.empty())
        known.push_back("fallback");
    for (const MatchWord &word : vocabulary_.matches) {
        // Half of a name of two words: say the other half.
        if (word.name.size() > token.text.size() && word.name.starts_with(token.text) &&
            word.name[token.text.size()] == ' ') {
            std::string halves;
            for (const MatchWord &other : vocabulary_.matches)
                if (other.name.starts_with(std::string(token.text) + " "))
                    halves +=
                        fmt::format("{}'{}'", halves.empty() ? "" : " or ", other.name.substr(token.text.size() + 1));
            return error(peek(1).where, fmt::format("expected {} behind {}", halves, in_quotes(token.text)));
        }
        known.push_back(word.name);
    }
    if (!tree.conditions.empty()) {
        const Condition &last = tree.conditions.back();
        if (last.word->value.optional)
            for (const NamedNumber &name : last.word->value.names)
                known.push_back(name.name);
        if (!last.items.empty() && last.word->value.list && nearest(token.text, known).empty())
            return error(token.where, fmt::format("unknown match {}", in_quotes(token.text)),
                         joined(expected, fmt::format("several values are written {} {{a, b}}", last.word->name)));
    }
    if (token.text.find('=') != token.text.npos)
        return error(token.where, fmt::format("unknown match {}", in_quotes(token.text)),
                     "values stand behind their word without '=': dport 80, dport !80");
    error(token.where, fmt::format("unknown match {}", in_quotes(token.text)),
          joined(expected, did_you_mean(token.text, known)));
}

void Parser::rate(RuleTree &tree) {
    RateClause clause;
    const Extent first = take().where;
    if (!next_is("over")) {
        error(peek().where, "expected 'over' behind 'rate'", "for example: rate over 1000/s per src");
        if (next_is(TokenKind::word) && peek().text[0] >= '0' && peek().text[0] <= '9')
            rate_amount(clause);
    } else {
        take();
        rate_amount(clause);
    }
    bool burst = false;
    while (next_is("burst") || next_is("per")) {
        const Token word = take();
        if (word.text == "per" ? !clause.key.empty() : burst)
            error(word.where, fmt::format("{} twice in one rate", in_quotes(word.text)));
        if (word.text == "burst") {
            burst = true;
            const ValueSpec packets{
                .kind = ValueKind::number, .expected = "a number of packets", .limits = {1, kMaxBurst}};
            if (const auto item = value(packets, "burst"))
                clause.burst = std::get<Interval>(item->value).low;
            continue;
        }
        const auto &keys = vocabulary_.rate_keys;
        const Token &key = peek();
        if (key.kind == TokenKind::word && std::find(keys.begin(), keys.end(), key.text) != keys.end()) {
            clause.key = key.text;
            take();
        } else {
            error(key.where, "expected what the rate is counted by behind 'per'",
                  fmt::format("known: {}", fmt::join(keys, ", ")));
            if (key.kind == TokenKind::word)
                take();
        }
    }
    clause.where = since(first);
    tree.rate = std::move(clause);
}

void Parser::rate_amount(RateClause &clause) {
    const std::string hint = "expected N/s, N/m or N/h";
    const Token &token = peek();
    if (token.kind != TokenKind::word || token.text.empty() || token.text[0] < '0' || token.text[0] > '9')
        return error(token.where, "expected a rate behind 'over'", hint);
    take();
    const auto slash = token.text.find('/');
    const std::string_view unit = slash == token.text.npos ? std::string_view{} : token.text.substr(slash + 1);
    clause.period_seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (clause.period_seconds == 0)
        return error(token.where, fmt::format("{} is not a rate", in_quotes(token.text)), hint);
    const Interval limits{1, kMaxRatePerSecond * clause.period_seconds};
    const auto packets = read_number(token.text.substr(0, slash), limits);
    if (!packets)
        return error(token.where, fmt::format("the rate {}", packets.error().what), packets.error().remedy);
    clause.packets = *packets;
}

std::optional<RuleTree> parse(const SourceString &source, const Vocabulary &vocabulary, Diagnostics &diagnostics) {
    auto list = tokens(source, diagnostics);
    if (!list)
        return std::nullopt;
    Parser parser(source, vocabulary, diagnostics, std::move(*list));
    RuleTree tree = parser.rule();
    if (parser.errors() != 0)
        return std::nullopt;
    return tree;
}

} // namespace beeline::rules
