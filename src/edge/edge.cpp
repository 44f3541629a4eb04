// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/edge.hpp>

#include <ctime>
#include <utility>

#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/pin_dir.hpp>

#include "edge/live_state.hpp"
#include "edge/set_maps.hpp"
#include "edge/transition.hpp"

namespace beeline::edge {
namespace {

std::int64_t now() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

State describe(const Policy &policy, const Tables &tables, const UpOptions &options) {
    State state;
    state.generation = state.highest = tables.config.generation;
    state.file = options.file;
    state.since = now();
    if (options.confirm)
        state.confirm_until = now() + options.confirm->count();
    state.texts = tables.texts;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        state.lines.push_back(policy.rules[i].where.line);
        state.counter_of_rule.push_back(tables.rules[i].counter);
    }
    state.counters = tables.counters;
    state.xsks = tables.xsks;
    for (const SetTable &set : tables.sets)
        state.sets.push_back({set.name, set.type, set.index, digest(set)});
    return state;
}

/// A slot that a rule gets anew may hold another rule's past.
Result<> clear_new_slots(const State &state, const std::optional<State> &before, const Kept &kept) {
    BL_TRY(auto hits, (kernel::PerCpuMap<std::uint32_t, bl_edge_hits>::share(kept.fd("edge_hits"))));
    BL_TRY(auto rates, (kernel::Map<std::uint32_t, std::uint64_t>::share(kept.fd("edge_rates"))));
    for (const auto &[identity, slot] : state.counters) {
        if (before && before->counters.contains(identity))
            continue;
        BL_CHECK(hits.fill(slot, bl_edge_hits{}));
        BL_CHECK(rates.update(slot, 0));
    }
    return {};
}

/// Detaches and removes, whatever version made it: the pins are all there is to know.
Result<> take_down(kernel::PinDir pins) {
    std::error_code error;
    for (const auto &pin : std::filesystem::directory_iterator(pins.live(kLive), error))
        if (pin.path().filename().string().starts_with("link_"))
            if (auto link = kernel::Link::from_pin(pin.path()))
                (void)link->detach(); // fails for a device that is gone: there is nothing to detach then
    BL_CHECK(pins.remove(kLive));
    BL_CHECK(pins.remove(kPrevious));
    BL_CHECK(pins.remove(kReader));
    BL_TRY(const std::vector<std::string> others, pins.names());
    return others.empty() ? std::move(pins).remove_all() : Result<>{};
}

Result<Kept> kept_of(const kernel::PinDir &pins, const std::optional<State> &before) {
    return before ? Kept::from_pins(pins.live(kLive)) : Kept::create();
}

} // namespace

Result<Edge> Edge::open(std::filesystem::path pins) {
    return Edge(std::move(pins));
}

Result<bool> Edge::is_up() const {
    std::error_code error;
    const bool there = std::filesystem::exists(pins_ / kLive, error);
    if (error) // /sys/fs/bpf is root's alone on most hosts
        return fail_errno(error.value(), "look at " + pins_.string(), "run as root (sudo)");
    return there;
}

Result<UpReport> Edge::up(const Policy &policy, const UpOptions &options) {
    BL_CHECK(kernel::require_bpffs(pins_));
    BL_TRY(auto netlink, kernel::RtNetlink::open());
    for (const std::string &name : policy.devices) // before anything is made
        if (auto device = netlink.device(name); !device)
            return std::unexpected(std::move(device).error().within("edge"));
    const bool was_there = std::filesystem::exists(pins_);
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    auto report = [&]() -> Result<UpReport> {
        BL_TRY(const auto before, live_state(pins));
        if (before && before->confirm_until != 0)
            return fail(Kind::conflict, 0,
                        "generation " + std::to_string(before->generation) + " waits to be confirmed",
                        "beeline confirm, or wait for the rollback");
        Binding binding;
        binding.ifindex = [&](const std::string &name) -> Result<std::uint32_t> {
            BL_TRY(const auto device, netlink.device(name));
            return static_cast<std::uint32_t>(device.ifindex);
        };
        if (before) {
            binding.counters = before->counters;
            binding.xsks = before->xsks;
            binding.generation = before->highest + 1;
        }
        BL_TRY(const Tables tables, compile(policy, binding));
        BL_TRY(const Kept kept, kept_of(pins, before));
        BL_TRY(const Program program, Program::load(tables, kept));
        State state = describe(policy, tables, options);
        BL_TRY(state.netns, this_netns());
        BL_CHECK(clear_new_slots(state, before, kept));
        if (before) {
            BL_TRY(const Program old, Program::from_pins(pins.live(kLive)));
            BL_CHECK(carry_runtime_entries(*before, old, tables, program));
        }
        BL_TRY(auto live, go_live(pins, before,
                                  Next{.kept = kept,
                                       .program = program,
                                       .state = state,
                                       .devices = policy.devices,
                                       .mode = policy.mode,
                                       .replace = policy.replace,
                                       .keep_previous = options.confirm.has_value(),
                                       .policy = &policy}));
        return UpReport{state.generation, !before, std::move(live.devices), std::move(live.warnings)};
    }();
    if (!report && !was_there) // leave not even the directory behind
        (void)std::move(pins).remove_all();
    return report;
}

Result<> Edge::confirm() {
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(State state, need_state(pins));
    if (state.confirm_until == 0)
        return fail(Kind::usage, 0, "nothing waits to be confirmed");
    state.confirm_until = 0;
    BL_CHECK(rewrite_state(state, pins.live(kLive)));
    return pins.remove(kPrevious);
}

Result<bool> Edge::rollback(std::uint32_t generation) {
    BL_TRY(const bool up, is_up());
    if (!up)
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(const std::optional<State> trial, live_state(pins));
    if (!trial || trial->generation != generation || trial->confirm_until == 0)
        return false;
    BL_TRY(const bool has_previous, pins.exists(kPrevious));
    if (!has_previous) {
        BL_CHECK(take_down(std::move(pins)));
        return true;
    }
    BL_TRY(State state, read_state(pins.live(kPrevious)));
    BL_TRY(const Program program, Program::from_pins(pins.live(kPrevious)));
    BL_TRY(const Kept kept, Kept::from_pins(pins.live(kLive)));
    std::vector<std::string> devices;
    for (const DeviceStatus &device : std::exchange(state.devices, {}))
        devices.push_back(device.name);
    state.highest = trial->highest;
    state.confirm_until = 0;
    BL_CHECK(go_live(pins, trial, Next{.kept = kept, .program = program, .state = state, .devices = devices}));
    BL_CHECK(pins.remove(kPrevious));
    return true;
}

Result<bool> Edge::down() {
    BL_TRY(const bool up, is_up());
    if (!up)
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_CHECK(take_down(std::move(pins)));
    return true;
}

} // namespace beeline::edge
