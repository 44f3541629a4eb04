// SPDX-License-Identifier: Apache-2.0
//
// Scene: clients talk to port 7999, the server listens on 7998 and never knows.
#include <fmt/format.h>

#include "lab/meeting.hpp"

namespace beeline::lab {
namespace {

constexpr std::uint16_t kAsked = 7999, kListens = 7998;
const std::string kThere = "proto {tcp, udp} dport 7999 -> rewrite dport 7998";
const std::string kBack = "proto {tcp, udp} sport 7998 -> rewrite sport 7999";

std::string dnat(const Meeting &meeting) {
    std::string rules = "table inet bl_demo {\n";
    for (const char *hook : {"prerouting", "output"}) {
        rules += fmt::format(" chain {0} {{\n  type nat hook {0} priority -100;\n", hook);
        for (const char *transport : {"udp", "tcp"}) {
            rules += fmt::format("  ip daddr {0} {1} dport {2} dnat ip to {0}:{3}\n", meeting.v4(), transport, kAsked,
                                 kListens);
            rules += fmt::format("  ip6 daddr {0} {1} dport {2} dnat ip6 to [{0}]:{3}\n", meeting.v6(), transport,
                                 kAsked, kListens);
        }
        rules += " }\n";
    }
    return rules + "}\n";
}

Result<Meeting::RoundTrips> by_nft(Stage &stage, const Meeting &meeting) {
    if (!stage.nft) {
        stage.report.skip("nftables DNAT next to it", "nft is not installed");
        return Meeting::RoundTrips{};
    }
    BL_CHECK(meeting.server().nft(dnat(meeting)));
    BL_CHECK(meeting.prove(stage, "nftables DNAT", kAsked));
    BL_TRY(const auto result, meeting.time(stage, kAsked));
    BL_CHECK(meeting.server().nft("delete table inet bl_demo\n"));
    return result;
}

/// An edge on one device, mode "auto"; says what it got.
Result<RunningEdge> up(Stage &stage, const Node &node, const std::string &device, const std::vector<std::string> &rules,
                       edge::Mode expected) {
    std::vector<std::string> all = rules;
    all.emplace_back("fallback -> pass");
    BL_TRY(const edge::Policy policy, policy_of(all, {device}));
    BL_TRY(RunningEdge edge, stage.up(node, "rewrite_" + device, policy));
    const auto &devices = edge.report().devices;
    stage.report.check(
        devices.size() == 1 && devices[0].mode == expected,
        fmt::format("{} runs it as {} XDP", device, expected == edge::Mode::native ? "native" : "generic"),
        devices.empty() ? "" : devices[0].why);
    return edge;
}

/// The server's device has the rule, the client's has the reverse one: XDP sees what a device receives.
Result<Meeting::RoundTrips> by_beeline_on_veth(Stage &stage, const Meeting &meeting) {
    BL_TRY(const RunningEdge there, up(stage, meeting.server(), "vb", {kThere}, edge::Mode::native));
    BL_TRY(const RunningEdge back, up(stage, meeting.client(), "va", {kBack}, edge::Mode::native));
    BL_CHECK(meeting.prove(stage, "Beeline", kAsked));
    return meeting.time(stage, kAsked);
}

/// lo receives both directions.
Result<Meeting::RoundTrips> by_beeline_on_lo(Stage &stage, const Meeting &meeting) {
    BL_TRY(const RunningEdge edge, up(stage, meeting.server(), "lo", {kThere, kBack}, edge::Mode::generic));
    BL_CHECK(meeting.prove(stage, "Beeline", kAsked));
    return meeting.time(stage, kAsked);
}

void compare(Report &report, const std::string &where, const Meeting::RoundTrips &direct,
             const Meeting::RoundTrips &nft, const Meeting::RoundTrips &beeline) {
    report.line();
    report.row("64-byte round trip, one CPU", "UDP, us", "TCP, us [p1-p99]");
    show_round_trips(report, "straight to 7998", direct);
    show_round_trips(report, "nftables DNAT", nft);
    show_round_trips(report, "Beeline", beeline);
    report.line();
    compare_round_trips(report, "rewrite on " + where, nft, beeline);
}

Result<> on_veth(Stage &stage, const Meeting &meeting) {
    Meeting::RoundTrips nft, beeline;
    for (const bool offload : {false, true}) { // On is how veth comes: that is the one that is compared.
        stage.report.line(fmt::format("veth, checksum offload {}:", offload ? "on" : "off"));
        BL_CHECK(meeting.client().set_offload("va", "tx", offload));
        BL_CHECK(meeting.server().set_offload("vb", "tx", offload));
        BL_TRY(nft, by_nft(stage, meeting));
        BL_TRY(beeline, by_beeline_on_veth(stage, meeting));
    }
    BL_TRY(const auto direct, meeting.time(stage, kListens));
    compare(stage.report, "veth", direct, nft, beeline);
    return {};
}

Result<> on_lo(Stage &stage, const Meeting &meeting) {
    stage.report.line("lo of the client's own namespace:");
    BL_TRY(const auto nft, by_nft(stage, meeting));
    BL_TRY(const auto beeline, by_beeline_on_lo(stage, meeting));
    BL_TRY(const auto direct, meeting.time(stage, kListens));
    compare(stage.report, "lo", direct, nft, beeline);
    return {};
}

} // namespace

Result<> demo_rewrite(Stage &stage) {
    stage.report.scene("Rewrite: clients ask port 7999, the server listens on 7998");
    stage.report.quote(kThere);
    stage.report.quote(kBack + "    (answers)");
    BL_TRY(const Node *client, stage.lab.add("client"));
    BL_TRY(const Node *server, stage.lab.add("server"));
    BL_CHECK(stage.lab.cable({.node = client, .device = "va", .addresses = {"10.9.0.1/24", "fd09::1/64"}},
                             {.node = server, .device = "vb", .addresses = {"10.9.0.2/24", "fd09::2/64"}}));
    BL_TRY(const Meeting across, Meeting::arrange(stage, client, server, "10.9.0.2", "fd09::2", kListens));
    BL_TRY(const Meeting inside, Meeting::arrange(stage, client, client, "127.0.0.1", "::1", kListens));
    BL_CHECK(across.introduce(kListens));
    BL_TRY(const Outcome unanswered, exchange(*client, {.address = across.v4(), .port = kAsked, .messages = 1}));
    stage.report.check(unanswered.answered == 0, "nobody answers at port 7999 as long as nothing is rewritten");
    BL_CHECK(on_veth(stage, across));
    return on_lo(stage, inside);
}

} // namespace beeline::lab
