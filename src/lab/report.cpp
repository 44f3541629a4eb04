// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

namespace beeline::lab {

bool use_colour(std::FILE *out, std::optional<bool> wanted) {
    if (wanted)
        return *wanted;
    const char *term = std::getenv("TERM");
    return std::getenv("NO_COLOR") == nullptr && (term == nullptr || std::string_view(term) != "dumb") &&
           ::isatty(::fileno(out)) == 1;
}

std::string Report::paint(Colour colour, std::string_view text) const {
    if (!colour_)
        return std::string(text);
    constexpr std::string_view kCodes[] = {"1", "32", "1;31", "2"};
    return fmt::format("\033[{}m{}\033[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

void Report::title(std::string_view text) {
    fmt::print(out_, "{}\n", paint(Colour::bold, text));
    flush();
}

void Report::scene(std::string_view heading) {
    fmt::print(out_, "\n{}\n", paint(Colour::bold, fmt::format("{}  {}", ++scenes_, heading)));
    flush();
}

void Report::line(std::string_view text) {
    fmt::print(out_, "{}{}\n", text.empty() ? "" : "   ", text);
    flush();
}

void Report::quote(std::string_view text) {
    fmt::print(out_, "       {}\n", paint(Colour::dim, text));
    flush();
}

void Report::row(std::string_view label, std::string_view first, std::string_view second) {
    fmt::print(out_, "     {:31}{:>20}{:>22}\n", label, first, second);
    flush();
}

bool Report::check(bool held, std::string_view what, std::string_view why) {
    ++outcome_.checks;
    if (held) {
        fmt::print(out_, "   {}  {}\n", paint(Colour::good, "ok"), what);
    } else {
        ++outcome_.failed;
        fmt::print(out_, "   {}  {}{}{}\n", paint(Colour::bad, "FAILED"), what, why.empty() ? "" : ": ", why);
    }
    flush();
    return held;
}

void Report::skip(std::string_view what, std::string_view why) {
    ++outcome_.skipped;
    fmt::print(out_, "   {}  {}: {}\n", paint(Colour::dim, "--"), what, why);
    flush();
}

void Report::finish() {
    fmt::print(out_, "\n{}\n",
               paint(Colour::bold, fmt::format("   {:32}{:>18}{:>16}{:>9}", "side by side (medians)", "stock path",
                                               "Beeline", "gain")));
    for (const Comparison &c : comparisons_)
        fmt::print(out_, "   {:32}{:>18}{:>16}{:>9}\n", c.what, c.stock, c.beeline, c.gain);
    const std::string skipped = outcome_.skipped == 0 ? "" : fmt::format(", {} skipped", outcome_.skipped);
    if (outcome_.good())
        fmt::print(out_, "\n   {}\n",
                   paint(Colour::good, fmt::format("all {} checks held{}", outcome_.checks, skipped)));
    else
        fmt::print(
            out_, "\n   {}\n",
            paint(Colour::bad, fmt::format("{} of {} checks failed{}", outcome_.failed, outcome_.checks, skipped)));
    flush();
}

} // namespace beeline::lab
