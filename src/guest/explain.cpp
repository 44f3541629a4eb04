// SPDX-License-Identifier: Apache-2.0
//
// What the loaded programs say about a packet: they are run on it (BPF_PROG_TEST_RUN), with a trace for an answer.
#include <array>

#include <beeline/guest/guest.hpp>
#include <beeline/kernel/prog.hpp>

#include "guest/live.hpp"

namespace beeline::guest {
namespace {

constexpr std::array<std::string_view, BL_GUEST_REASONS> kReasonNames = BL_GUEST_REASON_NAMES;

const char *program(Seen seen) {
    switch (seen) {
    case Seen::out:
        return "guest_out";
    case Seen::in:
        return "guest_in";
    case Seen::wire:
        return "guest_wire_explain";
    }
    return "guest_wire_explain";
}

std::optional<std::uint32_t> unless_none(std::uint32_t number) {
    return number == BL_GUEST_NONE ? std::nullopt : std::optional(number);
}

Verdict verdict_of(const kernel::TestResult &result) {
    const auto &cb = result.skb_out->cb;
    Verdict verdict{.action = static_cast<std::int32_t>(result.retval)};
    verdict.rule = unless_none(cb[0]);
    verdict.reason = cb[1];
    verdict.reason_name = verdict.reason < kReasonNames.size() ? kReasonNames[verdict.reason] : "unknown";
    verdict.way = cb[2] >> 16;
    verdict.to = unless_none(cb[2] & 0xffff);
    verdict.ifindex = cb[3];
    verdict.to_rule = unless_none(cb[4]);
    return verdict;
}

Result<Verdict> run(const Live &live, Seen seen, std::uint32_t slot, std::uint32_t ifindex,
                    std::span<const std::byte> packet) {
    kernel::TestRun test{.data = packet};
    test.skb.emplace();
    test.skb->cb[0] = slot;
    test.skb->cb[1] = BL_GUEST_TRACE;
    test.skb->ifindex = ifindex;
    BL_TRY(const kernel::TestResult result, kernel::test_run(live.objects.fd(program(seen)), test));
    if (!result.skb_out)
        return fail(Kind::state, 0, "the program gave no answer", "is it of this version?");
    return verdict_of(result);
}

} // namespace

Result<Verdict> Guests::explain(Seen seen, std::uint32_t slot, std::uint32_t ifindex,
                                std::span<const std::byte> packet) const {
    BL_TRY(const Live live, look(pins_));
    if (ifindex == 0)
        if (const auto guest = live.guests.find(slot); guest != live.guests.end())
            ifindex = guest->second.wired.ifindex;
    return run(live, seen, slot, ifindex, packet);
}

Result<Verdict> Guests::explain(Seen seen, const std::string &guest, std::span<const std::byte> packet) const {
    BL_TRY(const Live live, look(pins_));
    const Record *record = live.find(guest);
    if (!record)
        return fail(Kind::usage, 0, "no guest " + guest + " is up");
    return run(live, seen, record->slot, record->wired.ifindex, packet);
}

} // namespace beeline::guest
