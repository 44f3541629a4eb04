// SPDX-License-Identifier: Apache-2.0
//
// Looking at a live edge, and changing its sets.
#include <algorithm>
#include <array>
#include <ctime>

#include <beeline/edge/edge.hpp>
#include <beeline/kernel/counters.hpp>
#include <beeline/kernel/pin_dir.hpp>

#include "edge/devices.hpp"
#include "edge/live_state.hpp"
#include "edge/transition.hpp"
#include "live/plan.hpp"

namespace beeline::edge {
namespace {

constexpr std::array<std::string_view, BL_EDGE_REASONS> kReasonNames = BL_EDGE_REASON_NAMES;

std::vector<DeviceStatus> device_status(const State &state, const std::filesystem::path &directory) {
    std::vector<DeviceStatus> devices = state.devices;
    for (DeviceStatus &device : devices) {
        const auto link = kernel::Link::from_pin(directory / link_pin(device.ifindex));
        const auto info = link ? link->info() : std::unexpected(link.error());
        device.attached = info && info->ifindex == device.ifindex;
    }
    return devices;
}

} // namespace

Result<Status> Edge::status() const {
    BL_TRY(const State state, look(pins_));
    const std::filesystem::path directory = pins_ / kLive;
    BL_TRY(const Kept kept, Kept::from_pins(directory));
    BL_TRY(const Program program, Program::from_pins(directory));
    Status status{.generation = state.generation, .file = state.file};
    status.since = std::chrono::system_clock::from_time_t(static_cast<std::time_t>(state.since));
    if (state.confirm_until != 0)
        status.rollback_in = std::chrono::seconds(
            std::max<std::int64_t>(0, state.confirm_until - static_cast<std::int64_t>(std::time(nullptr))));
    status.devices = device_status(state, directory);
    BL_TRY(const auto hits, live::HitsMap::share(kept.fd("edge_hits")));
    BL_TRY(status.rules, live::rule_status(state, hits));
    for (const live::SetPlace &set : state.sets) {
        if (!live::is_named(set))
            continue;
        BL_TRY(const std::uint64_t entries, live::count_entries(set, set_maps(program)));
        status.sets.push_back({set.name, set.type, entries});
    }
    for (const auto &[name, slot] : state.xsks)
        status.xsks.push_back({name, directory / "edge_xsks", slot * BL_EDGE_XSK_QUEUES, BL_EDGE_XSK_QUEUES});
    BL_TRY(const auto reasons, kernel::CounterMap::share(kept.fd("edge_reasons")));
    BL_TRY(status.odd, kernel::read_counters(reasons, kReasonNames));
    const std::array own = {kept.fd("edge_root"), kept.fd("edge_hold"), program.fd("edge_policy")};
    BL_TRY(status.hooks, programs_on(status.devices, own));
    return status;
}

Result<Plan> Edge::plan(const Policy &policy) const {
    Plan plan;
    BL_TRY(plan.live, is_up());
    State state;
    if (plan.live) {
        BL_TRY(state, look(pins_));
    }
    static_cast<live::RulePlan &>(plan) = live::plan_rules(state, policy.rules, policy.sets);
    std::vector<std::string> devices;
    for (const DeviceStatus &device : state.devices)
        devices.push_back(device.name);
    plan.devices_added = live::missing_in(policy.devices, devices);
    plan.devices_removed = live::missing_in(devices, policy.devices);
    return plan;
}

Result<Edge::Live> Edge::live() const {
    BL_TRY(State state, look(pins_));
    BL_TRY(Program program, Program::from_pins(pins_ / kLive));
    BL_TRY(Kept kept, Kept::from_pins(pins_ / kLive));
    return Live{std::move(program), std::move(kept), std::move(state.texts), state.generation,
                device_status(state, pins_ / kLive)};
}

Result<> Edge::set_add(const std::string &set, const std::string &entry, std::optional<std::chrono::seconds> lifetime) {
    BL_TRY(auto pins, lock_live(pins_));
    BL_TRY(const State state, need_state(pins));
    BL_TRY(const live::SetPlace place, live::find_set(state.sets, set));
    BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
    return live::add_entry(place, set_maps(program), entry, lifetime);
}

Result<bool> Edge::set_del(const std::string &set, const std::string &entry) {
    BL_TRY(auto pins, lock_live(pins_));
    BL_TRY(const State state, need_state(pins));
    BL_TRY(const live::SetPlace place, live::find_set(state.sets, set));
    BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
    return live::del_entry(place, set_maps(program), entry);
}

Result<> Edge::set_change(const std::string &set, const std::string &entry, const std::function<Result<>()> &change,
                          const std::function<Result<>()> &then) {
    live::StoredEntry before;
    {
        BL_TRY(const State state, look(pins_));
        BL_TRY(const live::SetPlace place, live::find_set(state.sets, set));
        BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
        BL_TRY(before, live::stored_entry(place, set_maps(program), entry));
    }
    BL_CHECK(change());
    auto done = then();
    if (done)
        return {};
    BL_TRY(auto pins, lock_live(pins_)); // a reload meanwhile may have moved the set
    BL_TRY(const State state, need_state(pins));
    BL_TRY(const live::SetPlace place, live::find_set(state.sets, set));
    BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
    BL_CHECK(live::restore_entry(place, set_maps(program), entry, before));
    return done;
}

Result<std::vector<SetEntry>> Edge::set_list(const std::string &set) const {
    BL_TRY(const State state, look(pins_));
    BL_TRY(const live::SetPlace place, live::find_set(state.sets, set));
    BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
    return live::list_entries(place, set_maps(program));
}

Result<std::vector<std::string>> Edge::sets() const {
    BL_TRY(const State state, look(pins_));
    std::vector<std::string> names;
    for (const live::SetPlace &set : state.sets)
        if (live::is_named(set))
            names.push_back(set.name);
    return names;
}

Result<std::uint64_t> Edge::sweep() {
    std::error_code error;
    if (!std::filesystem::exists(pins_, error))
        return 0;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(const auto state, live_state(pins));
    if (!state) {
        BL_CHECK(remove_unused(std::move(pins)));
        return 0;
    }
    BL_TRY(const Program program, Program::from_pins(pins_ / kLive));
    return live::sweep_entries(state->sets, set_maps(program));
}

} // namespace beeline::edge
