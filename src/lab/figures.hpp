// SPDX-License-Identifier: Apache-2.0
//
// Figures with their spread, the ratio of two of them, and the rows that `--json` prints.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace beeline::lab {

struct Spread {
    double median = 0, min = 0, max = 0;
    std::size_t runs = 0; ///< 0: nothing was measured, the rest means nothing.
};

[[nodiscard]] Spread spread(std::vector<double> values);

/// The same without the lowest and the highest hundredth: of thousands of samples, one is always interrupted.
[[nodiscard]] Spread spread_98(std::vector<double> values);

/// "43.1 [42.0-45.3]", from 1000 on without decimals; "-" when nothing was measured.
[[nodiscard]] std::string text(const Spread &figure, int digits = 1);

/// above[i] / below[i], round by round: what was measured next to each other is compared with each other. Rounds
/// without a positive divisor are left out.
[[nodiscard]] Spread ratio(const std::vector<double> &above, const std::vector<double> &below);

/// a[i] - b[i], as far as both go.
[[nodiscard]] std::vector<double> less(const std::vector<double> &a, const std::vector<double> &b);

/// One row of `bench --json`: {"part","case","subject","unit","better","median","min","max","runs","cpus"}.
struct Row {
    std::string part;
    std::string name;    ///< "case": a slug that stays, as "drop-10-rules".
    std::string subject; ///< beeline, stock:<name>, peer:<name> or limit:<name>.
    std::string unit;
    bool lower_is_better = true;
    Spread figure;
    unsigned cpus = 1;
};

[[nodiscard]] nlohmann::ordered_json to_json(const Row &row);

} // namespace beeline::lab
