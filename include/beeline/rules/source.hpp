// SPDX-License-Identifier: Apache-2.0
//
// Places in the files a user wrote, and what is said about them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace beeline::rules {

/// A piece of one line of one file. line and column count from 1; columns count bytes. line 0: no place.
struct Span {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::uint32_t length = 1; ///< Columns to underline, at least 1.
};

enum class Severity : std::uint8_t { warning, error };

/// One thing said about one place:
///
///     beeline.toml:12:9: error: unknown match 'dpotr'
///         "tcp dpotr 22 -> drop",
///              ^~~~~
///         expected a match, 'rate' or '->'; did you mean 'dport'?
struct Diagnostic {
    Severity severity = Severity::error;
    Span where;
    std::string message; ///< What is wrong, one line, no final stop.
    std::string line;    ///< The source line itself; empty when there is none.
    std::string hint;    ///< What was expected, the nearest known word, the remedy; may be empty.

    /// The four-line form above (no final newline).
    [[nodiscard]] std::string text() const;
    /// "file:line:column: error: message; hint" on one line.
    [[nodiscard]] std::string one_line() const;
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics &diagnostics);

} // namespace beeline::rules
