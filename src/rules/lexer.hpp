// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <beeline/rules/parser.hpp>

namespace beeline::rules {

enum class TokenKind : std::uint8_t { word, quoted_word, open, close, comma, bang, less, greater, arrow, end };

/// text points into the rule; of a quoted word it is what is between the quotes.
struct Token {
    TokenKind kind = TokenKind::end;
    Extent where;
    std::string_view text;
};

/// Cuts a rule into tokens; the last one is `end`, behind the last byte. Nothing when a byte fits nowhere or the rule
/// is too long: the reason is in diagnostics.
[[nodiscard]] std::optional<std::vector<Token>> tokens(const SourceString &source, Diagnostics &diagnostics);

[[nodiscard]] constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

} // namespace beeline::rules
