// SPDX-License-Identifier: Apache-2.0
#include "daemon/json_guests.hpp"

#include <array>

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/address.hpp>

namespace beeline::daemon {
namespace {

/// By guest::Place::By: the keys of [[guest]].
constexpr std::array<std::string_view, 3> kPlaces = {"netns", "container", "tap"};

template <class T>
Json text_or_null(const std::optional<T> &value) {
    return value ? Json(kernel::to_string(*value)) : Json(nullptr);
}

Json hooks_json(const std::vector<guest::HookProgram> &hooks) {
    Json json = Json::array();
    for (const guest::HookProgram &hook : hooks)
        json.push_back({{"device", hook.device},
                        {"hook", hook.hook},
                        {"prog_id", hook.prog_id},
                        {"program", hook.program},
                        {"ours", hook.ours}});
    return json;
}

Json uplink_json(const guest::UplinkStatus &uplink) {
    return {{"name", uplink.name},
            {"ifindex", uplink.ifindex},
            {"attached", uplink.attached},
            {"address4", text_or_null(uplink.address4)},
            {"address6", text_or_null(uplink.address6)},
            {"mtu", uplink.mtu},
            {"hooks", hooks_json(uplink.hooks)}};
}

std::vector<guest::HookProgram> hooks_from(const Json &json) {
    std::vector<guest::HookProgram> hooks;
    for (const Json &hook : json)
        hooks.push_back({hook.at("device"), hook.at("hook"), hook.at("prog_id"), hook.at("program"), hook.at("ours")});
    return hooks;
}

/// What stands there was written by to_json(); a text that is no such thing is left out.
template <class T>
std::optional<T> value_of(Result<T> &&value) {
    return value ? std::optional(*std::move(value)) : std::nullopt;
}

std::optional<kernel::IpAddress> address_from(const Json &json) {
    return json.is_null() ? std::nullopt : value_of(kernel::IpAddress::parse(json.get<std::string>()));
}

guest::UplinkStatus uplink_from(const Json &json) {
    return {.name = json.at("name"),
            .ifindex = json.at("ifindex"),
            .attached = json.at("attached"),
            .address4 = address_from(json.at("address4")),
            .address6 = address_from(json.at("address6")),
            .mtu = json.at("mtu"),
            .hooks = hooks_from(json.at("hooks"))};
}

guest::Wiring wiring_from(const std::string &name) {
    using guest::Wiring;
    for (const Wiring wiring : {Wiring::netkit_l3, Wiring::netkit_l2, Wiring::veth})
        if (guest::name(wiring) == name)
            return wiring;
    return Wiring::tap;
}

guest::Place place_from(const Json &json) {
    for (std::size_t by = 0; by < kPlaces.size(); ++by)
        if (kPlaces[by] == json.at("by").get<std::string>())
            return {static_cast<guest::Place::By>(by), json.at("name")};
    return {.by = guest::Place::By::netns, .name = json.at("name")};
}

guest::GuestStatus guest_from(const Json &json) {
    guest::GuestStatus guest{.name = json.at("name"), .slot = json.at("slot")};
    guest.attached = json.at("attached");
    guest.runtime = json.at("runtime");
    guest.place = place_from(json.at("place"));
    guest.netns = json.at("netns");
    guest.wiring = wiring_from(json.at("wiring"));
    guest.why = json.at("why");
    guest.device = json.at("device");
    guest.host_device = json.at("host_device");
    guest.ifindex = json.at("ifindex");
    guest.mtu = json.at("mtu");
    for (const Json &address : json.at("addresses"))
        if (const auto read = kernel::IpPrefix::parse(address.get<std::string>()))
            guest.addresses.push_back(*read);
    if (!json.at("mac").is_null())
        guest.mac = value_of(kernel::parse_mac(json.at("mac").get<std::string>()));
    for (const auto &[name, value] : json.at("attributes").items())
        guest.attributes.emplace_back(name, value.get<std::string>());
    guest.ignored = json.at("ignored").get<std::vector<std::string>>();
    guest.masquerade = json.at("masquerade");
    for (const Json &port : json.at("publish"))
        if (const auto read = guest::read_publish(port.get<std::string>()))
            guest.publish.push_back(*read);
    for (const Json &rule : json.at("rules"))
        guest.rules.push_back({rule.at("text"), rule.at("line"), rule.at("packets"), rule.at("bytes")});
    guest.hooks = hooks_from(json.at("hooks"));
    guest.flows = json.at("flows");
    return guest;
}

} // namespace

Json to_json(const guest::GuestStatus &guest) {
    Json json = {{"name", guest.name},
                 {"slot", guest.slot},
                 {"attached", guest.attached},
                 {"runtime", guest.runtime},
                 {"place", {{"by", kPlaces[static_cast<std::size_t>(guest.place.by)]}, {"name", guest.place.name}}},
                 {"netns", guest.netns},
                 {"wiring", guest::name(guest.wiring)},
                 {"why", guest.why},
                 {"device", guest.device},
                 {"host_device", guest.host_device},
                 {"ifindex", guest.ifindex},
                 {"mtu", guest.mtu},
                 {"addresses", Json::array()},
                 {"mac", text_or_null(guest.mac)},
                 {"attributes", Json::object()},
                 {"ignored", guest.ignored},
                 {"masquerade", guest.masquerade},
                 {"publish", Json::array()},
                 {"flows", guest.flows},
                 {"rules", Json::array()},
                 {"hooks", hooks_json(guest.hooks)}};
    for (const kernel::IpPrefix &address : guest.addresses)
        json["addresses"].push_back(kernel::to_string(address));
    for (const auto &[name, value] : guest.attributes)
        json["attributes"][name] = value;
    for (const guest::Publish &port : guest.publish)
        json["publish"].push_back(guest::to_text(port));
    for (std::size_t i = 0; i < guest.rules.size(); ++i) {
        const guest::RuleStatus &rule = guest.rules[i];
        json["rules"].push_back({{"number", i + 1},
                                 {"text", rule.text},
                                 {"line", rule.line},
                                 {"packets", rule.packets},
                                 {"bytes", rule.bytes}});
    }
    return json;
}

Json guests_json(const std::optional<guest::Status> &status) {
    Json json = {{"up", status.has_value()}};
    if (!status)
        return json;
    add_origin(status->file, status->since, json);
    json["generation"] = status->generation;
    json["uplinks_auto"] = status->uplinks_auto;
    json["masquerade_ports"] = {status->masquerade_ports.low, status->masquerade_ports.high};
    json["flows"] = status->flows;
    json["flows_most"] = status->flows_most;
    json["uplinks"] = json["guests"] = Json::array();
    json["odd"] = Json::object();
    for (const guest::UplinkStatus &uplink : status->uplinks)
        json["uplinks"].push_back(uplink_json(uplink));
    for (const guest::GuestStatus &guest : status->guests)
        json["guests"].push_back(to_json(guest));
    for (const auto &[name, count] : status->odd)
        json["odd"][name] = count;
    return json;
}

Json report_json(const guest::UpReport &report) {
    return {{"first", report.first},     {"added", report.added},     {"removed", report.removed},
            {"rewired", report.rewired}, {"changed", report.changed}, {"warnings", report.warnings}};
}

Json plan_json(const guest::Plan &plan) {
    return {{"live", plan.live},
            {"empty", plan.empty()},
            {"added", plan.added},
            {"removed", plan.removed},
            {"rewired", plan.rewired},
            {"changed", plan.changed},
            {"uplinks_added", plan.uplinks_added},
            {"uplinks_removed", plan.uplinks_removed},
            {"settings", plan.settings}};
}

std::optional<guest::Status> guests_from(const Json &json) {
    if (!json.at("up").get<bool>())
        return std::nullopt;
    guest::Status status{.file = json.at("file")};
    status.since = since_from(json);
    status.generation = json.at("generation");
    status.uplinks_auto = json.at("uplinks_auto");
    status.masquerade_ports = {json.at("masquerade_ports").at(0), json.at("masquerade_ports").at(1)};
    status.flows = json.at("flows");
    status.flows_most = json.at("flows_most");
    for (const Json &uplink : json.at("uplinks"))
        status.uplinks.push_back(uplink_from(uplink));
    for (const Json &guest : json.at("guests"))
        status.guests.push_back(guest_from(guest));
    for (const auto &[name, count] : json.at("odd").items())
        status.odd.emplace_back(name, count.get<std::uint64_t>());
    return status;
}

} // namespace beeline::daemon
