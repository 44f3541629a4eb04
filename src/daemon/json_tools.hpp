// SPDX-License-Identifier: Apache-2.0
//
// What the parts' JSON has in common (daemon/json.hpp).
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

/// "file", "since", "since_unix" of a part that is up.
void add_origin(const std::string &file, std::chrono::system_clock::time_point since, Json &to);
[[nodiscard]] std::chrono::system_clock::time_point since_from(const Json &json);
/// The lists of a plan.
void add_rule_plan(const live::RulePlan &plan, Json &to);

} // namespace beeline::daemon
