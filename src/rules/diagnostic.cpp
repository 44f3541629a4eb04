// SPDX-License-Identifier: Apache-2.0
#include <beeline/rules/source.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace beeline::rules {

namespace {

constexpr std::size_t kIndent = 4;
constexpr std::size_t kWidth = 76;  ///< Cells of the source line that are shown: 80 columns with the indent.
constexpr std::size_t kBefore = 40; ///< Cells kept in front of the caret when a line is longer.

/// Length of the UTF-8 sequence at the start of text, 0 when it is none (or would control a terminal).
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    return first == 0xc2 && byte(1) < 0xa0 ? 0 : length; // U+0080..9F are control characters
}

/// A text cut into what a terminal shows in one cell each. What is not printable becomes '?', a tab a blank.
/// (Wide and combining characters are counted as one cell.)
struct Cells {
    std::vector<std::string> cells;
    std::vector<std::size_t> of_byte; ///< Cell of each byte, and of the end.
};

Cells cells(std::string_view text) {
    Cells result;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence(text.substr(i));
        const std::size_t taken = std::max<std::size_t>(length, 1);
        result.of_byte.insert(result.of_byte.end(), taken, result.cells.size());
        result.cells.push_back(length != 0 ? std::string(text.substr(i, length)) : text[i] == '\t' ? " " : "?");
        i += taken;
    }
    result.of_byte.push_back(result.cells.size());
    return result;
}

std::string printable(std::string_view text) {
    std::string result;
    for (const std::string &cell : cells(text).cells)
        result += cell;
    return result;
}

std::string place(const Span &where) {
    std::string text = printable(where.file);
    if (where.line != 0)
        text += fmt::format("{}{}", text.empty() ? "line " : ":", where.line);
    if (where.line != 0 && where.column != 0)
        text += fmt::format(":{}", where.column);
    return text.empty() ? text : text + ": ";
}

std::string_view name(Severity severity) {
    return severity == Severity::error ? "error" : "warning";
}

/// The source line and the carets below it.
std::string excerpt(const Diagnostic &diagnostic) {
    const Cells line = cells(diagnostic.line);
    const std::size_t end = line.cells.size();
    const auto cell_of = [&](std::size_t byte) { return byte < line.of_byte.size() ? line.of_byte[byte] : end; };
    const std::size_t first_byte = diagnostic.where.column == 0 ? 0 : diagnostic.where.column - 1;
    const std::size_t caret = cell_of(first_byte);
    const std::size_t caret_end =
        std::max(caret + 1, cell_of(first_byte + std::min<std::size_t>(diagnostic.where.length, line.of_byte.size())));

    std::size_t from = 0;
    while (from < end && from < caret && line.cells[from] == " ")
        ++from;
    if (end - from > kWidth && caret - from > kBefore)
        from = caret - kBefore;
    const std::size_t to = std::min(end, from + kWidth);

    std::string shown, marks;
    for (std::size_t i = from; i < to; ++i)
        shown += line.cells[i];
    if (diagnostic.where.column != 0) {
        marks.assign(caret - from, ' ');
        marks += '^';
        marks.append(std::min(caret_end, std::max(to, caret + 1)) - caret - 1, '~');
    }
    std::string text = fmt::format("\n{:{}}{}", "", kIndent, shown);
    if (!marks.empty())
        text += fmt::format("\n{:{}}{}", "", kIndent, marks);
    return text;
}

/// Indented, in lines of at most kWidth bytes where blanks allow it.
std::string wrapped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::size_t end = text.size();
        if (end > kWidth) {
            end = text.rfind(' ', kWidth);
            end = end == text.npos || end == 0 ? std::min(text.find(' ', kWidth), text.size()) : end;
        }
        result += fmt::format("\n{:{}}{}", "", kIndent, text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

} // namespace

std::string Diagnostic::text() const {
    std::string result = fmt::format("{}{}: {}", place(where), name(severity), printable(message));
    if (where.line != 0 && !line.empty())
        result += excerpt(*this);
    if (!hint.empty())
        result += wrapped(printable(hint));
    return result;
}

std::string Diagnostic::one_line() const {
    std::string result = fmt::format("{}{}: {}", place(where), name(severity), printable(message));
    if (!hint.empty())
        result += "; " + printable(hint);
    return result;
}

bool has_errors(const Diagnostics &diagnostics) {
    return std::any_of(diagnostics.begin(), diagnostics.end(),
                       [](const Diagnostic &d) { return d.severity == Severity::error; });
}

} // namespace beeline::rules
