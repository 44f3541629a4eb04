// SPDX-License-Identifier: Apache-2.0
//
// The short cut's part of the JSON (daemon/json.hpp).
#pragma once

#include "daemon/json.hpp"

namespace beeline::daemon {

[[nodiscard]] Json local_json(const std::optional<local::Status> &status);
[[nodiscard]] Json report_json(const local::UpReport &report);
[[nodiscard]] Json plan_json(const local::Plan &plan);
/// Throws what the JSON library throws: call it within guarded().
[[nodiscard]] std::optional<local::Status> local_from(const Json &json);

} // namespace beeline::daemon
