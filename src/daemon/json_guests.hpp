// SPDX-License-Identifier: Apache-2.0
//
// The guests' part of the JSON (daemon/json.hpp).
#pragma once

#include "daemon/json_tools.hpp"

namespace beeline::daemon {

[[nodiscard]] Json guests_json(const std::optional<guest::Status> &status);
[[nodiscard]] Json report_json(const guest::UpReport &report);
[[nodiscard]] Json plan_json(const guest::Plan &plan);
/// Throws what the JSON library throws: call it within guarded().
[[nodiscard]] std::optional<guest::Status> guests_from(const Json &json);

} // namespace beeline::daemon
