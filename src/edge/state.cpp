// SPDX-License-Identifier: Apache-2.0
#include "edge/state.hpp"

#include <span>

#include <nlohmann/json.hpp>

#include <beeline/kernel/map.hpp>

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

Result<> fill(int fd, std::string text) {
    BL_TRY(const kernel::MapInfo info, kernel::map_info(fd));
    if (text.size() >= info.value_size)
        return fail(Kind::state, 0, "the record of the edge does not fit its map any more");
    text.resize(info.value_size, '\0');
    const std::uint32_t zero = 0;
    return kernel::raw::update(fd, info, &zero, text.data(), kernel::Update::any);
}

constexpr const char *kRemedy = "take it down with `beeline down`, then bring it up again";

} // namespace

Result<> write_state(const State &state, const std::filesystem::path &directory) {
    std::string text = text_of(state);
    BL_TRY(kernel::UniqueFd fd, kernel::create_map({.type = BPF_MAP_TYPE_ARRAY,
                                                    .name = "edge_state",
                                                    .value_size = static_cast<std::uint32_t>(text.size() + 1)}));
    BL_CHECK(fill(fd.get(), std::move(text)));
    return kernel::pin_object(fd.get(), directory / kStatePin);
}

Result<> rewrite_state(const State &state, const std::filesystem::path &directory) {
    BL_TRY(const kernel::UniqueFd fd, kernel::pinned_object(directory / kStatePin));
    return fill(fd.get(), text_of(state));
}

Error damaged(Error error, const std::filesystem::path &directory) {
    if (error.kind == Kind::permission)
        return error;
    error.kind = Kind::state;
    error.remedy = kRemedy;
    return std::move(error).within("state pinned in " + directory.string() + " is damaged");
}

Result<State> read_state(const std::filesystem::path &directory) {
    const auto fd = kernel::pinned_object(directory / kStatePin);
    if (!fd)
        return std::unexpected(damaged(fd.error(), directory));
    const auto found_info = kernel::map_info(fd->get());
    if (!found_info)
        return std::unexpected(damaged(found_info.error(), directory));
    const kernel::MapInfo &info = *found_info;
    if (info.type != BPF_MAP_TYPE_ARRAY || info.name != kStatePin)
        return fail(Kind::state, 0,
                    "state pinned in " + directory.string() + " is damaged: " + kStatePin + " is " +
                        kernel::raw::describe(info),
                    kRemedy);
    const std::uint32_t zero = 0;
    std::string text(info.value_size, '\0');
    BL_TRY(const bool found,
           kernel::raw::lookup(fd->get(), info, &zero, std::as_writable_bytes(std::span(text.data(), text.size()))));
    text.resize(found ? text.find('\0') == std::string::npos ? text.size() : text.find('\0') : 0);
    const std::string place = "state pinned in " + directory.string();
    try {
        State state = from_json(json::parse(text));
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

std::uint64_t digest(const SetTable &set) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto add = [&hash](std::span<const std::byte> bytes) {
        for (const std::byte byte : bytes)
            hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
    };
    add(std::as_bytes(std::span(set.prefixes4)));
    add(std::as_bytes(std::span(set.prefixes6)));
    for (const bl_set_key &key : set.members) // the index is no part of what is in the set
        add(std::as_bytes(std::span(&key.data, 1)));
    return hash;
}

} // namespace beeline::edge
