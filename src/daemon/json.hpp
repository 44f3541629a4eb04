// SPDX-License-Identifier: Apache-2.0
//
// The JSON of `--json` and of the control socket; docs/control.md is the schema. Fields are added, never renamed.
#pragma once

#include <nlohmann/json.hpp>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/events.hpp>
#include <beeline/host/host.hpp>
#include <beeline/result.hpp>

namespace beeline::daemon {

/// Keeps the order of writing, so that output is stable.
using Json = nlohmann::ordered_json;

/// Of every answer: bumped only if a field ever had to change its meaning.
inline constexpr int kSchemaVersion = 1;

[[nodiscard]] Json to_json(const edge::DeviceStatus &device);
/// Nothing: no edge is up.
[[nodiscard]] Json to_json(const std::optional<edge::Status> &status);
[[nodiscard]] Json to_json(const edge::UpReport &report);
[[nodiscard]] Json to_json(const edge::Plan &plan);
[[nodiscard]] Json to_json(const guest::GuestStatus &guest);
/// Nothing: [local] is not up.
[[nodiscard]] Json connections_to_json(const std::optional<std::vector<local::Connection>> &connections);
/// The edge's answer with "guests" and "local" (without its connections) beside it, for the parts that there are.
[[nodiscard]] Json to_json(const host::Status &status);
[[nodiscard]] Json to_json(const host::UpReport &report);
[[nodiscard]] Json to_json(const host::Plan &plan);
[[nodiscard]] Json to_json(const std::vector<edge::SetEntry> &entries);
[[nodiscard]] Json to_json(const edge::LogEvent &event);
[[nodiscard]] Json to_json(const Error &error);

/// The other way, for clients. Kind::state when the text is no such thing.
[[nodiscard]] Result<host::Status> status_from_json(const Json &json);
[[nodiscard]] Result<std::vector<local::Connection>> connections_from_json(const Json &json);
[[nodiscard]] Result<std::vector<edge::SetEntry>> set_entries_from_json(const Json &json);
[[nodiscard]] Result<edge::LogEvent> event_from_json(const Json &json);
[[nodiscard]] Error error_from_json(const Json &json);

/// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point time);

} // namespace beeline::daemon
