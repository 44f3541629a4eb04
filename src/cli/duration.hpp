// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::cli {

/// "60s", "10m", "1h30m", "2d", "1w": whole numbers with units from large to small; seconds, at least 1, at most ten
/// years. Kind::usage.
[[nodiscard]] Result<std::chrono::seconds> read_duration(std::string_view text);
/// The two largest units: "53 s", "2 h 3 min", "4 d 1 h".
[[nodiscard]] std::string to_text(std::chrono::seconds duration);

} // namespace beeline::cli
