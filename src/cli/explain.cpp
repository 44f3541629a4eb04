// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/explain_guest.hpp"
#include "daemon/json.hpp"

#include <beeline/edge/capture.hpp>
#include <beeline/edge/judge.hpp>
#include <beeline/edge/packet.hpp>

namespace beeline::cli {
namespace {

struct Options {
    std::vector<std::string> words;
    std::string hex, pcap, file, device;
    std::uint64_t packet = 1;
    bool json = false;
    GuestPlace place;
};

/// What is to be judged.
struct Question {
    std::vector<std::byte> frame;
    std::string device;
};

Result<Question> from_capture(const Options &options) {
    BL_TRY(auto capture, edge::CaptureReader::open(options.pcap));
    for (;;) {
        BL_TRY(const auto packet, capture.next());
        if (!packet)
            return fail(Kind::usage, 0, fmt::format("{} has no packet {}", options.pcap, options.packet));
        if (packet->number == options.packet)
            return Question{{packet->bytes.begin(), packet->bytes.end()}, options.device};
    }
}

Result<Question> question(const Options &options) {
    const int ways = (options.words.empty() ? 0 : 1) + (options.hex.empty() ? 0 : 1) + (options.pcap.empty() ? 0 : 1);
    if (ways != 1)
        return fail(Kind::usage, 0, "explain wants one packet", "expected PACKET, --hex BYTES or --pcap FILE");
    if (!options.pcap.empty())
        return from_capture(options);
    if (!options.hex.empty()) {
        BL_TRY(auto frame, edge::read_hex(options.hex));
        return Question{std::move(frame), options.device};
    }
    std::string text;
    for (const std::string &word : options.words)
        text += (text.empty() ? "" : " ") + word;
    BL_TRY(edge::PacketSpec spec, edge::read_packet(text));
    BL_TRY(auto frame, edge::build_frame(spec));
    return Question{std::move(frame), options.device.empty() ? spec.device : options.device};
}

daemon::Json to_json(const Question &question, const edge::Judge &judge, const edge::Judgement &judgement,
                     const edge::RuleInfo &rule) {
    daemon::Json json = {
        {"version", daemon::kSchemaVersion},
        {"packet", edge::describe(question.frame)},
        {"device", question.device},
        {"generation", judge.generation()},
        {"rule", {{"number", judgement.rule + 1}, {"text", rule.text}, {"place", rule.place}}},
        {"verdict", edge::verdict_name(rule.verdict)},
        {"outcome", judge.verdict_text(judgement)},
        {"xdp", edge::xdp_name(judgement.xdp)},
        {"changes", daemon::Json::array()},
        {"odd", judgement.reason == 0 ? daemon::Json(nullptr) : daemon::Json(edge::reason_name(judgement.reason))}};
    for (const edge::Change &change : edge::changes(question.frame, judgement.frame))
        json["changes"].push_back({{"field", change.field}, {"before", change.before}, {"after", change.after}});
    return json;
}

void print(Output &out, const Question &question, const edge::Judge &judge, const edge::Judgement &judgement,
           const edge::RuleInfo &rule) {
    out.print("packet   {}{}{}", edge::describe(question.frame), question.device.empty() ? "" : ", in ",
              question.device);
    out.line(fmt::format("rule     {}: {}", judgement.rule + 1, rule.text), Style::heading);
    if (!rule.place.empty())
        out.print("place    {}", rule.place);
    out.line(fmt::format("verdict  {}", judge.verdict_text(judgement)), Style::heading);
    for (const edge::Change &change : edge::changes(question.frame, judgement.frame))
        out.print("rewrite  {}: {} -> {}", change.field, change.before, change.after);
    if (judgement.reason != 0)
        out.line(
            fmt::format("odd      {}: {}", edge::reason_name(judgement.reason), edge::reason_text(judgement.reason)),
            Style::warning);
    if (judge.generation() != 0)
        out.print("asked    the live program, generation {}", judge.generation());
    else
        out.print("asked    the program of this file, loaded aside");
}

Result<edge::Judge> find_judge(Context &context, const Options &options, const std::string &device) {
    if (options.file.empty()) {
        BL_TRY(const edge::Edge edge, context.edge());
        return edge::Judge::of_live(edge);
    }
    BL_TRY(const auto loaded, context.load_policy(options.file));
    return edge::Judge::of_policy(loaded.second, {device});
}

int show(Context &context, const GuestAnswer &answer, bool json) {
    if (json)
        context.json(to_json(answer));
    else
        print(context.out, answer);
    return 0;
}

Result<int> explain(Context &context, const Options &options) {
    BL_TRY(const Question asked, question(options));
    if (asked.frame.size() < edge::kMinJudgedFrame || asked.frame.size() > edge::kMaxJudgedFrame)
        return fail(Kind::usage, 0, fmt::format("a frame of {} bytes", asked.frame.size()),
                    fmt::format("the kernel judges {} to {} bytes", edge::kMinJudgedFrame, edge::kMaxJudgedFrame));
    if (options.place.given()) {
        BL_TRY(const GuestAsker asker, GuestAsker::open(context, options.file));
        BL_TRY(const GuestAnswer answer, asker.ask(options.place, asked.frame));
        return show(context, answer, options.json);
    }
    std::optional<GuestAnswer> guests; // an uplink's packets come to them when the edge lets them pass
    if (options.file.empty()) {
        BL_TRY(guests, ask_by_device(context, asked.device, asked.frame));
        BL_TRY(const edge::Edge edge, context.edge());
        if (guests && !edge.is_up().value_or(false))
            return show(context, *guests, options.json);
    }
    BL_TRY(const edge::Judge judge, find_judge(context, options, asked.device));
    BL_TRY(const edge::Judgement judgement, judge.judge(asked.frame, asked.device));
    if (judgement.rule >= judge.rules().size())
        return fail(Kind::state, 0, "the program names a rule that is not in the policy");
    const edge::RuleInfo &rule = judge.rules()[judgement.rule];
    constexpr std::uint32_t kPass = 2; // XDP_PASS
    if (judgement.xdp != kPass || judgement.frame != asked.frame)
        guests.reset(); // it does not come to them as it was asked about
    if (options.json) {
        daemon::Json json = to_json(asked, judge, judgement, rule);
        if (guests)
            json["guests"] = to_json(*guests);
        context.json(json);
        return 0;
    }
    print(context.out, asked, judge, judgement, rule);
    if (guests) {
        context.out.line();
        print(context.out, *guests);
    }
    return 0;
}

} // namespace

void add_explain(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("explain", "Which rule decides a packet: asks the live program",
                                   "sudo beeline explain 'tcp 192.0.2.1:4000 > 198.51.100.7:443 in eth0'\n"
                                   "sudo beeline explain 'udp [2001:db8::1]:53 > [2001:db8::2]:9 vlan 7'\n"
                                   "sudo beeline explain --pcap capture.pcap --packet 17\n"
                                   "sudo beeline explain --guest web --out 'udp 10.88.0.2:53 > 192.0.2.1:53'\n"
                                   "\n"
                                   "PACKET: PROTOCOL SRC[:PORT] > DST[:PORT] with any of: flags syn,ack\n"
                                   "ttl N, dscp N, type N, code N, vlan N, inner-vlan N, fragment first|later\n"
                                   "length N, mac src MAC, mac dst MAC, in DEVICE",
                                   [options](Context &context) { return explain(context, *options); });
    command.arguments("PACKET", options->words, "The packet in words, see below");
    command.option("--hex", "BYTES", options->hex, "The frame in hexadecimal");
    command.option("--pcap", "FILE", options->pcap, "Take it from a capture...");
    command.option("--packet", "N", options->packet, "...packet number N, from 1");
    command.option("--in", "DEVICE", options->device, "The device that receives it");
    command.option("--file", "FILE", options->file, "Ask what this file says, not what is live");
    command.option("--guest", "NAME", options->place.guest, "Ask the rules of this guest...");
    command.flag("--out", options->place.out, "...for a packet that it sends");
    command.flag("--into", options->place.into, "...or one that the host's stack sends to it");
    command.flag("--json", options->json, "As JSON");
}

} // namespace beeline::cli
