// SPDX-License-Identifier: Apache-2.0
#include "edge/state.hpp"

#include <nlohmann/json.hpp>

#include <beeline/kernel/text_map.hpp>

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
    json sets = json::array();
    for (const State::SetPlace &set : state.sets)
        sets.push_back(
            {{"name", set.name}, {"type", static_cast<int>(set.type)}, {"index", set.index}, {"digest", set.digest}});
    return {{"abi", state.abi},
            {"generation", state.generation},
            {"highest", state.highest},
            {"file", state.file},
            {"since", state.since},
            {"confirm_until", state.confirm_until},
            {"netns", state.netns},
            {"devices", std::move(devices)},
            {"texts", state.texts},
            {"lines", state.lines},
            {"counter_of_rule", state.counter_of_rule},
            {"counters", state.counters},
            {"xsks", state.xsks},
            {"sets", std::move(sets)}};
}

/// Throws json::exception on anything that is not as to_json() makes it.
State from_json(const json &record) {
    State state;
    record.at("abi").get_to(state.abi);
    if (state.abi != BL_ABI_VERSION)
        return state;
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
    record.at("texts").get_to(state.texts);
    record.at("lines").get_to(state.lines);
    record.at("counter_of_rule").get_to(state.counter_of_rule);
    record.at("counters").get_to(state.counters);
    record.at("xsks").get_to(state.xsks);
    for (const json &set : record.at("sets"))
        state.sets.push_back({.name = set.at("name"),
                              .type = static_cast<SetType>(set.at("type").get<int>()),
                              .index = set.at("index"),
                              .digest = set.at("digest")});
    if (state.lines.size() != state.texts.size() || state.counter_of_rule.size() != state.texts.size())
        throw json::other_error::create(501, "the lists of rules have different lengths", &record);
    return state;
}

std::string text_of(const State &state) {
    return to_json(state).dump(-1, ' ', true, json::error_handler_t::replace);
}

constexpr const char *kRemedy = "take it down with `beeline down`, then bring it up again";

} // namespace

Result<> write_state(const State &state, const std::filesystem::path &directory) {
    return kernel::pin_text(kStatePin, text_of(state), directory / kStatePin);
}

Result<> rewrite_state(const State &state, const std::filesystem::path &directory) {
    return kernel::repin_text(kStatePin, text_of(state), directory / kStatePin);
}

Error damaged(Error error, const std::filesystem::path &directory) {
    if (error.kind == Kind::permission)
        return error;
    error.kind = Kind::state;
    error.remedy = kRemedy;
    return std::move(error).within("state pinned in " + directory.string() + " is damaged");
}

Result<State> read_state(const std::filesystem::path &directory) {
    const auto text = kernel::pinned_text(kStatePin, directory / kStatePin);
    if (!text)
        return std::unexpected(damaged(text.error(), directory));
    const std::string place = "state pinned in " + directory.string();
    try {
        State state = from_json(json::parse(*text));
        if (state.abi != BL_ABI_VERSION)
            return fail(Kind::state, 0,
                        place + " is of ABI version " + std::to_string(state.abi) + ", this program speaks " +
                            std::to_string(BL_ABI_VERSION),
                        kRemedy);
        return state;
    } catch (const json::exception &) {
        return fail(Kind::state, 0, place + " is damaged", kRemedy);
    }
}

} // namespace beeline::edge
