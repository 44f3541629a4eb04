// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "rules/parser_state.hpp"

namespace beeline::rules {

void Parser::values(Condition &condition) {
    const ValueSpec &spec = condition.word->value;
    const std::string_view name = condition.word->name;
    const Extent first = peek().where;
    const std::size_t errors_before = errors_;
    if (next_is(TokenKind::bang) && !spec.negatable) {
        error(peek().where, fmt::format("'{}' cannot be negated", name),
              spec.kind == ValueKind::none || spec.optional ? "" : fmt::format("expected {}", spec.expected));
        take();
    }
    if (spec.kind == ValueKind::none) {
        if (errors_ != errors_before && next_is(TokenKind::word) && find(vocabulary_.matches).first == nullptr)
            take(); // what was negated
        return;
    }
    if (spec.kind == ValueKind::choice && spec.optional) {
        const auto known = [&](const NamedNumber &n) { return next_is(n.name); };
        if (std::none_of(spec.names.begin(), spec.names.end(), known))
            return;
    }
    if (next_is(TokenKind::bang)) {
        take();
        condition.negated = true;
        if (next_is(TokenKind::bang))
            error(take().where, "'!' twice", "one '!' is enough");
    }
    if (next_is("=") || next_is("=="))
        error(take().where, "'=' before a value", fmt::format("write {0} VALUE, or {0} !VALUE", name));
    if (next_is(TokenKind::open)) {
        list(condition);
    } else if (spec.kind == ValueKind::flags) {
        flags(condition);
    } else if (auto item = value(spec, name)) {
        condition.items.push_back(std::move(*item));
        unbraced_list(condition);
    }
    condition.values_where = since(first);
}

void Parser::list(Condition &condition) {
    const ValueSpec &spec = condition.word->value;
    const std::string_view name = condition.word->name;
    const Extent open = take().where;
    const std::size_t errors_before = errors_;
    if (!spec.list)
        error(open, fmt::format("'{}' takes no list", name), fmt::format("expected {}", spec.expected));
    if (next_is(TokenKind::close)) {
        take();
        return error(since(open), "empty list", fmt::format("expected {} between the braces", spec.expected));
    }
    ValueSpec single = spec;
    single.set = {};
    for (;;) {
        if (next_is(TokenKind::bang))
            error(take().where, "'!' inside a list", fmt::format("it stands before the list: {} !{{a, b}}", name));
        if (spec.kind == ValueKind::flags ? next_is(TokenKind::word) : true) {
            if (auto item = value(single, name))
                condition.items.push_back(std::move(*item));
        }
        if (condition.items.size() > kMaxListItems) {
            error(open, fmt::format("more than {} values in a list", kMaxListItems), "put them into a set of [sets]");
            while (!next_is(TokenKind::close) && !next_is(TokenKind::end))
                take();
        }
        if (next_is(TokenKind::comma)) {
            take();
            continue;
        }
        if (next_is(TokenKind::close)) {
            take();
            return;
        }
        // Neither: one error is enough, then on behind the brace, or where the matches end.
        if (errors_ == errors_before) {
            if (next_is(TokenKind::end) || next_is(TokenKind::arrow))
                error(open, "the list is not closed", "expected '}'");
            else
                error(peek().where, fmt::format("unexpected {} in a list", in_quotes(peek().text)),
                      "expected ',' or '}'");
        }
        while (!next_is(TokenKind::close) && !next_is(TokenKind::arrow) && !next_is(TokenKind::end))
            take();
        if (next_is(TokenKind::close))
            take();
        return;
    }
}

void Parser::flags(Condition &condition) {
    for (;;) {
        auto item = value(condition.word->value, condition.word->name);
        if (item)
            condition.items.push_back(std::move(*item));
        if (!next_is(TokenKind::comma))
            return;
        take();
    }
}

/// `dport 80, 443`: says so once and takes the rest of the list.
void Parser::unbraced_list(const Condition &condition) {
    if (!next_is(TokenKind::comma))
        return;
    error(peek().where, "a list without braces", fmt::format("write {} {{a, b}}", condition.word->name));
    while (next_is(TokenKind::comma)) {
        take();
        if (next_is(TokenKind::word))
            take();
    }
}

/// True, with an error, when what follows cannot be a value at all.
bool Parser::value_missing(const ValueSpec &spec, std::string_view behind) {
    if (next_is(TokenKind::word) || next_is(TokenKind::quoted_word))
        return false;
    const bool found = !next_is(TokenKind::end) && !next_is(TokenKind::arrow);
    error(peek().where,
          found ? fmt::format("unexpected {} behind '{}'", in_quotes(peek().text), behind)
                : fmt::format("no value behind '{}'", behind),
          fmt::format("expected {}", spec.expected));
    if (found && !next_is(TokenKind::comma) && !next_is(TokenKind::close))
        take();
    return true;
}

std::optional<Item> Parser::set_name(const ValueSpec &spec, std::string_view behind) {
    const Token token = take();
    if (spec.set.empty()) {
        error(token.where, fmt::format("{} cannot stand here", in_quotes(token.text)),
              fmt::format("expected {}", spec.expected));
        return std::nullopt;
    }
    if (token.text.size() == 1) {
        error(token.where, fmt::format("'@' without a name behind '{}'", behind), "expected @ and the name of a set");
        return std::nullopt;
    }
    return Item{token.where, std::string(token.text.substr(1)), true, {}};
}

std::optional<Item> Parser::compared(const ValueSpec &spec, std::string_view behind) {
    const Token sign = take();
    if (!spec.range) {
        error(sign.where, fmt::format("{} cannot stand behind '{}'", in_quotes(sign.text), behind),
              fmt::format("expected {}", spec.expected));
        if (next_is(TokenKind::word))
            take();
        return std::nullopt;
    }
    ValueSpec number = spec;
    number.kind = ValueKind::number;
    number.range = false;
    number.names = {};
    number.expected = "a number";
    auto item = value(number, behind);
    if (!item)
        return std::nullopt;
    item->where = since(sign.where);
    const std::uint64_t bound = std::get<Interval>(item->value).low;
    const bool less = sign.kind == TokenKind::less;
    if (bound == (less ? spec.limits.low : spec.limits.high)) {
        error(item->where, fmt::format("nothing is {} {}", less ? "less than" : "greater than", bound),
              fmt::format("'{}' goes from {} to {}", behind, spec.limits.low, spec.limits.high));
        return std::nullopt;
    }
    item->value = less ? Interval{spec.limits.low, bound - 1} : Interval{bound + 1, spec.limits.high};
    return item;
}

std::optional<Item> Parser::value(const ValueSpec &spec, std::string_view behind) {
    if (next_is(TokenKind::less) || next_is(TokenKind::greater))
        return compared(spec, behind);
    if (value_missing(spec, behind))
        return std::nullopt;
    if (next_is(TokenKind::word) && peek().text[0] == '@')
        return set_name(spec, behind);
    Item item{peek().where, std::string(peek().text), false, {}};
    const std::size_t errors_before = errors_;
    const std::size_t said_before = diagnostics_.size();
    if (read(spec, item)) {
        take();
        return item;
    }
    // A match where a value should be: the value was forgotten, the match stays to be read.
    const bool is_match = next_is(TokenKind::word) && find(vocabulary_.matches).first != nullptr;
    if (is_match) {
        errors_ = errors_before;
        diagnostics_.resize(said_before);
        error(item.where, fmt::format("no value behind '{}', but {}", behind, in_quotes(item.text)),
              fmt::format("expected {}", spec.expected));
    } else {
        take();
    }
    return std::nullopt;
}

bool Parser::read(const ValueSpec &spec, Item &item) {
    const auto refuse = [&](const Error &wrong) {
        const bool complete = !wrong.remedy.empty() && !wrong.remedy.starts_with("did you mean");
        error(item.where, wrong.what,
              complete ? wrong.remedy : joined(fmt::format("expected {}", spec.expected), wrong.remedy));
        return false;
    };
    const auto keep = [&](auto result) {
        if (!result)
            return refuse(result.error());
        item.value = *result;
        return true;
    };
    switch (spec.kind) {
    case ValueKind::none:
        return false;
    case ValueKind::choice:
    case ValueKind::number: {
        const Interval limits = spec.kind == ValueKind::choice ? Interval{1, 0} : spec.limits;
        const auto interval = read_interval(item.text, limits, spec.names);
        if (interval && interval->low != interval->high && !spec.range)
            return refuse({Kind::config, 0, in_quotes(item.text) + " is a range", {}});
        return keep(interval);
    }
    case ValueKind::symbol:
        if (item.text[0] < '0' || item.text[0] > '9') {
            const auto matches = vocabulary_.matches;
            if (std::any_of(matches.begin(), matches.end(), [&](const MatchWord &w) { return w.name == item.text; }))
                return refuse({Kind::config, 0, in_quotes(item.text) + " is no value", {}});
            return true;
        }
        return keep(read_interval(item.text, spec.limits, {}));
    case ValueKind::prefix:
        return keep(read_prefix(item.text));
    case ValueKind::address:
        return keep(read_address(item.text));
    case ValueKind::mac:
        return keep(read_mac(item.text));
    case ValueKind::name:
    case ValueKind::flags:
        if (const auto checked = spec.check == nullptr ? Result<>{} : spec.check(item.text); !checked)
            return refuse(checked.error());
        return true;
    }
    return false;
}

} // namespace beeline::rules
