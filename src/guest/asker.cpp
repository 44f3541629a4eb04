// SPDX-License-Identifier: Apache-2.0
//
// What the loaded programs say about a packet: they are run on it (BPF_PROG_TEST_RUN), with a trace for an answer.
#include "guest/asker.hpp"

#include <algorithm>
#include <array>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include "guest/entries.hpp"
#include "guest/live.hpp"
#include "guest/uplinks.hpp"

namespace beeline::guest {
namespace {

constexpr std::array<std::string_view, BL_GUEST_REASONS> kReasonNames = BL_GUEST_REASON_NAMES;

std::optional<std::uint32_t> unless_none(std::uint32_t number) {
    return number == BL_GUEST_NONE ? std::nullopt : std::optional(number);
}

Result<Verdict> verdict_of(const kernel::TestResult &result) {
    if (!result.skb_out)
        return fail(Kind::state, 0, "the program gave no answer", "is it of this version?");
    const auto &cb = result.skb_out->cb;
    Verdict verdict{.action = static_cast<std::int32_t>(result.retval)};
    verdict.rule = unless_none(cb[0]);
    verdict.reason = cb[1];
    verdict.reason_name = reason_name(cb[1]);
    verdict.way = cb[2] >> 16;
    verdict.to = unless_none(cb[2] & 0xffff);
    verdict.ifindex = cb[3];
    verdict.to_rule = unless_none(cb[4]);
    return verdict;
}

Result<std::vector<KnownUplink>> live_uplinks(const Live &live) {
    BL_TRY(auto links, kernel::RtNetlink::open());
    std::vector<KnownUplink> uplinks;
    for (const std::uint32_t ifindex : attached_uplinks(live.directory))
        if (const auto device = links.device(static_cast<int>(ifindex))) // else it is gone
            uplinks.push_back({device->name, ifindex});
    return uplinks;
}

/// What the guest's device would be on this host.
Wiring wiring_of(const Policy &policy) {
    if (policy.place.by == Place::By::tap)
        return Wiring::tap;
    if (policy.mode == Mode::veth)
        return Wiring::veth;
    if (policy.mode == Mode::automatic && !kernel::probe(kernel::FeatureId::netkit).available)
        return Wiring::veth;
    const bool l2 = policy.mode == Mode::netkit_l2 || (policy.mode == Mode::automatic && policy.mac);
    return l2 ? Wiring::netkit_l2 : Wiring::netkit_l3;
}

/// Puts a guest into the maps as it would be put when it comes up.
Result<Record> enlist(const Policy &policy, std::uint32_t slot, const StandIns &devices, Numbers &numbers,
                      const Objects &objects) {
    BL_TRY(const Prepared rules, prepare_rules(policy, nullptr, numbers, objects));
    Record record{.name = policy.name,
                  .slot = slot,
                  .asked = asked_of(policy),
                  .wired = {},
                  .ruled = rules.ruled,
                  .masquerade = policy.masquerade,
                  .publish = policy.publish};
    record.wired.wiring = wiring_of(policy);
    record.wired.ifindex = devices.guests.at(slot);
    record.wired.mtu = policy.mtu.value_or(devices.guest_mtu);
    record.wired.mac = policy.mac;
    record.wired.carries_mark = true;
    BL_CHECK(put_rules(slot, rules, objects));
    BL_CHECK(list_addresses(objects, record));
    BL_CHECK(list_ports(objects, record));
    BL_CHECK(list_guest(objects, record, true));
    return record;
}

} // namespace

std::string_view reason_name(std::uint32_t reason) {
    return reason < kReasonNames.size() ? kReasonNames[reason] : "unknown";
}

KnownGuest known_guest(const Record &record, const std::string &file) {
    KnownGuest guest{.name = record.name, .slot = record.slot, .ifindex = record.wired.ifindex};
    for (const auto &address : {record.asked.address4, record.asked.address6})
        if (address)
            guest.addresses.push_back(address->address);
    const Ruled &ruled = record.ruled;
    for (std::size_t i = 0; i < ruled.texts.size(); ++i) {
        const std::uint32_t line = ruled.lines.at(i);
        guest.rules.push_back({ruled.texts[i], line == 0 ? "" : file, line, ruled.counter_of_rule.at(i)});
    }
    return guest;
}

Result<kernel::TestResult> Asker::State::run(int program, std::uint32_t ifindex, std::uint32_t slot, std::uint32_t cb1,
                                             std::span<const std::byte> packet) const {
    kernel::TestRun test{.data = packet};
    test.skb.emplace();
    test.skb->cb[0] = slot;
    test.skb->cb[1] = cb1;
    test.skb->ifindex = ifindex;
    // The kernel looks the device up in the network namespace of the caller.
    return netns ? netns->within([&] { return kernel::test_run(program, test); }) : kernel::test_run(program, test);
}

Asker::Asker(std::unique_ptr<State> state) : state_(std::move(state)) {}
Asker::Asker(Asker &&) noexcept = default;
Asker &Asker::operator=(Asker &&) noexcept = default;
Asker::~Asker() = default;

Result<Asker> Asker::of_live(const std::filesystem::path &pins) {
    BL_TRY(Live live, look(pins));
    BL_TRY(auto uplinks, live_uplinks(live));
    std::vector<KnownGuest> guests;
    for (const auto &[slot, record] : live.guests)
        guests.push_back(known_guest(record, record.runtime ? "" : live.host.file));
    return Asker(std::make_unique<State>(State{.objects = std::move(live.objects),
                                               .netns = std::nullopt,
                                               .guests = std::move(guests),
                                               .uplinks = std::move(uplinks)}));
}

Result<Asker> Asker::of_policies(const HostSettings &settings, const std::vector<Policy> &policies) {
    BL_TRY(StandIns devices, StandIns::make(settings, policies));
    BL_TRY(Objects objects, Objects::create(kMinFlows));
    BL_TRY(auto map, objects.map<SettingsMap>("guest_settings"));
    const auto &ports = settings.masquerade_ports;
    BL_CHECK(map.update(0, {.generation = 1, .nat_low = ports.low, .nat_high = ports.high}));
    BL_TRY(auto uplink_map, objects.map<UplinkMap>("guest_uplinks"));
    std::vector<KnownUplink> uplinks;
    for (const StandIns::Uplink &uplink : devices.uplinks) {
        BL_CHECK(uplink_map.update(uplink.ifindex, uplink.facts));
        uplinks.push_back({uplink.name, uplink.ifindex});
    }
    Numbers numbers;
    std::vector<KnownGuest> guests;
    for (const Policy &policy : policies) {
        const auto slot = static_cast<std::uint32_t>(guests.size());
        BL_TRY(const Record record, enlist(policy, slot, devices, numbers, objects));
        guests.push_back(known_guest(record, policy.where.file));
    }
    return Asker(std::make_unique<State>(State{.objects = std::move(objects),
                                               .netns = std::move(devices.netns),
                                               .guests = std::move(guests),
                                               .uplinks = std::move(uplinks)}));
}

const std::vector<KnownGuest> &Asker::guests() const {
    return state_->guests;
}

const std::vector<KnownUplink> &Asker::uplinks() const {
    return state_->uplinks;
}

const KnownGuest *Asker::find(std::string_view name) const {
    const auto found = std::ranges::find(state_->guests, name, &KnownGuest::name);
    return found == state_->guests.end() ? nullptr : &*found;
}

Result<const KnownGuest *> Asker::guest(std::string_view name) const {
    if (const KnownGuest *found = find(name))
        return found;
    std::string names;
    for (const KnownGuest &guest : state_->guests)
        names += (names.empty() ? "there are: " : ", ") + guest.name;
    return fail(Kind::usage, 0, "no guest " + std::string(name), names.empty() ? "there is none at all" : names);
}

Result<Verdict> Asker::explain(Seen seen, const KnownGuest &guest, std::span<const std::byte> packet) const {
    const int program = state_->objects.fd(seen == Seen::out ? "guest_out" : "guest_in");
    BL_TRY(const auto result, state_->run(program, guest.ifindex, guest.slot, BL_GUEST_TRACE, packet));
    return verdict_of(result);
}

Result<Verdict> Asker::explain(const KnownUplink &uplink, std::span<const std::byte> packet) const {
    const int program = state_->objects.fd("guest_wire_explain");
    BL_TRY(const auto result, state_->run(program, uplink.ifindex, BL_GUEST_NONE, 0, packet));
    return verdict_of(result);
}

} // namespace beeline::guest
