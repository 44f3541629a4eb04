// SPDX-License-Identifier: Apache-2.0
//
// Looking at live guests.
#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <beeline/guest/guest.hpp>
#include <beeline/kernel/counters.hpp>
#include <beeline/kernel/link.hpp>

#include "guest/flows.hpp"
#include "guest/reconcile.hpp"
#include "guest/wiring.hpp"
#include "live/hook_list.hpp"

namespace beeline::guest {
namespace {

constexpr std::array<std::string_view, BL_GUEST_REASONS> kReasonNames = BL_GUEST_REASON_NAMES;

/// Programs of our pinned links.
std::set<std::uint32_t> programs_of(std::initializer_list<std::filesystem::path> pins) {
    std::set<std::uint32_t> ids;
    for (const auto &pin : pins)
        if (const auto link = kernel::Link::from_pin(pin))
            if (const auto info = link->info())
                ids.insert(info->prog_id);
    return ids;
}

std::vector<HookProgram> programs_on(const Record &record, const std::filesystem::path &directory) {
    const int ifindex = static_cast<int>(record.wired.ifindex);
    live::HookList list(programs_of({directory / kLinkOut, directory / kLinkIn, directory / kLinkAcross}));
    if (record.wired.wiring == Wiring::netkit_l3 || record.wired.wiring == Wiring::netkit_l2)
        list.add_netkit(record.asked.host_device, ifindex);
    list.add_tcx(record.asked.host_device, ifindex);
    return list.programs;
}

Result<GuestStatus> guest_status(const Live &live, const Record &record, const live::HitsMap &hits,
                                 const FlowCount &flows) {
    const std::filesystem::path directory = live.directory_of(record.slot);
    GuestStatus status{.name = record.name, .slot = record.slot};
    status.attached = is_whole(record.wired, directory);
    status.runtime = record.runtime;
    status.place = record.asked.place;
    status.netns = record.wired.netns;
    status.wiring = record.wired.wiring;
    status.why = record.wired.why;
    status.device = record.asked.device;
    status.host_device = record.asked.host_device;
    status.ifindex = record.wired.ifindex;
    status.mtu = record.wired.mtu;
    for (const auto &address : {record.asked.address4, record.asked.address6})
        if (address)
            status.addresses.push_back(*address);
    status.mac = record.wired.mac;
    status.attributes = record.wired.attributes;
    status.ignored = record.wired.ignored;
    status.masquerade = record.masquerade;
    status.publish = record.publish;
    BL_TRY(status.rules, live::rule_status(record.ruled, hits));
    status.hooks = programs_on(record, directory);
    if (const auto count = flows.by_slot.find(record.slot); count != flows.by_slot.end())
        status.flows = count->second;
    return status;
}

Result<std::vector<UplinkStatus>> uplink_status(const Live &live) {
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const auto map, live.objects.map<UplinkMap>("guest_uplinks"));
    std::vector<UplinkStatus> uplinks;
    for (const std::uint32_t ifindex : attached_uplinks(live.directory)) {
        const auto pin = live.directory / uplink_pin(ifindex);
        UplinkStatus uplink{.name = "ifindex " + std::to_string(ifindex), .ifindex = ifindex};
        const auto device = links.device(static_cast<int>(ifindex));
        if (device)
            uplink.name = device->name;
        live::HookList list(programs_of({pin}));
        list.add(uplink.name, "tcx ingress", kernel::tcx_query(static_cast<int>(ifindex), kernel::TcxHook::ingress));
        uplink.hooks = std::move(list.programs);
        uplink.attached = std::ranges::count(uplink.hooks, true, &HookProgram::ours) != 0;
        BL_TRY(const auto facts, map.lookup(ifindex));
        if (facts) {
            uplink.mtu = facts->mtu;
            if (facts->addr4 != 0)
                std::memcpy(uplink.address4.emplace().bytes.data(), &facts->addr4, sizeof facts->addr4);
            if (facts->addr6[0] != 0) {
                uplink.address6.emplace().v6 = true;
                std::memcpy(uplink.address6->bytes.data(), facts->addr6, sizeof facts->addr6);
            }
        }
        uplinks.push_back(std::move(uplink));
    }
    return uplinks;
}

std::vector<std::string> names_of(const std::vector<const Policy *> &policies) {
    std::vector<std::string> names;
    for (const Policy *policy : policies)
        names.push_back(policy->name);
    return names;
}

/// The rules as they would be: which numbers they get is no part of them.
Result<bool> would_change(const Record &record, const Policy &policy) {
    std::vector<std::string> texts;
    for (const policy::Rule &rule : policy.rules)
        texts.push_back(rule.text);
    std::map<std::string, std::uint64_t> sets;
    for (const policy::Set &set : policy.sets)
        sets[set.name] = policy::digest(policy::set_table(set, 0));
    std::map<std::string, std::uint64_t> known;
    for (const live::SetPlace &set : record.ruled.sets)
        known[set.name] = set.digest;
    return record.runtime || record.masquerade != policy.masquerade || record.publish != policy.publish ||
           record.ruled.texts != texts || known != sets;
}

} // namespace

Result<Status> Guests::status() const {
    BL_TRY(const Live live, look(pins_));
    Status status{.file = live.host.file};
    status.since = std::chrono::system_clock::from_time_t(static_cast<std::time_t>(live.host.since));
    BL_TRY(const auto settings_map, live.objects.map<SettingsMap>("guest_settings"));
    BL_TRY(const auto settings, settings_map.lookup(0));
    if (settings) {
        status.generation = settings->generation;
        status.masquerade_ports = {settings->nat_low, settings->nat_high};
    }
    status.uplinks_auto = live.host.uplinks.empty();
    BL_TRY(const FlowCount flows, count_flows(live.objects));
    status.flows = flows.all;
    status.flows_most = live.host.flows;
    BL_TRY(status.uplinks, uplink_status(live));
    BL_TRY(const auto hits, live.objects.map<live::HitsMap>("guest_hits"));
    for (const auto &[slot, record] : live.guests) {
        BL_TRY(GuestStatus guest, guest_status(live, record, hits, flows));
        status.guests.push_back(std::move(guest));
    }
    BL_TRY(const auto reasons, kernel::CounterMap::share(live.objects.fd("guest_reasons")));
    BL_TRY(status.odd, kernel::read_counters(reasons, kReasonNames));
    return status;
}

Result<Plan> Guests::plan(const HostSettings &settings, const std::vector<Policy> &policies) const {
    Plan plan;
    BL_TRY(plan.live, is_up());
    if (!plan.live) {
        for (const Policy &policy : policies)
            plan.added.push_back(policy.name);
        plan.uplinks_added = settings.uplinks;
        return plan;
    }
    BL_TRY(const Live live, look(pins_));
    BL_TRY(const Difference what, difference(live, policies));
    plan.added = names_of(what.added);
    plan.rewired = names_of(what.rewired);
    for (const std::uint32_t slot : what.removed)
        plan.removed.push_back(live.guests.at(slot).name);
    for (const Policy *policy : what.kept) {
        BL_TRY(const bool changes, would_change(*live.find(policy->name), *policy));
        if (changes)
            plan.changed.push_back(policy->name);
    }
    BL_TRY(auto links, kernel::RtNetlink::open());
    std::vector<std::string> missing;
    BL_TRY(const auto uplinks, find_uplinks(links, settings.uplinks, live.own_devices(), &missing));
    BL_TRY(const auto now, uplink_status(live));
    for (const Uplink &uplink : uplinks)
        if (std::ranges::count(now, uplink.ifindex, &UplinkStatus::ifindex) == 0)
            plan.uplinks_added.push_back(uplink.name);
    plan.uplinks_added.insert(plan.uplinks_added.end(), missing.begin(), missing.end());
    for (const UplinkStatus &uplink : now)
        if (std::ranges::count(uplinks, uplink.ifindex, &Uplink::ifindex) == 0)
            plan.uplinks_removed.push_back(uplink.name);
    BL_TRY(const auto map, live.objects.map<SettingsMap>("guest_settings"));
    BL_TRY(const auto known, map.lookup(0));
    plan.settings =
        !known || known->nat_low != settings.masquerade_ports.low || known->nat_high != settings.masquerade_ports.high;
    return plan;
}

} // namespace beeline::guest
