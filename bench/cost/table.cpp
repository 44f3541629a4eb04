// SPDX-License-Identifier: Apache-2.0
#include "cost/table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace beeline::cost {
namespace {

constexpr std::string_view kBegin = "<!-- figures: written by ./run vm bench --write -->\n";
constexpr std::string_view kEnd = "<!-- end of figures -->\n";
constexpr std::string_view kOn = "Measured on ";

/// Where the figures stand in the document: offset and length, without the marks.
Result<std::pair<std::size_t, std::size_t>> place(std::string_view document) {
    const std::size_t begin = document.find(kBegin), end = document.find(kEnd);
    if (begin == document.npos || end == document.npos || end < begin)
        return fail(Kind::config, 0, "the document lacks the marks around its figures");
    const std::size_t from = begin + kBegin.size();
    return std::pair(from, end - from);
}

/// "| a | b | 12.5 | 0.02 % |"; nothing for the head of a table and for what is no line of it.
std::optional<Line> parse_line(std::string_view text) {
    std::vector<std::string_view> cells;
    while (text.starts_with("| ")) {
        text.remove_prefix(2);
        const std::size_t end = text.find(" |");
        if (end == text.npos)
            return std::nullopt;
        cells.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    if (cells.size() != 4)
        return std::nullopt;
    Line line{.name = std::string(cells[0]), .subject = std::string(cells[1])};
    const auto number = [](std::string_view cell, double &value) {
        return std::from_chars(cell.data(), cell.data() + cell.size(), value).ec == std::errc();
    };
    if (!number(cells[2], line.median) || !number(cells[3], line.spread))
        return std::nullopt;
    line.spread /= 100;
    return line;
}

const Line *find(const Table &table, const Line &like) {
    const auto found = std::ranges::find_if(
        table.lines, [&like](const Line &line) { return line.name == like.name && line.subject == like.subject; });
    return found == table.lines.end() ? nullptr : &*found;
}

} // namespace

Table table_of(std::string measured_on, const std::vector<lab::Row> &rows) {
    Table table{.measured_on = std::move(measured_on), .lines = {}};
    for (const lab::Row &row : rows)
        table.lines.push_back({.name = row.name,
                               .subject = row.subject,
                               .median = row.figure.median,
                               .spread = (row.figure.max - row.figure.min) / row.figure.median});
    return table;
}

std::string to_text(const Table &table) {
    std::string text =
        fmt::format("{}{}.\n\n| case | subject | instructions | spread |\n|---|---|---|---|\n", kOn, table.measured_on);
    for (const Line &line : table.lines)
        text +=
            fmt::format("| {} | {} | {:.1f} | {:.2f} % |\n", line.name, line.subject, line.median, line.spread * 100);
    return text;
}

Result<Table> read_table(std::string_view document) {
    BL_TRY(const auto at, place(document));
    std::string_view rest = document.substr(at.first, at.second);
    Table table;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
        const std::string_view text = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        if (text.starts_with(kOn) && text.ends_with('.'))
            table.measured_on = text.substr(kOn.size(), text.size() - kOn.size() - 1);
        if (auto line = parse_line(text))
            table.lines.push_back(*std::move(line));
    }
    return table;
}

Result<std::string> replace_table(std::string_view document, const Table &table) {
    BL_TRY(const auto at, place(document));
    return std::string(document).replace(at.first, at.second, to_text(table));
}

std::vector<std::string> differences(const Table &documented, const Table &measured, bool all) {
    std::vector<std::string> found;
    for (const Line &line : measured.lines) {
        const Line *old = find(documented, line);
        if (old == nullptr)
            found.push_back(
                fmt::format("{} {}: {:.1f} instructions, not documented", line.name, line.subject, line.median));
        else if (!(std::abs(line.median - old->median) <= kTolerance * old->median)) // a NaN is off, too
            found.push_back(fmt::format("{} {}: {:.1f} instructions documented, {:.1f} measured ({:+.1f} %)", line.name,
                                        line.subject, old->median, line.median, (line.median / old->median - 1) * 100));
    }
    if (all)
        for (const Line &line : documented.lines)
            if (find(measured, line) == nullptr)
                found.push_back(fmt::format("{} {}: documented, not measured", line.name, line.subject));
    return found;
}

} // namespace beeline::cost
