// SPDX-License-Identifier: Apache-2.0
#include <beeline/guest/guest.hpp>

#include <algorithm>
#include <ctime>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/netns.hpp>

#include "guest/flows.hpp"
#include "guest/listeners.hpp"
#include "guest/reconcile.hpp"
#include "guest/wiring.hpp"

namespace beeline::guest {
namespace {

bool is_there(const std::filesystem::path &path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

Result<HostRecord> describe(const HostSettings &settings, const UpOptions &options) {
    HostRecord host{.file = options.file,
                    .since = static_cast<std::int64_t>(std::time(nullptr)),
                    .uplinks = settings.uplinks,
                    .flows = settings.flows};
    BL_TRY(const kernel::NetNs here, kernel::NetNs::current());
    BL_TRY(host.netns, here.inode());
    return host;
}

Result<> set_ports(const Objects &objects, const HostSettings &settings) {
    BL_TRY(auto map, objects.map<SettingsMap>("guest_settings"));
    BL_TRY(const auto known, map.lookup(0));
    bl_guest_settings next = known.value_or(bl_guest_settings{});
    next.nat_low = settings.masquerade_ports.low;
    next.nat_high = settings.masquerade_ports.high;
    if (known && known->nat_low == next.nat_low && known->nat_high == next.nat_high)
        return {};
    ++next.generation;
    return map.update(0, next);
}

/// The shared objects, pinned; no guest yet.
Result<Live> begin(kernel::PinDir &pins, const HostSettings &settings, const HostRecord &host) {
    BL_TRY(const Objects objects, Objects::create(settings.flows));
    BL_TRY(auto stage, pins.stage(kLive));
    BL_CHECK(objects.pin(stage.path()));
    BL_CHECK(write_record(host, stage.path()));
    BL_TRY(auto committed, std::move(stage).commit());
    BL_CHECK(std::move(committed).finish());
    return look(pins.root());
}

/// Detaches the programs of everything pinned below, whatever version pinned it.
void detach_links(const std::filesystem::path &directory) {
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator pin(directory, error), end; !error && pin != end;
         pin.increment(error))
        if (pin->path().filename().string().starts_with("link_"))
            if (auto link = kernel::Link::from_pin(pin->path()))
                (void)link->detach(); // fails for a device that is gone: there is nothing to detach then
}

/// Every guest, as far as its record can be read; the links say what else there is.
Result<> take_down(kernel::PinDir &pins) {
    const std::filesystem::path directory = pins.live(kLive);
    std::vector<Record> records;
    for (const std::uint32_t slot : slots_in(directory))
        if (auto record = read_guest(directory / std::to_string(slot)))
            records.push_back(*std::move(record));
    BL_CHECK(remove_devices(records, directory));
    detach_links(directory);
    return pins.remove(kLive);
}

/// Another namespace's guests are not ours to take down, as long as that namespace is there.
Result<> check_ours(const std::filesystem::path &pins) {
    const auto live = look(pins);
    return live || live.error().kind != Kind::conflict ? Result<>{} : std::unexpected(live.error());
}

Result<> remove_unused(kernel::PinDir pins) {
    BL_TRY(const std::vector<std::string> names, pins.names());
    return names.empty() ? std::move(pins).remove_all() : Result<>{};
}

Result<> change_host(Live &live, const HostSettings &settings, const std::vector<Policy> &policies, UpReport &report) {
    if (live.host.flows != settings.flows)
        return fail(Kind::conflict, 0,
                    "the flow table has " + std::to_string(live.host.flows) +
                        " entries and cannot change while guests are up",
                    "`beeline down` first, or keep flows = " + std::to_string(live.host.flows));
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const auto uplinks, find_uplinks(links, settings.uplinks, live.own_devices(), nullptr));
    BL_TRY(const Difference what, difference(live, policies));
    BL_CHECK(reconcile(live, what, uplinks, report));
    return set_ports(live.objects, settings);
}

std::vector<Policy> all_of(const Live &live) {
    std::vector<Policy> policies;
    for (const auto &[slot, record] : live.guests)
        policies.push_back(policy_of(record));
    return policies;
}

Result<> add_one(Live &live, const Policy &policy) {
    std::vector<Policy> others = all_of(live);
    BL_CHECK(check_alone(policy, others));
    others.push_back(policy);
    BL_CHECK(check_most(others));
    BL_CHECK(check_not_listening(policy.publish));
    BL_TRY(auto links, kernel::RtNetlink::open());
    std::vector<std::string> missing;
    BL_TRY(const auto uplinks, find_uplinks(links, live.host.uplinks, live.own_devices(), &missing));
    Wanted wanted{.name = policy.name,
                  .runtime = true,
                  .asked = asked_of(policy),
                  .masquerade = policy.masquerade,
                  .publish = policy.publish,
                  .rules = {}};
    BL_TRY(wanted.rules, prepare_rules(policy, nullptr, live.numbers, live.objects));
    if (auto made = make_and_start(live, wanted, guest_mtu(uplinks)); !made) {
        drop_rules(wanted.rules.ruled, nullptr, live.numbers, live.objects);
        return made;
    }
    return live.objects.next_generation();
}

} // namespace

Result<Guests> Guests::open(std::filesystem::path pins) {
    return Guests(std::move(pins));
}

Result<bool> Guests::is_up() const {
    std::error_code error;
    const bool there = std::filesystem::exists(pins_ / kLive, error);
    if (error) // /sys/fs/bpf is root's alone on most hosts
        return fail_errno(error.value(), "look at " + pins_.string(), "run as root (sudo)");
    return there;
}

Result<UpReport> Guests::up(const HostSettings &settings, const std::vector<Policy> &policies,
                            const UpOptions &options) {
    BL_CHECK(kernel::require_bpffs(pins_));
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    UpReport report{.first = !is_there(pins_ / kLive)};
    auto done = [&]() -> Result<> {
        BL_TRY(const HostRecord host, describe(settings, options));
        BL_TRY(Live live, report.first ? begin(pins, settings, host) : mended(pins));
        BL_CHECK(change_host(live, settings, policies, report));
        return write_record(host, live.directory);
    }();
    if (done)
        return report;
    if (report.first) {
        (void)take_down(pins);
        (void)remove_unused(std::move(pins));
    }
    return std::unexpected(std::move(done).error());
}

Result<GuestStatus> Guests::add(const Policy &policy) {
    if (!is_there(pins_ / kLive))
        return none_up(pins_);
    {
        BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
        BL_TRY(Live live, mended(pins));
        BL_CHECK(add_one(live, policy));
    }
    BL_TRY(const Status now, status());
    const auto found = std::ranges::find(now.guests, policy.name, &GuestStatus::name);
    if (found == now.guests.end())
        return fail(Kind::host, 0, "guest " + policy.name + " was removed again meanwhile");
    return *found;
}

Result<bool> Guests::remove(const std::string &name) {
    if (!is_there(pins_ / kLive))
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(Live live, mended(pins));
    const Record *record = live.find(name);
    if (!record)
        return false;
    BL_CHECK(unmake(live, {Record(*record)}));
    return true;
}

Result<bool> Guests::down() {
    BL_TRY(const bool up, is_up());
    if (!up && !is_there(pins_))
        return false;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait)); // removes what others have left half made
    if (up) {
        BL_CHECK(check_ours(pins_));
        BL_CHECK(take_down(pins));
    }
    BL_CHECK(remove_unused(std::move(pins)));
    return up;
}

Result<Maintained> Guests::maintain() {
    Maintained done;
    if (!is_there(pins_ / kLive))
        return done;
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(Live live, mended(pins));
    std::vector<Record> gone;
    for (const auto &[slot, record] : live.guests)
        if (!is_whole(record.wired, live.directory_of(slot)))
            gone.push_back(record);
    BL_CHECK(unmake(live, gone));
    for (const Record &record : gone)
        done.gone.push_back(record.name);
    BL_TRY(auto links, kernel::RtNetlink::open());
    std::vector<std::string> missing;
    BL_TRY(const auto uplinks, find_uplinks(links, live.host.uplinks, live.own_devices(), &missing));
    for (const std::string &name : missing)
        done.warnings.push_back("uplink " + name + " is gone");
    BL_TRY(done.uplinks, set_uplinks(uplinks, live.objects, live.directory));
    if (!done.uplinks.empty())
        BL_CHECK(live.objects.next_generation());
    BL_TRY(done.entries_expired, live::sweep_entries(live.numbers.sets(), set_maps(live.objects)));
    if (done.entries_expired != 0)
        BL_CHECK(live.objects.next_generation());
    BL_TRY(done.flows_ended, end_flows(live.objects));
    return done;
}

} // namespace beeline::guest
