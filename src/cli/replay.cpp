// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/replay.hpp>

#include <beeline/edge/packet.hpp>

#include "cli/command.hpp"
#include "cli/replay_guest.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string capture, file, device;
    bool packets = false;
    bool json = false;
    GuestPlace place;
};

/// What became of packets whose rule says something else: "XDP_DROP 4"; empty: nothing of the kind.
std::string other_outcomes(const edge::ReplayRule &rule, std::uint32_t verdict) {
    std::string text;
    for (std::uint32_t xdp = 0; xdp < rule.by_xdp.size(); ++xdp)
        if (rule.by_xdp[xdp] != 0 && xdp != edge::expected_xdp(verdict))
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", edge::xdp_name(xdp), grouped(rule.by_xdp[xdp]));
    return text;
}

void print_sum(Output &out, const edge::Replay &replay, const edge::Judge &judge) {
    Table table{{{"#", true}, {"packets", true}, {"bytes", true}, {"verdict"}, {"rule"}}, {}};
    for (std::size_t i = 0; i < replay.rules.size(); ++i)
        table.rows.push_back({std::to_string(i + 1), grouped(replay.rules[i].packets), grouped(replay.rules[i].bytes),
                              std::string(edge::verdict_name(judge.rules()[i].verdict)), judge.rules()[i].text});
    out.table(table);
    out.line();
    for (std::size_t i = 0; i < replay.rules.size(); ++i) {
        const std::uint32_t verdict = judge.rules()[i].verdict;
        if (const std::string other = other_outcomes(replay.rules[i], verdict); !other.empty())
            out.line(fmt::format("rule {} says {}, but: {}", i + 1, edge::verdict_name(verdict), other),
                     Style::warning);
    }
    out.print("{}, {} judged", plural(replay.packets, "packet"), grouped(replay.judged));
    if (replay.cut != 0)
        out.line(fmt::format("{} cut by the capture: judged with zeros for what is missing", grouped(replay.cut)),
                 Style::warning);
    if (replay.too_short != 0)
        out.line(fmt::format("{} shorter than an Ethernet header: not judged", grouped(replay.too_short)),
                 Style::warning);
    if (replay.too_long != 0)
        out.line(fmt::format("{} longer than {} bytes: not judged", grouped(replay.too_long), edge::kMaxJudgedFrame),
                 Style::warning);
    for (const auto &[reason, count] : replay.odd)
        out.print("odd: {} {}: {}", grouped(count), edge::reason_name(reason), edge::reason_text(reason));
}

daemon::Json sum_json(const edge::Replay &replay, const edge::Judge &judge) {
    daemon::Json json = {{"version", daemon::kSchemaVersion}, {"packets", replay.packets},
                         {"judged", replay.judged},           {"cut", replay.cut},
                         {"too_short", replay.too_short},     {"too_long", replay.too_long},
                         {"rules", daemon::Json::array()},    {"odd", daemon::Json::object()}};
    for (std::size_t i = 0; i < replay.rules.size(); ++i) {
        const edge::ReplayRule &rule = replay.rules[i];
        daemon::Json by_xdp = daemon::Json::object();
        for (std::uint32_t xdp = 0; xdp < rule.by_xdp.size(); ++xdp)
            if (rule.by_xdp[xdp] != 0)
                by_xdp[std::string(edge::xdp_name(xdp))] = rule.by_xdp[xdp];
        json["rules"].push_back({{"number", i + 1},
                                 {"text", judge.rules()[i].text},
                                 {"place", judge.rules()[i].place},
                                 {"verdict", edge::verdict_name(judge.rules()[i].verdict)},
                                 {"packets", rule.packets},
                                 {"bytes", rule.bytes},
                                 {"xdp", by_xdp}});
    }
    for (const auto &[reason, count] : replay.odd)
        json["odd"][std::string(edge::reason_name(reason))] = count;
    return json;
}

/// One packet: a line, or an object on a line of its own.
void print_packet(Output &out, const edge::Replayed &replayed, const edge::Judge &judge, bool json) {
    const edge::CapturedPacket &packet = replayed.packet;
    const std::string text = edge::describe(packet.bytes, packet.length);
    if (!replayed.judgement) {
        if (json)
            out.raw(daemon::Json{{"packet", packet.number}, {"text", text}, {"judged", false}}.dump() + "\n");
        else
            out.print("{:>6}  not judged  {}", packet.number, text);
        return;
    }
    const edge::Judgement &judgement = *replayed.judgement;
    if (!json) {
        out.print("{:>6}  #{:<3} {:<8}  {}{}", packet.number, judgement.rule + 1, judge.verdict_text(judgement), text,
                  judgement.reason == 0 ? "" : fmt::format(" [{}]", edge::reason_name(judgement.reason)));
        return;
    }
    out.raw(daemon::Json{{"packet", packet.number},
                         {"text", text},
                         {"judged", true},
                         {"rule", judgement.rule + 1},
                         {"xdp", edge::xdp_name(judgement.xdp)},
                         {"odd", judgement.reason == 0 ? daemon::Json(nullptr)
                                                       : daemon::Json(edge::reason_name(judgement.reason))}}
                .dump(-1, ' ', false, daemon::Json::error_handler_t::replace) +
            "\n");
}

Result<edge::Judge> find_judge(Context &context, const Options &options) {
    if (options.file.empty()) {
        BL_TRY(const edge::Edge edge, context.edge());
        return edge::Judge::of_live(edge);
    }
    BL_TRY(const auto loaded, context.load_policy(options.file));
    return edge::Judge::of_policy(loaded.second, {options.device});
}

Result<int> replay(Context &context, const Options &options) {
    if (options.place.given() && !options.device.empty())
        return fail(Kind::usage, 0, "--in is for the edge, --guest for a guest", "leave one of them away");
    if (options.place.given())
        return replay_guest(context, {.capture = options.capture,
                                      .file = options.file,
                                      .place = options.place,
                                      .packets = options.packets,
                                      .json = options.json});
    BL_TRY(auto capture, edge::CaptureReader::open(options.capture));
    BL_TRY(const edge::Judge judge, find_judge(context, options));
    std::function<void(const edge::Replayed &)> each;
    if (options.packets)
        each = [&](const edge::Replayed &one) { print_packet(context.out, one, judge, options.json); };
    BL_TRY(const edge::Replay sum, edge::replay(capture, judge, options.device, each));
    if (options.json)
        context.out.raw(sum_json(sum, judge).dump(options.packets ? -1 : 2) + "\n");
    else
        print_sum(context.out, sum, judge);
    return 0;
}

} // namespace

void add_replay(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("replay", "What a policy says about each packet of a capture",
                                   "sudo beeline replay capture.pcap beeline.toml\n"
                                   "sudo beeline replay capture.pcap --packets --in eth0\n"
                                   "sudo beeline replay guest.pcap beeline.toml --guest web",
                                   [options](Context &context) { return replay(context, *options); });
    command.required("CAPTURE", options->capture, "pcap or pcapng file, - for standard input");
    command.argument("FILE", options->file, "Config file; without it: the live policy");
    command.option("--in", "DEVICE", options->device, "The device that receives the packets");
    command.option("--guest", "NAME", options->place.guest, "Ask the rules of this guest...");
    command.flag("--out", options->place.out, "...about packets that it sends");
    command.flag("--into", options->place.into, "...or that it gets; neither: each by its source");
    command.flag("--packets", options->packets, "One line for each packet");
    command.flag("--json", options->json, "As JSON; with --packets one object a line");
}

} // namespace beeline::cli
