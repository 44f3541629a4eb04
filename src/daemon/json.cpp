// SPDX-License-Identifier: Apache-2.0
#include "daemon/json.hpp"
#include "daemon/json_guests.hpp"
#include "daemon/json_local.hpp"
#include "daemon/json_tools.hpp"

#include <array>
#include <ctime>

#include <fmt/format.h>

#include <beeline/edge.h>
#include <beeline/edge/judge.hpp>
#include <beeline/edge/packet.hpp>
#include <beeline/edge/parse.hpp>

namespace beeline::daemon {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::array<std::string_view, 3> kSetTypes = {"prefix", "port", "mac"};
constexpr std::array<std::string_view, 8> kKinds = {"ok",          "host",       "usage",    "config",
                                                    "unsupported", "permission", "conflict", "state"};

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N> &names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name)
            return i;
    return std::nullopt;
}

Json seconds_or_null(const std::optional<seconds> &value) {
    return value ? Json(value->count()) : Json(nullptr);
}

std::optional<seconds> optional_seconds(const Json &json, const char *key) {
    const Json &value = json.at(key);
    return value.is_null() ? std::nullopt : std::optional(seconds(value.get<std::int64_t>()));
}

std::string to_hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte byte : bytes)
        text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return text;
}

edge::Mode mode_of(const std::string &name) {
    for (const edge::Mode mode : {edge::Mode::native, edge::Mode::generic, edge::Mode::offload})
        if (edge::mode_name(mode) == name)
            return mode;
    return edge::Mode::automatic;
}

edge::DeviceStatus device_from(const Json &json) {
    return {.name = json.at("name"),
            .ifindex = json.at("ifindex"),
            .mode = mode_of(json.at("mode")),
            .why = json.at("why"),
            .attached = json.at("attached")};
}

edge::Status status_from(const Json &json) {
    edge::Status status;
    status.generation = json.at("generation");
    status.file = json.at("file");
    status.since = since_from(json);
    status.rollback_in = optional_seconds(json, "rollback_in_seconds");
    for (const Json &device : json.at("devices"))
        status.devices.push_back(device_from(device));
    for (const Json &rule : json.at("rules"))
        status.rules.push_back({rule.at("text"), rule.at("line"), rule.at("packets"), rule.at("bytes")});
    for (const Json &set : json.at("sets"))
        status.sets.push_back(
            {set.at("name"),
             static_cast<edge::SetType>(index_of(kSetTypes, set.at("type").get<std::string>()).value_or(0)),
             set.at("entries")});
    for (const Json &xsk : json.at("xsks"))
        status.xsks.push_back({xsk.at("name"), xsk.at("map").get<std::string>(), xsk.at("first"), xsk.at("queues")});
    for (const auto &[name, count] : json.at("odd").items())
        status.odd.emplace_back(name, count.get<std::uint64_t>());
    for (const Json &hook : json.at("hooks"))
        status.hooks.push_back(
            {hook.at("device"), hook.at("hook"), hook.at("prog_id"), hook.at("program"), hook.at("ours")});
    return status;
}

} // namespace

std::string utc_time(std::chrono::system_clock::time_point time) {
    const std::time_t at = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    gmtime_r(&at, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

Json to_json(const edge::DeviceStatus &device) {
    return {{"name", device.name},
            {"ifindex", device.ifindex},
            {"mode", edge::mode_name(device.mode)},
            {"why", device.why},
            {"attached", device.attached}};
}

Json to_json(const std::optional<edge::Status> &status) {
    Json json = {{"version", kSchemaVersion}};
    Json &edge = json["edge"] = {{"up", status.has_value()}};
    if (!status)
        return json;
    edge["generation"] = status->generation;
    add_origin(status->file, status->since, edge);
    edge["rollback_in_seconds"] = seconds_or_null(status->rollback_in);
    for (const char *list : {"devices", "rules", "sets", "xsks"})
        edge[list] = Json::array();
    edge["odd"] = Json::object();
    edge["hooks"] = Json::array();
    for (const edge::DeviceStatus &device : status->devices)
        edge["devices"].push_back(to_json(device));
    for (std::size_t i = 0; i < status->rules.size(); ++i) {
        const edge::RuleStatus &rule = status->rules[i];
        edge["rules"].push_back({{"number", i + 1},
                                 {"text", rule.text},
                                 {"line", rule.line},
                                 {"packets", rule.packets},
                                 {"bytes", rule.bytes}});
    }
    for (const edge::SetStatus &set : status->sets)
        edge["sets"].push_back(
            {{"name", set.name}, {"type", kSetTypes[static_cast<std::size_t>(set.type)]}, {"entries", set.entries}});
    for (const edge::XskStatus &xsk : status->xsks)
        edge["xsks"].push_back(
            {{"name", xsk.name}, {"map", xsk.map.string()}, {"first", xsk.first}, {"queues", xsk.queues}});
    for (const auto &[name, count] : status->odd)
        edge["odd"][name] = count;
    for (const edge::HookProgram &hook : status->hooks)
        edge["hooks"].push_back({{"device", hook.device},
                                 {"hook", hook.hook},
                                 {"prog_id", hook.prog_id},
                                 {"program", hook.program},
                                 {"ours", hook.ours}});
    return json;
}

Json to_json(const edge::UpReport &report) {
    Json json = {{"version", kSchemaVersion},
                 {"generation", report.generation},
                 {"first", report.first},
                 {"devices", Json::array()},
                 {"warnings", report.warnings}};
    for (const edge::DeviceStatus &device : report.devices)
        json["devices"].push_back(to_json(device));
    return json;
}

void add_origin(const std::string &file, std::chrono::system_clock::time_point since, Json &to) {
    to["file"] = file;
    to["since"] = utc_time(since);
    to["since_unix"] = duration_cast<seconds>(since.time_since_epoch()).count();
}

std::chrono::system_clock::time_point since_from(const Json &json) {
    return std::chrono::system_clock::time_point(seconds(json.at("since_unix").get<std::int64_t>()));
}

void add_rule_plan(const live::RulePlan &plan, Json &to) {
    to["rules_added"] = plan.rules_added;
    to["rules_removed"] = plan.rules_removed;
    to["reordered"] = plan.reordered;
    to["sets_added"] = plan.sets_added;
    to["sets_removed"] = plan.sets_removed;
    to["sets_changed"] = plan.sets_changed;
}

Json to_json(const edge::Plan &plan) {
    Json json = {{"version", kSchemaVersion},
                 {"live", plan.live},
                 {"empty", plan.empty()},
                 {"devices_added", plan.devices_added},
                 {"devices_removed", plan.devices_removed}};
    add_rule_plan(plan, json);
    return json;
}

Json to_json(const std::vector<edge::SetEntry> &entries) {
    Json json = {{"version", kSchemaVersion}, {"entries", Json::array()}};
    for (const edge::SetEntry &entry : entries)
        json["entries"].push_back({{"entry", entry.text},
                                   {"runtime", entry.runtime},
                                   {"expires_in_seconds", seconds_or_null(entry.expires_in)}});
    return json;
}

Json to_json(const edge::LogEvent &event) {
    return {{"number", event.number},
            {"time_unix_ns", event.time.count()},
            {"device", event.device},
            {"rule", event.rule + 1},
            {"rule_text", event.rule_text},
            {"generation", event.generation},
            {"verdict", edge::verdict_name(event.verdict)},
            {"length", event.length},
            {"packet", edge::describe(event.bytes, event.length)},
            {"bytes", to_hex(event.bytes)}};
}

Json to_json(const Error &error) {
    return {{"version", kSchemaVersion},
            {"error",
             {{"kind", kKinds[static_cast<std::size_t>(error.kind)]},
              {"status", static_cast<int>(error.kind)},
              {"message", error.message()},
              {"detail", error.detail}}}};
}

Json to_json(const host::Status &status) {
    Json json = to_json(status.edge);
    json["guests"] = guests_json(status.guests);
    json["local"] = local_json(status.local);
    return json;
}

Json to_json(const host::UpReport &report) {
    Json json = report.edge ? to_json(*report.edge) : Json{{"version", kSchemaVersion}, {"warnings", Json::array()}};
    json["edge_down"] = report.edge_down;
    json["guests"] = report.guests ? report_json(*report.guests) : Json(nullptr);
    json["guests_down"] = report.guests_down;
    json["local"] = report.local ? report_json(*report.local) : Json(nullptr);
    json["local_down"] = report.local_down;
    return json;
}

Json to_json(const host::Plan &plan) {
    Json json = plan.edge ? to_json(*plan.edge) : Json{{"version", kSchemaVersion}};
    json["live"] = plan.live();
    json["empty"] = plan.empty();
    json["edge_down"] = plan.edge_down;
    json["guests"] = plan.guests ? plan_json(*plan.guests) : Json(nullptr);
    json["guests_down"] = plan.guests_down;
    json["local"] = plan.local ? plan_json(*plan.local) : Json(nullptr);
    json["local_down"] = plan.local_down;
    return json;
}

Result<host::Status> status_from_json(const Json &json) {
    return guarded([&] {
        host::Status status;
        if (const Json &edge = json.at("edge"); edge.at("up").get<bool>())
            status.edge = status_from(edge);
        if (json.contains("guests")) // a daemon of the version before has none
            status.guests = guests_from(json.at("guests"));
        if (json.contains("local"))
            status.local = local_from(json.at("local"));
        return status;
    });
}

Result<std::vector<edge::SetEntry>> set_entries_from_json(const Json &json) {
    return guarded([&] {
        std::vector<edge::SetEntry> entries;
        for (const Json &entry : json.at("entries"))
            entries.push_back({entry.at("entry"), entry.at("runtime"), optional_seconds(entry, "expires_in_seconds")});
        return entries;
    });
}

Result<edge::LogEvent> event_from_json(const Json &json) {
    auto event = guarded([&] {
        edge::LogEvent read;
        read.number = json.at("number");
        read.time = std::chrono::nanoseconds(json.at("time_unix_ns").get<std::int64_t>());
        read.device = json.at("device");
        read.rule = json.at("rule").get<std::uint32_t>() - 1;
        read.rule_text = json.at("rule_text");
        read.generation = json.at("generation");
        read.length = json.at("length");
        const std::string verdict = json.at("verdict");
        while (read.verdict < BL_EDGE_VERDICTS && edge::verdict_name(read.verdict) != verdict)
            ++read.verdict;
        return read;
    });
    if (!event)
        return event;
    BL_TRY(const std::string hex, guarded([&] { return json.at("bytes").get<std::string>(); }));
    BL_TRY(event->bytes, edge::read_hex(hex));
    return event;
}

Error error_from_json(const Json &json) {
    const auto error = guarded([&] {
        const Json &inner = json.at("error");
        const auto kind = index_of(kKinds, inner.at("kind").get<std::string>()).value_or(1);
        return Error{.kind = static_cast<Kind>(kind),
                     .what = inner.at("message").get<std::string>(),
                     .detail = inner.at("detail").get<std::string>()};
    });
    return error ? *error : error.error();
}

} // namespace beeline::daemon
