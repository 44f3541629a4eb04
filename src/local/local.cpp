// SPDX-License-Identifier: Apache-2.0
#include <beeline/local/local.hpp>

#include <ctime>
#include <thread>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/pin_dir.hpp>

#include "live/plan.hpp"
#include "local/objects.hpp"
#include "local/record.hpp"
#include "local/rule_tables.hpp"
#include "local/tend.hpp"

namespace beeline::local {
namespace {

using kernel::ObjectSet;

constexpr std::chrono::seconds kLockWait{10};

// Measured (docs/local.md): the short cut wakes the reader more often than TCP does. With both ends on one CPU that
// makes a stream of writes of 4 KiB slower than by TCP.
constexpr std::uint32_t kRunLength = 32, kMinMean = 8192;
constexpr std::uint32_t kMinTurns = 4, kMinReceives = 64;
/// Of the kernel's ticks, of which there are 100 to 1000 a second: 3 s at least, 12 s with Debian's 250. Who tends does
/// it every two seconds at least.
constexpr std::uint32_t kPatience = 3000;

bool is_there(const std::filesystem::path &path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

Result<> set_settings(const Policy &policy, const ObjectSet &objects, bool next_generation) {
    BL_TRY(auto map, objects.map<SettingsMap>("local_settings"));
    BL_TRY(const auto known, map.lookup(0));
    bl_local_settings settings = known.value_or(bl_local_settings{});
    settings.limit = policy.limit;
    settings.lowat = policy.lowat;
    settings.draining = 0;
    settings.run_length = kRunLength;
    settings.min_mean = kMinMean;
    settings.min_turns = kMinTurns;
    settings.min_receives = kMinReceives;
    settings.patience = kPatience;
    settings.generation += next_generation ? 1 : 0;
    return map.update(0, settings);
}

Record describe(const Policy &policy, const UpOptions &options, const Prepared &rules) {
    return {.file = options.file,
            .since = static_cast<std::int64_t>(std::time(nullptr)),
            .connections = policy.connections,
            .cgroup = policy.cgroup,
            .trusted = policy.trusted,
            .digest = rules.digest,
            .cgroups = rules.cgroups,
            .rules = rules.rules};
}

Result<UpReport> first_up(kernel::PinDir &pins, const Policy &policy, const UpOptions &options) {
    BL_TRY(const ObjectSet objects, load(policy.connections));
    BL_TRY(const Prepared rules, prepare_rules(policy, nullptr, objects));
    BL_CHECK(put_rules(rules, objects));
    BL_CHECK(set_settings(policy, objects, true));
    BL_TRY(auto stage, pins.stage(kLive));
    BL_CHECK(objects.pin(stage.path()));
    BL_CHECK(write_record(describe(policy, options, rules), stage.path()));
    BL_CHECK(attach(objects, policy.cgroup, stage.path()));
    BL_TRY(auto committed, std::move(stage).commit());
    BL_CHECK(std::move(committed).finish());
    return UpReport{.first = true, .changed = true};
}

Result<bool> settings_differ(const std::filesystem::path &directory, const Record &before, const Policy &policy) {
    BL_TRY(const auto map, SettingsMap::from_pin(directory / "local_settings"));
    BL_TRY(const auto settings, map.lookup(0));
    return !settings || settings->limit != policy.limit || settings->lowat != policy.lowat ||
           before.trusted != policy.trusted;
}

/// What can only be another one after a down().
Result<> check_changeable(const Record &before, const Policy &policy) {
    if (before.connections != policy.connections)
        return fail(Kind::conflict, 0,
                    "there is room for " + std::to_string(before.connections) +
                        " connections and it cannot change while [local] is up",
                    "`beeline down` first, or keep connections = " + std::to_string(before.connections));
    if (before.cgroup != policy.cgroup)
        return fail(Kind::conflict, 0, "[local] is up for sockets of cgroup " + before.cgroup,
                    "`beeline down` first, or keep cgroup = \"" + before.cgroup + "\"");
    return {};
}

Result<UpReport> reload(const std::filesystem::path &directory, const Policy &policy, const UpOptions &options) {
    BL_TRY(const Record before, read_record(directory)); // first: it knows the version of the rest
    BL_TRY(const ObjectSet objects, open_pinned(directory));
    BL_CHECK(check_changeable(before, policy));
    BL_TRY(const bool settings, settings_differ(directory, before, policy));
    BL_TRY(const Prepared rules, prepare_rules(policy, &before.rules, objects));
    if (!is_there(directory / kSocketsPin)) // a down() that has not finished
        BL_CHECK(attach_sockets(objects, policy.cgroup, directory));
    BL_CHECK(put_rules(rules, objects));
    BL_CHECK(set_settings(policy, objects, true));
    BL_CHECK(write_record(describe(policy, options, rules), directory));
    clear_sets(before.rules, objects);
    BL_CHECK(run_tend(objects, directory)); // judges what there is by the new rules
    return UpReport{.first = false, .changed = settings || before.digest != rules.digest};
}

Result<> start_draining(const ObjectSet &objects, const std::filesystem::path &directory) {
    std::error_code error;
    std::filesystem::remove(directory / kSocketsPin, error); // no new connections
    BL_TRY(auto map, objects.map<SettingsMap>("local_settings"));
    BL_TRY(const auto known, map.lookup(0));
    bl_local_settings settings = known.value_or(bl_local_settings{});
    settings.draining = 1;
    return map.update(0, settings);
}

Result<> drain(const ObjectSet &objects, const std::filesystem::path &directory, std::chrono::milliseconds patience) {
    BL_CHECK(start_draining(objects, directory));
    const auto until = std::chrono::steady_clock::now() + patience;
    for (std::chrono::milliseconds pause{1};; pause = std::min(pause * 2, std::chrono::milliseconds(100))) {
        BL_TRY(const bl_local_tended did, run_tend(objects, directory));
        if (did.filed_now == 0)
            return {};
        if (std::chrono::steady_clock::now() >= until)
            return fail(Kind::conflict, 0,
                        std::to_string(did.waiting_to_leave) +
                            " sockets hold bytes of the short cut that their programs have not read: taking it away "
                            "would lose them",
                        "`beeline down` again when they have read or closed; nothing new takes the short cut");
        std::this_thread::sleep_for(pause);
    }
}

/// What is damaged, or of another version, cannot be drained. While no socket is in it, nothing is lost with it.
Result<> remove_strange(kernel::PinDir &pins, const Error &why) {
    const auto map = kernel::pinned_object(pins.live(kLive) / "local_socks");
    const auto info = map ? kernel::map_info(map->get()) : std::unexpected(map.error());
    if (info) {
        BL_TRY(const std::vector<std::byte> keys, kernel::raw::keys(map->get(), *info));
        if (const std::size_t sockets = keys.size() / info->key_size; sockets != 0)
            return fail(Kind::state, 0, why.what + ", and " + std::to_string(sockets) + " sockets are on the short cut",
                        "end their programs, or take it down with the beeline that brought it up");
    }
    return pins.remove(kLive);
}

Result<> take_down(kernel::PinDir &pins, std::chrono::milliseconds patience) {
    const std::filesystem::path directory = pins.live(kLive);
    const auto record = read_record(directory);
    const auto objects = record ? open_pinned(directory) : std::unexpected(record.error());
    if (!objects)
        return objects.error().kind == Kind::state ? remove_strange(pins, objects.error())
                                                   : std::unexpected(objects.error());
    BL_CHECK(drain(*objects, directory, patience));
    return pins.remove(kLive);
}

} // namespace

Result<> possible(const std::filesystem::path &pins) {
    for (const auto feature :
         {kernel::FeatureId::sockmap_link, kernel::FeatureId::tp_btf, kernel::FeatureId::sockmap_inq})
        BL_CHECK(kernel::require(feature));
    return kernel::require_bpffs(pins);
}

Result<Local> Local::open(std::filesystem::path pins) {
    return Local(std::move(pins));
}

Result<bool> Local::is_up() const {
    std::error_code error;
    const bool there = std::filesystem::exists(pins_ / kLive, error);
    if (error) // /sys/fs/bpf is root's alone on most hosts
        return fail_errno(error.value(), "look at " + pins_.string(), "run as root (sudo)");
    return there;
}

Result<UpReport> Local::up(const Policy &policy, const UpOptions &options) {
    BL_CHECK(possible(pins_));
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    return is_there(pins.live(kLive)) ? reload(pins.live(kLive), policy, options) : first_up(pins, policy, options);
}

Result<Plan> Local::plan(const Policy &policy) const {
    BL_CHECK(possible(pins_));
    BL_TRY([[maybe_unused]] const Tables tables, compile(policy));
    Plan plan;
    BL_TRY(plan.live, is_up());
    Record before;
    if (plan.live) {
        const std::filesystem::path directory = pins_ / kLive;
        BL_TRY(before, read_record(directory));
        BL_CHECK(check_changeable(before, policy));
        BL_TRY(plan.settings, settings_differ(directory, before, policy));
    }
    static_cast<live::RulePlan &>(plan) = live::plan_rules(before.rules, policy.rules, policy.sets);
    return plan;
}

Result<bool> Local::down(std::chrono::milliseconds patience) {
    BL_TRY(const bool up, is_up());
    if (!up && !is_there(pins_))
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    if (up)
        BL_CHECK(take_down(pins, patience));
    BL_TRY(const std::vector<std::string> names, pins.names());
    if (names.empty())
        BL_CHECK(std::move(pins).remove_all());
    return up;
}

} // namespace beeline::local
