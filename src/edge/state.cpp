// SPDX-License-Identifier: Apache-2.0
#include "edge/state.hpp"

#include <beeline/kernel/text_map.hpp>

#include "live/record.hpp"

namespace beeline::edge {
namespace {

using nlohmann::json;

json to_json(const State &state) {
    json devices = json::array();
    for (const DeviceStatus &device : state.devices)
        devices.push_back({{"name", device.name},
                           {"ifindex", device.ifindex},
                           {"mode", static_cast<int>(device.mode)},
                           {"why", device.why}});
    json record = {{"abi", state.abi},     {"generation", state.generation}, {"highest", state.highest},
                   {"file", state.file},   {"since", state.since},           {"confirm_until", state.confirm_until},
                   {"netns", state.netns}, {"devices", std::move(devices)},  {"xsks", state.xsks}};
    live::add_rules(state, record);
    return record;
}

/// Throws json::exception on anything that is not as to_json() makes it.
void read_into(State &state, const json &record) {
    record.at("abi").get_to(state.abi);
    record.at("generation").get_to(state.generation);
    record.at("highest").get_to(state.highest);
    record.at("file").get_to(state.file);
    record.at("since").get_to(state.since);
    record.at("confirm_until").get_to(state.confirm_until);
    record.at("netns").get_to(state.netns);
    for (const json &device : record.at("devices"))
        state.devices.push_back({.name = device.at("name"),
                                 .ifindex = device.at("ifindex"),
                                 .mode = static_cast<Mode>(device.at("mode").get<int>()),
                                 .why = device.at("why")});
    record.at("xsks").get_to(state.xsks);
    live::read_rules(state, record);
}

} // namespace

Result<> write_state(const State &state, const std::filesystem::path &directory) {
    return kernel::pin_text(kStatePin, live::text_of(to_json(state)), directory / kStatePin);
}

Result<> rewrite_state(const State &state, const std::filesystem::path &directory) {
    return kernel::repin_text(kStatePin, live::text_of(to_json(state)), directory / kStatePin);
}

Result<State> read_state(const std::filesystem::path &directory) {
    return live::read_record<State>(kStatePin, directory, read_into);
}

} // namespace beeline::edge
