// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/edge.hpp>

#include <ctime>
#include <set>
#include <utility>

#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/pin_dir.hpp>
#include <beeline/kernel/typed_map.hpp>

#include "edge/live_state.hpp"
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

/// Forgets the sources that the rules of these slots have followed. A bucket may be full for hours: that of another
/// rule would judge a new one's packets.
Result<> clear_sources(const std::set<std::uint32_t> &slots, const Kept &kept) {
    BL_TRY(auto sources, (kernel::Map<bl_rate_key, std::uint64_t>::share(kept.fd("edge_sources"))));
    BL_TRY(const auto keys, sources.keys());
    for (const bl_rate_key &key : keys)
        if (slots.contains(key.counter))
            BL_CHECK(sources.erase(key));
    return {};
}

/// A slot that a name gets anew may hold a socket of the name before: it would get packets that are not its own.
Result<> clear_new_xsks(const Tables &tables, const std::optional<State> &before, const Kept &kept) {
    BL_TRY(auto sockets, (kernel::Map<std::uint32_t, std::uint32_t>::share(kept.fd("edge_xsks"))));
    for (const auto &[name, slot] : tables.xsks)
        if (before && !before->xsks.contains(name))
            for (std::uint32_t queue = 0; queue < BL_EDGE_XSK_QUEUES; ++queue)
                BL_CHECK(sockets.erase(slot * BL_EDGE_XSK_QUEUES + queue));
    return {};
}

/// A slot that a rule gets anew may hold another rule's past.
Result<> clear_new_slots(const Tables &tables, const std::optional<State> &before, const Kept &kept) {
    BL_TRY(auto hits, live::HitsMap::share(kept.fd("edge_hits")));
    BL_TRY(auto rates, (kernel::Map<std::uint32_t, std::uint64_t>::share(kept.fd("edge_rates"))));
    std::set<std::uint32_t> fresh, per_source;
    for (const auto &[identity, slot] : tables.counters) {
        if (before && before->counters.contains(identity))
            continue;
        fresh.insert(slot);
        BL_CHECK(hits.fill(slot, bl_hits{}));
        BL_CHECK(rates.update(slot, 0));
    }
    for (const bl_edge_rule &rule : tables.rules)
        if ((rule.flags & BL_RULE_RATE_PER_SRC) != 0 && fresh.contains(rule.counter))
            per_source.insert(rule.counter);
    return before && !per_source.empty() ? clear_sources(per_source, kept) : Result<>{};
}

/// Calls f(link) for each pinned link of the live generation, whatever version made it: the names are all there is to
/// know.
template <class F>
void for_each_link(const kernel::PinDir &pins, F &&f) {
    std::error_code error;
    for (std::filesystem::directory_iterator pin(pins.live(kLive), error), end; !error && pin != end;
         pin.increment(error))
        if (pin->path().filename().string().starts_with("link_"))
            if (auto link = kernel::Link::from_pin(pin->path()))
                f(*link);
}

/// Detaches and removes. The previous generation goes first: were it left behind, a later trial would find it.
Result<> take_down(kernel::PinDir pins) {
    BL_CHECK(pins.remove(kPrevious));
    for_each_link(pins, [](kernel::Link &link) {
        (void)link.detach(); // fails for a device that is gone: there is nothing to detach then
    });
    BL_CHECK(pins.remove(kLive));
    BL_CHECK(pins.remove(kReader));
    return remove_unused(std::move(pins));
}

/// Another namespace's edge is not ours to take down, as long as that namespace has the devices.
Result<> check_ours(const kernel::PinDir &pins) {
    const auto state = read_state(pins.live(kLive));
    if (!state)
        return {}; // damaged or of another version: `down` is the remedy
    bool attached = false;
    for_each_link(pins, [&attached](const kernel::Link &link) {
        const auto info = link.info();
        attached |= info && info->ifindex != 0;
    });
    return attached ? check_netns(*state, pins.root()) : Result<>{};
}

std::vector<Wish> wishes(const Policy &policy) {
    std::vector<Wish> devices;
    for (const std::string &name : policy.devices)
        devices.push_back({name, policy.mode});
    return devices;
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
    std::error_code ignored;
    const bool was_there = std::filesystem::exists(pins_, ignored);
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
        BL_CHECK(clear_new_slots(tables, before, kept));
        BL_CHECK(clear_new_xsks(tables, before, kept));
        if (before) {
            BL_TRY(const Program old, Program::from_pins(pins.live(kLive)));
            BL_CHECK(live::carry_runtime_entries(before->sets, set_maps(old), tables.sets, set_maps(program)));
        }
        BL_TRY(auto live, go_live(pins, before,
                                  Next{.kept = kept,
                                       .program = program,
                                       .state = state,
                                       .devices = wishes(policy),
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
    BL_TRY(auto pins, lock_live(pins_));
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
    std::vector<Wish> devices;
    for (const DeviceStatus &device : std::exchange(state.devices, {}))
        devices.push_back({device.name, device.mode});
    state.highest = trial->highest;
    state.confirm_until = 0;
    // Nobody may be locked out because a device went, or was taken by somebody else, meanwhile.
    BL_CHECK(go_live(pins, trial,
                     Next{.kept = kept, .program = program, .state = state, .devices = devices, .forgiving = true}));
    BL_CHECK(pins.remove(kPrevious));
    return true;
}

Result<bool> Edge::down() {
    BL_TRY(const bool up, is_up());
    std::error_code error;
    if (!up && !std::filesystem::exists(pins_, error))
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait)); // removes what others have left half made
    BL_CHECK(check_ours(pins));
    BL_CHECK(take_down(std::move(pins)));
    return up;
}

} // namespace beeline::edge
