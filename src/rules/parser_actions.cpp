// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "rules/parser_state.hpp"

namespace beeline::rules {

void Parser::actions(RuleTree &tree) {
    while (!next_is(TokenKind::end)) {
        if (!tree.actions.empty() && tree.actions.back().word->verdict)
            return behind_verdict(tree);
        const auto [word, length] = find(vocabulary_.actions);
        if (word == nullptr) {
            unknown_action();
            // Goes on at the next action that is known.
            do
                take();
            while (!next_is(TokenKind::end) && find(vocabulary_.actions).first == nullptr);
            if (next_is(TokenKind::end))
                return;
            continue;
        }
        ActionClause clause{.word = word, .where = peek().where};
        for (std::size_t i = 0; i < length; ++i)
            take();
        clause.where = since(clause.where);
        for (const ActionClause &other : tree.actions)
            if (other.word == word)
                error(clause.where, fmt::format("'{}' twice in one rule", word->name),
                      word->parameters.empty() ? "" : fmt::format("say all of it behind one '{}'", word->name));
        arguments(clause);
        tree.actions.push_back(std::move(clause));
    }
    check_decided(tree);
}

void Parser::behind_verdict(const RuleTree &tree) {
    const std::string_view verdict = tree.actions.back().word->name;
    const auto [word, length] = find(vocabulary_.actions);
    if (next_is(TokenKind::arrow))
        return error(peek().where, "a second '->'", "one rule has one arrow");
    if (word == nullptr)
        return error(peek().where, fmt::format("unexpected {} behind '{}'", in_quotes(peek().text), verdict),
                     fmt::format("'{}' ends the rule", verdict));
    if (word->verdict)
        return error(peek().where, fmt::format("a second verdict '{}' behind '{}'", word->name, verdict),
                     "a rule has one verdict");
    error(peek().where, fmt::format("'{}' behind '{}'", word->name, verdict),
          fmt::format("'{}' comes before the verdict", word->name));
}

void Parser::check_decided(const RuleTree &tree) {
    if (errors_ != 0)
        return;
    if (tree.actions.empty())
        return error(peek().where, "no action behind '->'", "for example: -> drop");
    const bool decided = std::any_of(tree.actions.begin(), tree.actions.end(), [](const ActionClause &clause) {
        return clause.word->verdict || !clause.word->implies.empty();
    });
    if (!decided) {
        const ActionClause &last = tree.actions.back();
        error(last.where, fmt::format("'{}' alone decides nothing", last.word->name),
              fmt::format("add a verdict: {} pass", last.word->name));
    }
}

void Parser::arguments(ActionClause &clause) {
    const std::span<const Parameter> parameters = clause.word->parameters;
    for (const Parameter &parameter : parameters)
        if (parameter.keyword.empty())
            if (auto item = value(parameter.value, clause.word->name))
                clause.arguments.push_back({&parameter, item->where, std::move(*item)});

    bool any = false;
    for (;;) {
        const auto fits = [&](const Parameter &parameter) {
            const auto blank = parameter.keyword.find(' ');
            return !parameter.keyword.empty() && next_is(parameter.keyword.substr(0, blank)) &&
                   (blank == parameter.keyword.npos ||
                    (peek(1).kind == TokenKind::word && peek(1).text == parameter.keyword.substr(blank + 1)));
        };
        const auto parameter = std::find_if(parameters.begin(), parameters.end(), fits);
        if (parameter == parameters.end())
            break;
        any = true;
        const Extent first = take().where;
        if (parameter->keyword.find(' ') != parameter->keyword.npos)
            take();
        const Extent where = since(first);
        for (const Argument &other : clause.arguments)
            if (other.parameter == &*parameter)
                error(where, fmt::format("'{} {}' twice in one rule", clause.word->name, parameter->keyword));
        if (auto item = value(parameter->value, parameter->keyword))
            clause.arguments.push_back({&*parameter, where, std::move(*item)});
    }
    if (clause.word->needs_parameter && !any) {
        std::vector<std::string_view> known;
        for (const Parameter &parameter : parameters)
            known.push_back(parameter.keyword);
        const std::string near = next_is(TokenKind::word) && find(vocabulary_.actions).first == nullptr
                                     ? did_you_mean(peek().text, known)
                                     : "";
        error(near.empty() ? clause.where : peek().where, fmt::format("'{}' without a field", clause.word->name),
              joined(fmt::format("expected one of {}", fmt::join(known, ", ")), near));
        if (!near.empty()) { // skips the misspelt field
            while (!next_is(TokenKind::end) && find(vocabulary_.actions).first == nullptr)
                take();
        }
    }
}

void Parser::unknown_action() {
    const Token &token = peek();
    if (token.kind == TokenKind::arrow)
        return error(token.where, "a second '->'", "one rule has one arrow");
    std::vector<std::string_view> known;
    for (const ActionWord &word : vocabulary_.actions)
        known.push_back(word.name);
    if (token.kind != TokenKind::word)
        return error(token.where, fmt::format("unexpected {}", in_quotes(token.text)), "expected an action");
    if (find(vocabulary_.matches).first != nullptr || token.text == "rate")
        return error(token.where, fmt::format("the match {} behind '->'", in_quotes(token.text)),
                     "matches come before '->'");
    const std::string near = did_you_mean(token.text, known);
    error(token.where, fmt::format("unknown action {}", in_quotes(token.text)),
          near.empty() ? fmt::format("expected {}", fmt::join(known, ", ")) : joined("expected an action", near));
}

} // namespace beeline::rules
