// SPDX-License-Identifier: Apache-2.0
#include "rules/lexer.hpp"

#include <fmt/format.h>

namespace beeline::rules {

namespace {

std::optional<TokenKind> mark(char c) {
    switch (c) {
    case '{':
        return TokenKind::open;
    case '}':
        return TokenKind::close;
    case ',':
        return TokenKind::comma;
    case '!':
        return TokenKind::bang;
    case '<':
        return TokenKind::less;
    case '>':
        return TokenKind::greater;
    default:
        return std::nullopt;
    }
}

bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && !is_blank(c)) || c == 0x7f;
}

/// Where the word that begins at `start` ends: at a blank, a mark, a quote or an arrow.
std::size_t word_end(std::string_view text, std::size_t start) {
    std::size_t end = start;
    while (end < text.size() && !is_blank(text[end]) && !is_control(text[end]) && !mark(text[end]) &&
           text[end] != '\'' && !text.substr(end).starts_with("->"))
        ++end;
    return end;
}

} // namespace

std::optional<std::vector<Token>> tokens(const SourceString &source, Diagnostics &diagnostics) {
    const std::string_view text = source.text();
    const auto wrong = [&](std::size_t offset, std::size_t length, std::string message, std::string hint) {
        diagnostics.push_back(source.diagnostic(Severity::error, offset, length, std::move(message), std::move(hint)));
        return std::nullopt;
    };
    if (text.size() > kMaxRuleBytes)
        return wrong(0, 1, fmt::format("the rule has {} bytes, at most {} are allowed", text.size(), kMaxRuleBytes),
                     "put long lists into [sets]");

    std::vector<Token> result;
    std::size_t at = 0, behind = 0; // behind: end of the last token
    while (at < text.size()) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        Token token{TokenKind::word, {at, 1}, text.substr(at, 1)};
        if (is_control(text[at]))
            return wrong(at, 1, fmt::format("control character 0x{:02x}", static_cast<unsigned char>(text[at])),
                         "only blanks, tabs and line ends may stand between words");
        if (text.substr(at).starts_with("->")) {
            token = {TokenKind::arrow, {at, 2}, text.substr(at, 2)};
        } else if (const auto kind = mark(text[at])) {
            token.kind = *kind;
        } else if (text[at] == '\'') {
            const std::size_t close = text.find('\'', at + 1);
            if (close == text.npos)
                return wrong(at, text.size() - at, "the quote is not closed", "expected another \"'\"");
            token = {TokenKind::quoted_word, {at, close + 1 - at}, text.substr(at + 1, close - at - 1)};
        } else {
            const std::size_t end = word_end(text, at);
            token = {TokenKind::word, {at, end - at}, text.substr(at, end - at)};
        }
        at = behind = token.where.offset + token.where.length;
        result.push_back(token);
    }
    result.push_back({TokenKind::end, {behind, 1}, {}});
    return result;
}

std::string folded(std::string_view text) {
    std::string result;
    bool quoted = false;
    for (const char c : text) {
        quoted ^= c == '\'';
        if (quoted || !is_blank(c))
            result += c;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    }
    while (result.ends_with(' '))
        result.pop_back();
    return result;
}

} // namespace beeline::rules
