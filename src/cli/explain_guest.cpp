// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_guest.hpp"

#include <algorithm>

#include <beeline/edge/packet.hpp>

namespace beeline::cli {
namespace {

void decide(GuestAnswer &answer, const guest::KnownGuest *guest, std::optional<std::uint32_t> rule) {
    if (guest != nullptr && rule && *rule < guest->rules.size())
        answer.rules.push_back({guest->name, *rule, guest->rules[*rule].text, guest->rules[*rule].line});
}

} // namespace

void print(Output &out, const GuestAnswer &answer) {
    out.print("packet   {}, {}", answer.packet, answer.place);
    for (const GuestAnswer::Decided &rule : answer.rules) {
        out.line(fmt::format("rule     {} of guest {}: {}", rule.number + 1, rule.guest, rule.text), Style::heading);
        if (rule.line != 0)
            out.print("place    line {}", rule.line);
    }
    if (answer.rules.empty())
        out.line("rule     none was asked", Style::heading);
    out.line("outcome  " + answer.outcome, Style::heading);
    if (answer.reason != "none")
        out.line("reason   " + answer.reason, Style::warning);
    out.line("asked    " + answer.asked);
}

daemon::Json to_json(const GuestAnswer &answer) {
    daemon::Json json = {{"version", daemon::kSchemaVersion},
                         {"packet", answer.packet},
                         {"place", answer.place},
                         {"rules", daemon::Json::array()},
                         {"outcome", answer.outcome},
                         {"action", answer.action},
                         {"reason", answer.reason}};
    for (const GuestAnswer::Decided &rule : answer.rules)
        json["rules"].push_back(
            {{"guest", rule.guest}, {"number", rule.number + 1}, {"text", rule.text}, {"line", rule.line}});
    return json;
}

Result<GuestAsker> GuestAsker::open(Context &context, const std::string &file) {
    if (file.empty()) {
        BL_TRY(const host::Host host, context.host());
        BL_TRY(guest::Asker asker, host.guests().asker());
        return GuestAsker(std::move(asker), "the live programs");
    }
    BL_TRY(const config::Config config, context.load(file));
    if (config.guests.empty())
        return fail(Kind::config, 0, file + " has no [[guest]]", "there is nobody to ask without one");
    BL_TRY(guest::Asker asker, guest::Asker::of_policies(config.guest_settings, config.guests));
    return GuestAsker(std::move(asker), "the programs of this file, loaded aside");
}

const guest::KnownGuest *GuestAsker::by_slot(std::optional<std::uint32_t> slot) const {
    const auto found = std::ranges::find_if(asker_.guests(), [&](const auto &guest) { return guest.slot == slot; });
    return found == asker_.guests().end() ? nullptr : &*found;
}

const guest::KnownUplink *GuestAsker::uplink(const std::string &device) const {
    const auto found = std::ranges::find(asker_.uplinks(), device, &guest::KnownUplink::name);
    return found == asker_.uplinks().end() ? nullptr : &*found;
}

std::string GuestAsker::outcome(const guest::Verdict &verdict, guest::Seen seen) const {
    if (verdict.action == kGuestDrop)
        return "dropped";
    if (verdict.way == BL_WAY_WIRE) {
        const auto to = std::ranges::find(asker_.uplinks(), verdict.ifindex, &guest::KnownUplink::ifindex);
        return "out of uplink " +
               (to == asker_.uplinks().end() ? fmt::format("with ifindex {}", verdict.ifindex) : to->name);
    }
    const guest::KnownGuest *to = by_slot(verdict.to);
    if (verdict.way == BL_WAY_GUEST)
        return "to guest " + (to != nullptr ? to->name : std::string("that is gone"));
    return seen == guest::Seen::in ? "into the guest" : "on to the host's stack";
}

GuestAnswer GuestAsker::answer(const guest::KnownGuest *own, const guest::Verdict &verdict, guest::Seen seen,
                               std::span<const std::byte> frame) const {
    GuestAnswer answer{.packet = edge::describe(frame),
                       .place = {},
                       .asked = asked_,
                       .rules = {},
                       .outcome = outcome(verdict, seen),
                       .action = verdict.action,
                       .reason = verdict.reason_name};
    decide(answer, own, verdict.rule);
    decide(answer, by_slot(verdict.to), verdict.to_rule);
    return answer;
}

Result<GuestAnswer> GuestAsker::ask(const GuestPlace &place, std::span<const std::byte> frame) const {
    if (place.guest.empty() || place.out == place.into)
        return fail(Kind::usage, 0, "a guest's packet goes one way", "expected --guest NAME with --out or --into");
    const guest::Seen seen = place.out ? guest::Seen::out : guest::Seen::in;
    BL_TRY(const guest::KnownGuest *const own, asker_.guest(place.guest));
    BL_TRY(const guest::Verdict verdict, asker_.explain(seen, *own, frame));
    GuestAnswer found = answer(own, verdict, seen, frame);
    found.place = (place.out ? "out of guest " : "into guest ") + place.guest;
    return found;
}

Result<GuestAnswer> GuestAsker::ask(const guest::KnownUplink &uplink, std::span<const std::byte> frame) const {
    BL_TRY(const guest::Verdict verdict, asker_.explain(uplink, frame));
    GuestAnswer found = answer(nullptr, verdict, guest::Seen::wire, frame);
    found.place = "in by uplink " + uplink.name;
    return found;
}

Result<std::optional<GuestAnswer>> ask_by_device(Context &context, const std::string &device,
                                                 std::span<const std::byte> frame) {
    BL_TRY(const host::Host host, context.host());
    if (device.empty() || !host.guests().is_up().value_or(false))
        return std::nullopt;
    BL_TRY(const GuestAsker asker, GuestAsker::open(context));
    const guest::KnownUplink *uplink = asker.uplink(device);
    if (uplink == nullptr)
        return std::nullopt;
    BL_TRY(GuestAnswer answer, asker.ask(*uplink, frame));
    return answer;
}

} // namespace beeline::cli
