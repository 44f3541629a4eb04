// SPDX-License-Identifier: Apache-2.0
//
// The figures of docs/cost.md: read, compared, written. They stand between two marks, under the name of what they were
// measured on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/figures.hpp"

#include <beeline/result.hpp>

namespace beeline::cost {

struct Line {
    std::string name;    ///< Row::name.
    std::string subject; ///< Row::subject.
    double median = 0;   ///< Instructions.
    double spread = 0;   ///< (max - min) / median.
    bool operator==(const Line &) const = default;
};

struct Table {
    std::string measured_on; ///< Kernel and QEMU: figures of others do not compare.
    std::vector<Line> lines;
    bool operator==(const Table &) const = default;
};

[[nodiscard]] Table table_of(std::string measured_on, const std::vector<lab::Row> &rows);
[[nodiscard]] std::string to_text(const Table &table); ///< Markdown.

[[nodiscard]] Result<Table> read_table(std::string_view document);
/// The document with table in the place of its own.
[[nodiscard]] Result<std::string> replace_table(std::string_view document, const Table &table);

/// How far a median may be from the documented one.
inline constexpr double kTolerance = 0.03;
/// A sentence for each row that is off by more, or that only one of the two has; all: whether the documented rows must
/// all have been measured.
[[nodiscard]] std::vector<std::string> differences(const Table &documented, const Table &measured, bool all);

} // namespace beeline::cost
