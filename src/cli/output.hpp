// SPDX-License-Identifier: Apache-2.0
//
// What a command prints: colour for terminals only, tables that fit the terminal, numbers for people.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace beeline::cli {

enum class Style : std::uint8_t { plain, heading, good, warning, bad };

struct Column {
    std::string title;
    bool right = false; ///< Numbers.
};

struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<std::string>> rows;
};

class Output {
public:
    /// Colour: file is a terminal, NO_COLOR is not set and TERM is not "dumb".
    explicit Output(std::FILE *file);

    /// One line; cut to the width of the terminal, whole when file is none.
    void line(std::string_view text = {}, Style style = Style::plain);
    template <class... Args>
    void print(fmt::format_string<Args...> format, Args &&...args) {
        line(fmt::format(format, std::forward<Args>(args)...));
    }
    /// As it is, whatever the terminal: JSON, diagnostics.
    void raw(std::string_view text);
    void table(const Table &table);

    [[nodiscard]] bool is_terminal() const { return width_.has_value(); }
    [[nodiscard]] std::optional<unsigned> width() const { return width_; } ///< Nothing: no terminal.

private:
    std::FILE *file_;
    std::optional<unsigned> width_;
    bool colour_ = false;
};

/// The lines of a table, heading first, columns two blanks apart.
[[nodiscard]] std::vector<std::string> table_lines(const Table &table);
/// At most width columns; what is cut ends in "...". Control characters become '?': names of devices may hold any.
[[nodiscard]] std::string fitted(std::string_view text, std::optional<unsigned> width);

[[nodiscard]] std::string grouped(std::uint64_t number);                      ///< "12,345,678"
[[nodiscard]] std::string scaled(double number);                              ///< "1.23M", at most five characters
[[nodiscard]] std::string plural(std::uint64_t count, std::string_view noun); ///< "1 rule", "3 rules"

} // namespace beeline::cli
