// SPDX-License-Identifier: Apache-2.0
#include "cli/replay_guest.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include <beeline/edge/capture.hpp>
#include <beeline/edge/packet.hpp>

namespace beeline::cli {
namespace {

using guest::KnownGuest;
using guest::Rehearsal;
using guest::Seen;

struct Sum {
    std::uint64_t packets = 0, judged = 0, cut = 0, too_short = 0, too_long = 0, out = 0, into = 0;
    std::map<std::int32_t, std::uint64_t> actions; ///< By what the program returned.
    Rehearsal::Counted counted;
};

/// One packet; action is empty when it was not judged.
struct Replayed {
    const edge::CapturedPacket &packet;
    Seen seen = Seen::out;
    std::optional<std::int32_t> action;
};
using Each = std::function<Result<>(const Replayed &)>;

/// What tcx and netkit programs return alike.
std::string action_name(std::int32_t action) {
    switch (action) {
    case -1:
        return "next";
    case 0:
        return "pass";
    case kGuestDrop:
        return "drop";
    case 7:
        return "redirect";
    default:
        return std::to_string(action);
    }
}

std::string action_text(std::int32_t action, Seen seen) {
    if (action == -1)
        return seen == Seen::out ? "to the host's stack" : "into the guest";
    return action == kGuestDrop ? "dropped" : action == 7 ? "redirected" : action_name(action);
}

/// Where the sender's address stands in an Ethernet frame without tags: IPv4, IPv6 or ARP.
bool is_from(std::span<const std::byte> frame, const kernel::IpAddress &address) {
    constexpr std::size_t kType = 12, kIp4Source = 26, kIp6Source = 22, kArpSender = 28;
    const unsigned type =
        frame.size() < 14 ? 0
                          : std::to_integer<unsigned>(frame[kType]) << 8 | std::to_integer<unsigned>(frame[kType + 1]);
    std::size_t at = 0;
    if (address.v6)
        at = type == 0x86dd ? kIp6Source : 0;
    else
        at = type == 0x0800 ? kIp4Source : type == 0x0806 ? kArpSender : 0;
    return at != 0 && frame.size() >= at + address.size() &&
           std::memcmp(frame.data() + at, address.bytes.data(), address.size()) == 0;
}

Seen seen_of(const GuestPlace &place, const KnownGuest &guest, std::span<const std::byte> frame) {
    if (place.out != place.into)
        return place.out ? Seen::out : Seen::in;
    const bool from = std::ranges::any_of(guest.addresses, [&](const auto &own) { return is_from(frame, own); });
    return from ? Seen::out : Seen::in;
}

Result<Sum> run(edge::CaptureReader &capture, Rehearsal &rehearsal, const KnownGuest &guest, const GuestPlace &place,
                const Each &each) {
    Sum sum;
    std::vector<std::byte> room;
    for (;;) {
        BL_TRY(const auto packet, capture.next());
        if (!packet)
            break;
        ++sum.packets;
        Replayed one{.packet = *packet, .seen = seen_of(place, guest, packet->bytes), .action = {}};
        if (Rehearsal::is_too_short(packet->bytes)) {
            ++sum.too_short;
        } else if (std::max<std::size_t>(packet->length, packet->bytes.size()) > Rehearsal::kMaxFrame) {
            ++sum.too_long;
        } else {
            const auto action = rehearsal.pass(one.seen, guest, edge::whole(*packet, room));
            if (!action)
                return std::unexpected(
                    Error(action.error()).within(fmt::format("{}: packet {}", capture.path(), packet->number)));
            one.action = *action;
            ++sum.judged;
            ++(one.seen == Seen::out ? sum.out : sum.into);
            ++sum.actions[*action];
            sum.cut += packet->length > packet->bytes.size() ? 1 : 0;
        }
        if (each)
            BL_CHECK(each(one));
    }
    BL_TRY(sum.counted, rehearsal.counted());
    return sum;
}

/// f(guest, rule number from 0, hits): the guest's own rules first, all of them; then those of others that counted.
template <class F>
void for_each_rule(const guest::Asker &asker, const KnownGuest &own, const Rehearsal::Counted &counted, F &&f) {
    const auto tell = [&](const KnownGuest &guest) {
        const auto &hits = counted.rules.at(guest.slot);
        for (std::size_t i = 0; i < guest.rules.size(); ++i)
            if (&guest == &own || hits[i].packets != 0)
                f(guest, i, hits[i]);
    };
    tell(own);
    for (const KnownGuest &guest : asker.guests())
        if (&guest != &own)
            tell(guest);
}

void print_sum(Output &out, const Sum &sum, const GuestAsker &asker, const KnownGuest &own) {
    Table table{{{"guest"}, {"#", true}, {"packets", true}, {"bytes", true}, {"rule"}}, {}};
    for_each_rule(asker.asker(), own, sum.counted, [&](const KnownGuest &guest, std::size_t i, const auto &hits) {
        table.rows.push_back(
            {guest.name, std::to_string(i + 1), grouped(hits.packets), grouped(hits.bytes), guest.rules[i].text});
    });
    out.table(table);
    out.line();
    out.print("{}, {} judged: {} out of the guest, {} into it", plural(sum.packets, "packet"), grouped(sum.judged),
              grouped(sum.out), grouped(sum.into));
    for (const auto &[action, count] : sum.actions)
        out.print("{}: {}", action_name(action), grouped(count));
    for (std::uint32_t reason = 0; reason < BL_GUEST_REASONS; ++reason)
        if (sum.counted.reasons[reason] != 0)
            out.print("reason {}: {}", guest::reason_name(reason), grouped(sum.counted.reasons[reason]));
    if (sum.cut != 0)
        out.line(fmt::format("{} cut by the capture: judged with zeros for what is missing", grouped(sum.cut)),
                 Style::warning);
    if (sum.too_short != 0)
        out.line(fmt::format("{} shorter than an IP header: not judged", grouped(sum.too_short)), Style::warning);
    if (sum.too_long != 0)
        out.line(fmt::format("{} longer than {} bytes: not judged; capture with the guest's offloads off",
                             grouped(sum.too_long), Rehearsal::kMaxFrame),
                 Style::warning);
    out.line("asked    " + asker.asked() + ", with flows of their own");
}

daemon::Json sum_json(const Sum &sum, const GuestAsker &asker, const KnownGuest &own) {
    daemon::Json json = {{"version", daemon::kSchemaVersion},
                         {"guest", own.name},
                         {"packets", sum.packets},
                         {"judged", sum.judged},
                         {"out", sum.out},
                         {"into", sum.into},
                         {"cut", sum.cut},
                         {"too_short", sum.too_short},
                         {"too_long", sum.too_long},
                         {"rules", daemon::Json::array()},
                         {"actions", daemon::Json::object()},
                         {"odd", daemon::Json::object()}};
    for_each_rule(asker.asker(), own, sum.counted, [&](const KnownGuest &guest, std::size_t i, const auto &hits) {
        const KnownGuest::Rule &rule = guest.rules[i];
        json["rules"].push_back({{"guest", guest.name},
                                 {"number", i + 1},
                                 {"text", rule.text},
                                 {"place", rule.line == 0 ? "" : fmt::format("{}:{}", rule.file, rule.line)},
                                 {"packets", hits.packets},
                                 {"bytes", hits.bytes}});
    });
    for (const auto &[action, count] : sum.actions)
        json["actions"][action_name(action)] = count;
    for (std::uint32_t reason = 0; reason < BL_GUEST_REASONS; ++reason)
        if (sum.counted.reasons[reason] != 0)
            json["odd"][std::string(guest::reason_name(reason))] = sum.counted.reasons[reason];
    return json;
}

/// Prints each packet with the rules and reasons whose counters it moved.
class EachPacket {
public:
    EachPacket(Output &out, const guest::Asker &asker, const KnownGuest &own, const Rehearsal &rehearsal, bool json)
        : out_(out), asker_(asker), own_(own), rehearsal_(rehearsal), json_(json) {}

    Result<> operator()(const Replayed &one) {
        BL_TRY(Rehearsal::Counted now, rehearsal_.counted());
        const std::string text = edge::describe(one.packet.bytes, one.packet.length);
        const char *way = one.seen == Seen::out ? "out" : "into";
        daemon::Json rules = daemon::Json::array();
        std::string names;
        for_each_rule(asker_, own_, now, [&](const KnownGuest &guest, std::size_t i, const auto &hits) {
            if (before_ && hits.packets == before_->rules.at(guest.slot)[i].packets)
                return;
            if (!before_ && hits.packets == 0)
                return;
            rules.push_back({{"guest", guest.name}, {"number", i + 1}});
            names += fmt::format("{}{} #{}", names.empty() ? "" : ", ", guest.name, i + 1);
        });
        std::string reason;
        for (std::uint32_t i = 0; i < BL_GUEST_REASONS; ++i)
            if (now.reasons[i] != (before_ ? before_->reasons[i] : 0))
                reason += (reason.empty() ? "" : ", ") + std::string(guest::reason_name(i));
        before_ = std::move(now);
        if (!json_) {
            out_.print("{:>6}  {:<4} {:<19} {:<10}  {}{}", one.packet.number, way,
                       one.action ? action_text(*one.action, one.seen) : "not judged", names.empty() ? "-" : names,
                       text, reason.empty() ? "" : " [" + reason + "]");
            return {};
        }
        const daemon::Json json = {{"packet", one.packet.number},
                                   {"text", text},
                                   {"way", way},
                                   {"judged", one.action.has_value()},
                                   {"action", one.action ? daemon::Json(action_name(*one.action)) : nullptr},
                                   {"rules", rules},
                                   {"odd", reason.empty() ? daemon::Json(nullptr) : daemon::Json(reason)}};
        out_.raw(json.dump(-1, ' ', false, daemon::Json::error_handler_t::replace) + "\n");
        return {};
    }

private:
    Output &out_;
    const guest::Asker &asker_;
    const KnownGuest &own_;
    const Rehearsal &rehearsal_;
    bool json_;
    std::optional<Rehearsal::Counted> before_;
};

} // namespace

Result<int> replay_guest(Context &context, const GuestReplayOptions &options) {
    if (options.place.guest.empty() || (options.place.out && options.place.into))
        return fail(Kind::usage, 0, "a guest's packets go one way or each its own",
                    "expected --guest NAME with --out, --into or neither of them");
    BL_TRY(auto capture, edge::CaptureReader::open(options.capture));
    BL_TRY(const GuestAsker asker, GuestAsker::open(context, options.file));
    BL_TRY(const KnownGuest *const own, asker.asker().guest(options.place.guest));
    BL_TRY(Rehearsal rehearsal, asker.asker().rehearse());
    Each each;
    if (options.packets)
        each = EachPacket(context.out, asker.asker(), *own, rehearsal, options.json);
    BL_TRY(const Sum sum, run(capture, rehearsal, *own, options.place, each));
    if (options.json)
        context.out.raw(sum_json(sum, asker, *own).dump(options.packets ? -1 : 2) + "\n");
    else
        print_sum(context.out, sum, asker, *own);
    return 0;
}

} // namespace beeline::cli
