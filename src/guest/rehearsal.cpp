// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/counters.hpp>

#include "guest/asker.hpp"

namespace beeline::guest {
namespace {

constexpr std::uint32_t kFlows = 65536;

/// The guests that are there, each as it is but for masquerade.
Result<> list_guests(const Objects &from, const Objects &to, const std::vector<KnownGuest> &guests) {
    BL_TRY(const auto source, from.map<GuestList>("guest_list"));
    BL_TRY(auto target, to.map<GuestList>("guest_list"));
    for (const KnownGuest &guest : guests) {
        BL_TRY(auto entry, source.lookup(guest.slot));
        if (!entry)
            continue;
        entry->flags &= ~static_cast<__u32>(BL_GUEST_MASQUERADE);
        BL_CHECK(target.update(guest.slot, *entry));
    }
    return {};
}

} // namespace

struct Rehearsal::State {
    const Asker::State &asker;
    Objects objects;
    live::HitsMap hits;
    kernel::CounterMap reasons;
};

Rehearsal::Rehearsal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Rehearsal::Rehearsal(Rehearsal &&) noexcept = default;
Rehearsal &Rehearsal::operator=(Rehearsal &&) noexcept = default;
Rehearsal::~Rehearsal() = default;

Result<Rehearsal> Asker::rehearse() const {
    BL_TRY(Objects objects, Objects::beside(state_->objects, kFlows));
    BL_CHECK(list_guests(state_->objects, objects, state_->guests));
    BL_TRY(auto hits, objects.map<live::HitsMap>("guest_hits"));
    BL_TRY(auto reasons, objects.map<kernel::CounterMap>("guest_reasons"));
    return Rehearsal(std::make_unique<Rehearsal::State>(Rehearsal::State{
        .asker = *state_, .objects = std::move(objects), .hits = std::move(hits), .reasons = std::move(reasons)}));
}

bool Rehearsal::is_too_short(std::span<const std::byte> frame) {
    constexpr std::size_t kEthernet = 14, kType = 12, kIp4 = 20, kIp6 = 40;
    if (frame.size() <= kEthernet)
        return true;
    const unsigned type = std::to_integer<unsigned>(frame[kType]) << 8 | std::to_integer<unsigned>(frame[kType + 1]);
    return frame.size() < kEthernet + (type == 0x0800 ? kIp4 : type == 0x86dd ? kIp6 : 1);
}

Result<std::int32_t> Rehearsal::pass(Seen seen, const KnownGuest &guest, std::span<const std::byte> packet) {
    const int program = state_->objects.fd(seen == Seen::out ? "guest_out" : "guest_in");
    BL_TRY(const auto result, state_->asker.run(program, guest.ifindex, guest.slot, 0, packet));
    return static_cast<std::int32_t>(result.retval);
}

Result<Rehearsal::Counted> Rehearsal::counted() const {
    Counted counted;
    for (const KnownGuest &guest : state_->asker.guests)
        for (const KnownGuest::Rule &rule : guest.rules) {
            BL_TRY(const bl_hits sum, live::read_hits(state_->hits, rule.counter));
            counted.rules[guest.slot].push_back({sum.packets, sum.bytes});
        }
    for (std::uint32_t reason = 0; reason < BL_GUEST_REASONS; ++reason) {
        BL_TRY(counted.reasons[reason], state_->reasons.sum(reason));
    }
    counted.reasons[BL_GUEST_R_EVENT_LOST] = 0; // nobody reads the events of a rehearsal
    return counted;
}

} // namespace beeline::guest
