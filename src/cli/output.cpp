// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace beeline::cli {
namespace {

constexpr unsigned kDefaultWidth = 80;

std::string_view escape(Style style) {
    switch (style) {
    case Style::plain:
        return "";
    case Style::heading:
        return "\033[1m";
    case Style::good:
        return "\033[32m";
    case Style::warning:
        return "\033[33m";
    case Style::bad:
        return "\033[31m";
    }
    return "";
}

std::optional<unsigned> terminal_width(int fd) {
    if (isatty(fd) == 0)
        return std::nullopt;
    winsize size{};
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kDefaultWidth;
}

/// Bytes 10xxxxxx continue a UTF-8 character.
bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

std::size_t characters(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

std::string padded(std::string_view text, std::size_t width, bool right) {
    const std::size_t used = characters(text);
    const std::string blanks(width > used ? width - used : 0, ' ');
    return right ? blanks + std::string(text) : std::string(text) + blanks;
}

} // namespace

Output::Output(std::FILE *file) : file_(file), width_(terminal_width(fileno(file))) {
    const char *no_color = std::getenv("NO_COLOR"), *term = std::getenv("TERM");
    colour_ =
        width_ && (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

void Output::line(std::string_view text, Style style) {
    const std::string shown = fitted(text, width_);
    if (colour_ && style != Style::plain)
        fmt::print(file_, "{}{}\033[0m\n", escape(style), shown);
    else
        fmt::print(file_, "{}\n", shown);
}

void Output::raw(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file_);
}

void Output::table(const Table &table) {
    const std::vector<std::string> lines = table_lines(table);
    for (std::size_t i = 0; i < lines.size(); ++i)
        line(lines[i], i == 0 ? Style::heading : Style::plain);
}

std::vector<std::string> table_lines(const Table &table) {
    const std::size_t count = table.columns.size();
    std::vector<std::size_t> widths(count);
    for (std::size_t i = 0; i < count; ++i) {
        widths[i] = characters(table.columns[i].title);
        for (const auto &row : table.rows)
            widths[i] = std::max(widths[i], characters(row[i]));
    }
    const auto join = [&](auto cell) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i)
            text += (i == 0 ? "" : "  ") + padded(cell(i), widths[i], table.columns[i].right);
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    };
    std::vector<std::string> lines = {join([&](std::size_t i) { return table.columns[i].title; })};
    for (const auto &row : table.rows)
        lines.push_back(join([&](std::size_t i) { return row[i]; }));
    return lines;
}

std::string fitted(std::string_view text, std::optional<unsigned> width) {
    std::string shown;
    for (const char c : text)
        shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    if (!width || characters(shown) <= *width)
        return shown;
    const std::size_t keep = *width > 3 ? *width - 3 : 0;
    std::size_t at = 0;
    for (std::size_t seen = 0; at < shown.size(); ++at)
        if (!continues(shown[at]) && seen++ == keep)
            break;
    shown.resize(at);
    return shown + std::string("...").substr(0, *width);
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3)
        text.insert(at - 3, ",");
    return text;
}

std::string scaled(double number) {
    constexpr std::array<const char *, 6> kUnits = {"", "k", "M", "G", "T", "P"};
    std::size_t unit = 0;
    while (number >= 999.5 && unit + 1 < kUnits.size()) {
        number /= 1000;
        ++unit;
    }
    if (unit == 0)
        return fmt::format("{:.0f}", number);
    return fmt::format("{:.{}f}{}", number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string plural(std::uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

} // namespace beeline::cli
