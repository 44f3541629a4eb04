// SPDX-License-Identifier: Apache-2.0
//
// What the demo says: scenes, checks that hold or do not, and a table at the end. 80 columns, colour only on request.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/lab/commands.hpp>

namespace beeline::lab {

/// Whether a stream gets colour: as wanted, else when it is a terminal, TERM is not "dumb" and NO_COLOR is not set.
[[nodiscard]] bool use_colour(std::FILE *out, std::optional<bool> wanted);

/// One line of the table at the end.
struct Comparison {
    std::string what;    ///< "UDP round trip over lo, us".
    std::string stock;   ///< The kernel's own way.
    std::string beeline; //
    std::string gain;    ///< "8.1x", or empty.
};

class Report {
public:
    Report(std::FILE *out, bool colour) : out_(out), colour_(colour) {}

    /// The first lines.
    void title(std::string_view text);
    /// "1  Filter: ..." with the number counted on.
    void scene(std::string_view heading);
    void line(std::string_view text = {});
    /// A rule, a command: shown as the user would write it.
    void quote(std::string_view text);
    /// Two columns of a small table.
    void row(std::string_view label, std::string_view first, std::string_view second = {});

    /// Says whether it held; why is told when it did not. Returns held.
    bool check(bool held, std::string_view what, std::string_view why = {});
    void skip(std::string_view what, std::string_view why);

    void compare(Comparison comparison) { comparisons_.push_back(std::move(comparison)); }
    /// The table of all comparisons, and the last line.
    void finish();

    [[nodiscard]] const DemoOutcome &outcome() const { return outcome_; }

private:
    enum class Colour : std::uint8_t { bold, good, bad, dim };
    [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;
    void flush() { std::fflush(out_); }

    std::FILE *out_;
    bool colour_;
    unsigned scenes_ = 0;
    DemoOutcome outcome_;
    std::vector<Comparison> comparisons_;
};

} // namespace beeline::lab
