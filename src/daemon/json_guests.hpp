// SPDX-License-Identifier: Apache-2.0
//
// The guests' part of the JSON (daemon/json.hpp).
#pragma once

#include "daemon/json.hpp"

namespace beeline::daemon {

/// f's value, or Kind::state for what the JSON library throws.
template <class F>
auto guarded(F &&f) -> Result<decltype(f())> {
    try {
        return f();
    } catch (const nlohmann::json::exception &error) {
        return fail(Kind::state, 0, std::string("unexpected answer: ") + error.what(),
                    "is the daemon of the same version?");
    }
}

[[nodiscard]] Json guests_json(const std::optional<guest::Status> &status);
[[nodiscard]] Json report_json(const guest::UpReport &report);
[[nodiscard]] Json plan_json(const guest::Plan &plan);
/// Throws what the JSON library throws: call it within guarded().
[[nodiscard]] std::optional<guest::Status> guests_from(const Json &json);

} // namespace beeline::daemon
