// SPDX-License-Identifier: Apache-2.0
#include "lab/figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace beeline::lab {

Spread spread(std::vector<double> values) {
    if (values.empty())
        return {};
    std::ranges::sort(values);
    const std::size_t n = values.size();
    const double median = n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return {.median = median, .min = values.front(), .max = values.back(), .runs = n};
}

Spread spread_98(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t off = values.size() / 100;
    return spread({values.begin() + static_cast<std::ptrdiff_t>(off), values.end() - static_cast<std::ptrdiff_t>(off)});
}

std::string text(const Spread &figure, int digits) {
    if (figure.runs == 0)
        return "-";
    if (figure.median >= 1000)
        digits = 0;
    return fmt::format("{:.{}f} [{:.{}f}-{:.{}f}]", figure.median, digits, figure.min, digits, figure.max, digits);
}

Spread ratio(const std::vector<double> &above, const std::vector<double> &below) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(above.size(), below.size()); ++i) {
        if (std::isfinite(above[i]) && below[i] > 0)
            ratios.push_back(above[i] / below[i]);
    }
    return spread(std::move(ratios));
}

std::vector<double> less(const std::vector<double> &a, const std::vector<double> &b) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        differences.push_back(a[i] - b[i]);
    return differences;
}

nlohmann::ordered_json to_json(const Row &row) {
    return {{"part", row.part},
            {"case", row.name},
            {"subject", row.subject},
            {"unit", row.unit},
            {"better", row.lower_is_better ? "lower" : "higher"},
            {"median", row.figure.median},
            {"min", row.figure.min},
            {"max", row.figure.max},
            {"runs", row.figure.runs},
            {"cpus", row.cpus}};
}

} // namespace beeline::lab
