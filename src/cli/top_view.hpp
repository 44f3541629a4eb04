// SPDX-License-Identifier: Apache-2.0
//
// What `top` shows, as lines.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/events.hpp>
#include <beeline/guest/guest.hpp>
#include <beeline/local/local.hpp>

namespace beeline::cli {

struct Sample {
    std::chrono::steady_clock::time_point time{};
    std::optional<edge::Status> status = {};  ///< Nothing: no edge is up.
    std::optional<guest::Status> guests = {}; ///< The same.
    std::optional<local::Status> local = {};  ///< The same.
};

struct TopView {
    const Sample &before;
    const Sample &now;
    const std::deque<edge::LogEvent> &events;
    std::string note = {}; ///< Where events come from, or why there are none.
};

/// At most height lines (0: as many as there are); lines are not cut to the width.
[[nodiscard]] std::vector<std::string> top_lines(const TopView &view, std::size_t height);

} // namespace beeline::cli
