// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace beeline::cli {
namespace {

struct Unit {
    char letter;
    const char *shown;
    std::int64_t seconds;
};
constexpr std::array<Unit, 5> kUnits = {
    {{'w', "w", 7 * 86400}, {'d', "d", 86400}, {'h', "h", 3600}, {'m', "min", 60}, {'s', "s", 1}}};
constexpr std::int64_t kMax = 10LL * 366 * 86400;

std::unexpected<Error> wrong(std::string_view text) {
    return fail(Kind::usage, 0, fmt::format("'{}' is no time", text),
                "expected a number with s, m, h, d or w: 60s, 10m, 1h30m");
}

} // namespace

Result<std::chrono::seconds> read_duration(std::string_view text) {
    std::int64_t total = 0;
    std::size_t unit = 0; // units that may still come
    std::string_view rest = text;
    while (!rest.empty()) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        const auto digits = static_cast<std::size_t>(end - rest.data());
        if (error != std::errc{} || rest[0] == '-' || digits == rest.size() || number > kMax)
            return wrong(text);
        while (unit < kUnits.size() && kUnits[unit].letter != rest[digits])
            ++unit;
        if (unit == kUnits.size() || number * kUnits[unit].seconds > kMax - total)
            return wrong(text);
        total += number * kUnits[unit++].seconds;
        rest.remove_prefix(digits + 1);
    }
    if (total == 0)
        return wrong(text);
    return std::chrono::seconds(total);
}

std::string to_text(std::chrono::seconds duration) {
    std::int64_t left = duration.count();
    std::string text;
    unsigned shown = 0;
    for (const Unit &unit : kUnits) {
        const std::int64_t count = left / unit.seconds;
        if (unit.letter == 'w' || (count == 0 && (shown == 0 ? unit.letter != 's' : true)))
            continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, unit.shown);
        left -= count * unit.seconds;
        if (++shown == 2)
            break;
    }
    return text;
}

} // namespace beeline::cli
