// SPDX-License-Identifier: Apache-2.0
#include "daemon/json_local.hpp"

#include <beeline/kernel/address.hpp>

#include "daemon/json_tools.hpp"

namespace beeline::daemon {
namespace {

Json rule_number(std::uint32_t rule) {
    return rule == BL_LOCAL_NO_RULE ? Json(nullptr) : Json(rule + 1);
}

std::uint32_t rule_from(const Json &json) {
    return json.is_null() ? BL_LOCAL_NO_RULE : json.get<std::uint32_t>() - 1;
}

Json end_json(const local::End &end) {
    if (!end.here)
        return nullptr;
    return {{"connected", end.active},
            {"on", end.filed},
            {"cookie", end.cookie},
            {"address", kernel::to_string(end.local)},
            {"port", end.local_port},
            {"peer_address", kernel::to_string(end.remote)},
            {"peer_port", end.remote_port},
            {"uid", end.uid},
            {"pid", end.pid},
            {"process", end.process},
            {"rule", rule_number(end.rule)},
            {"short_bytes", end.short_bytes},
            {"short_messages", end.short_messages},
            {"tcp_bytes", end.tcp_bytes},
            {"tcp_messages", end.tcp_messages}};
}

/// What stands there was written by end_json(); a text that is no address is left out.
kernel::IpAddress address_from(const Json &json) {
    return kernel::IpAddress::parse(json.get<std::string>()).value_or(kernel::IpAddress{});
}

local::End end_from(const Json &json) {
    if (json.is_null())
        return {};
    return {.here = true,
            .active = json.at("connected"),
            .filed = json.at("on"),
            .cookie = json.at("cookie"),
            .local = address_from(json.at("address")),
            .remote = address_from(json.at("peer_address")),
            .local_port = json.at("port"),
            .remote_port = json.at("peer_port"),
            .uid = json.at("uid"),
            .pid = json.at("pid"),
            .process = json.at("process"),
            .rule = rule_from(json.at("rule")),
            .short_bytes = json.at("short_bytes"),
            .short_messages = json.at("short_messages"),
            .tcp_bytes = json.at("tcp_bytes"),
            .tcp_messages = json.at("tcp_messages")};
}

local::State state_from(const std::string &name) {
    for (std::size_t i = 0; i < local::kStates; ++i)
        if (const auto state = static_cast<local::State>(i); local::name(state) == name)
            return state;
    return local::State::half;
}

} // namespace

Json local_json(const std::optional<local::Status> &status) {
    Json json = {{"up", status.has_value()}};
    if (!status)
        return json;
    add_origin(status->file, status->since, json);
    json["draining"] = status->draining;
    json["limit"] = status->limit;
    json["lowat"] = status->lowat;
    json["thresholds"] = {{"run_length", status->thresholds.run_length},
                          {"min_mean", status->thresholds.min_mean},
                          {"min_turns", status->thresholds.min_turns},
                          {"min_receives", status->thresholds.min_receives}};
    json["connections"] = json["reasons"] = Json::object();
    for (std::size_t i = 0; i < local::kStates; ++i)
        json["connections"][local::name(static_cast<local::State>(i))] = status->by_state.at(i);
    json["rules"] = Json::array();
    for (std::size_t i = 0; i < status->rules.size(); ++i) {
        const local::Rule &rule = status->rules[i];
        json["rules"].push_back({{"number", i + 1},
                                 {"text", rule.text},
                                 {"line", rule.line},
                                 {"connections", rule.connections},
                                 {"short_bytes", rule.short_bytes},
                                 {"short_messages", rule.short_messages},
                                 {"tcp_bytes", rule.tcp_bytes},
                                 {"tcp_messages", rule.tcp_messages}});
    }
    for (const auto &[name, count] : status->reasons)
        json["reasons"][name] = count;
    return json;
}

std::optional<local::Status> local_from(const Json &json) {
    if (!json.at("up").get<bool>())
        return std::nullopt;
    local::Status status{.file = json.at("file")};
    status.since = since_from(json);
    status.draining = json.at("draining");
    status.limit = json.at("limit");
    status.lowat = json.at("lowat");
    const Json &thresholds = json.at("thresholds");
    status.thresholds = {.run_length = thresholds.at("run_length"),
                         .min_mean = thresholds.at("min_mean"),
                         .min_turns = thresholds.at("min_turns"),
                         .min_receives = thresholds.at("min_receives")};
    for (std::size_t i = 0; i < local::kStates; ++i)
        status.by_state.at(i) = json.at("connections").at(std::string(local::name(static_cast<local::State>(i))));
    for (const Json &rule : json.at("rules"))
        status.rules.push_back({.text = rule.at("text"),
                                .line = rule.at("line"),
                                .connections = rule.at("connections"),
                                .short_bytes = rule.at("short_bytes"),
                                .short_messages = rule.at("short_messages"),
                                .tcp_bytes = rule.at("tcp_bytes"),
                                .tcp_messages = rule.at("tcp_messages")});
    for (const auto &[name, count] : json.at("reasons").items())
        status.reasons.emplace_back(name, count.get<std::uint64_t>());
    return status;
}

Json report_json(const local::UpReport &report) {
    return {{"first", report.first}, {"changed", report.changed}};
}

Json plan_json(const local::Plan &plan) {
    Json json = {{"live", plan.live}, {"empty", plan.empty()}, {"settings", plan.settings}};
    add_rule_plan(plan, json);
    return json;
}

Json connections_to_json(const std::optional<std::vector<local::Connection>> &connections) {
    Json json = {{"version", kSchemaVersion}, {"up", connections.has_value()}, {"connections", Json::array()}};
    for (const local::Connection &connection : connections.value_or(std::vector<local::Connection>()))
        json["connections"].push_back({{"state", local::name(connection.state)},
                                       {"reason", connection.reason},
                                       {"rule", rule_number(connection.rule)},
                                       {"since_monotonic_ns", connection.since.count()},
                                       {"ends", {end_json(connection.ends[0]), end_json(connection.ends[1])}}});
    return json;
}

Result<std::vector<local::Connection>> connections_from_json(const Json &json) {
    return guarded([&] {
        std::vector<local::Connection> connections;
        for (const Json &one : json.at("connections"))
            connections.push_back({.state = state_from(one.at("state")),
                                   .reason = one.at("reason"),
                                   .rule = rule_from(one.at("rule")),
                                   .since = std::chrono::nanoseconds(one.at("since_monotonic_ns").get<std::int64_t>()),
                                   .ends = {end_from(one.at("ends").at(0)), end_from(one.at("ends").at(1))}});
        return connections;
    });
}

} // namespace beeline::daemon
