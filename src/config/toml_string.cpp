// SPDX-License-Identifier: Apache-2.0
#include "config/toml_string.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace beeline::config {

namespace {

using Run = rules::SourceString::Run;

class Scanner {
public:
    Scanner(std::string_view text, std::uint32_t line, std::size_t line_start, std::size_t at)
        : text_(text), line_(line), line_start_(line_start), at_(at) {}

    bool scan() {
        const char quote = peek();
        if (quote != '"' && quote != '\'')
            return false;
        const std::string delimiter(rest().starts_with(std::string(3, quote)) ? 3 : 1, quote);
        const bool many_lines = delimiter.size() == 3, escapes = quote == '"';
        skip(delimiter.size());
        if (many_lines) // a line end right behind the quotes does not count
            skip(rest().starts_with("\r\n") ? 2 : peek() == '\n' ? 1 : 0);
        while (at_ < text_.size()) {
            if (rest().starts_with(delimiter)) {
                // Up to two quotes may stand right before the closing three.
                while (many_lines && rest().substr(delimiter.size()).starts_with(quote))
                    copy();
                return true;
            }
            if (escapes && peek() == '\\') {
                if (!escape(many_lines))
                    return false;
            } else if (peek() == '\n' && !many_lines) {
                return false;
            } else if (rest().starts_with("\r\n")) { // the library makes one byte of it
                put("\n");
                skip(2);
            } else {
                copy();
            }
        }
        return false;
    }

    std::string value;
    std::vector<Run> runs;

private:
    std::string_view rest() const { return text_.substr(at_); }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip(std::size_t bytes) {
        for (; bytes > 0 && at_ < text_.size(); --bytes, ++at_)
            if (text_[at_] == '\n') {
                ++line_;
                line_start_ = at_ + 1;
            }
    }

    /// The bytes of `decoded` stand where the cursor is.
    void put(std::string_view decoded) {
        const Run here{value.size(), line_, static_cast<std::uint32_t>(at_ - line_start_ + 1)};
        const bool goes_on = !runs.empty() && runs.back().line == here.line &&
                             here.column - runs.back().column == here.offset - runs.back().offset;
        if (!goes_on)
            runs.push_back(here);
        value += decoded;
    }

    void copy() {
        put(text_.substr(at_, 1));
        skip(1);
    }

    bool escape(bool many_lines) {
        constexpr std::string_view kLetters = "btnfr\"\\", kMeanings = "\b\t\n\f\r\"\\";
        const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (const auto i = kLetters.find(letter); i != kLetters.npos) {
            put(kMeanings.substr(i, 1));
            skip(2);
            return true;
        }
        if (letter == 'u' || letter == 'U')
            return code_point(letter == 'u' ? 4 : 8);
        // A backslash at the end of a line swallows all white space up to the next word.
        const std::size_t word = text_.find_first_not_of(" \t\r\n", at_ + 1);
        const std::size_t line_end = text_.find('\n', at_);
        if (!many_lines || word == text_.npos || line_end == text_.npos || line_end > word)
            return false;
        skip(word - at_);
        return true;
    }

    bool code_point(std::size_t digits) {
        std::uint32_t code = 0;
        const std::string_view hex = rest().substr(2, digits);
        const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
        if (error != std::errc{} || end != hex.data() + digits || hex.size() != digits || code > 0x10ffff)
            return false;
        std::string utf8;
        const auto tail = [&](unsigned shift) { utf8 += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
        if (code < 0x80) {
            utf8 += static_cast<char>(code);
        } else if (code < 0x800) {
            utf8 += static_cast<char>(0xc0 | code >> 6);
            tail(0);
        } else if (code < 0x10000) {
            utf8 += static_cast<char>(0xe0 | code >> 12);
            tail(6);
            tail(0);
        } else {
            utf8 += static_cast<char>(0xf0 | code >> 18);
            tail(12);
            tail(6);
            tail(0);
        }
        put(utf8);
        skip(2 + digits);
        return true;
    }

    std::string_view text_;
    std::uint32_t line_;
    std::size_t line_start_;
    std::size_t at_;
};

} // namespace

std::optional<rules::SourceString> toml_string(std::shared_ptr<const rules::SourceFile> file, std::uint32_t line,
                                               std::size_t offset) {
    Scanner scanner(file->text(), line, file->line_start(line), offset);
    if (!scanner.scan())
        return std::nullopt;
    if (scanner.runs.empty()) // "": a place for complaints all the same
        scanner.runs.push_back({0, line, static_cast<std::uint32_t>(offset - file->line_start(line) + 2)});
    return rules::SourceString(std::move(file), std::move(scanner.value), std::move(scanner.runs));
}

} // namespace beeline::config
