// SPDX-License-Identifier: Apache-2.0
//
// Scene: a flood is dropped.
#include <fmt/format.h>

#include "lab/bench_edge.hpp"
#include "lab/demo.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

constexpr std::uint16_t kServerPort = 7998; ///< Not the flood's.

struct Contest {
    std::vector<double> alone;
    Series beeline, stock;
};

/// One run; a receiver that counts must have counted every frame.
Result<bool> take(const DropLab &lab, const Subject &subject, Series &series) {
    BL_TRY(const DropLab::Run run, lab.measure(subject));
    series.ns.push_back(run.sent.ns_per_frame());
    series.mpps.push_back(run.sent.mpps());
    return run.agrees();
}

/// Another client's conversation while Beeline is up: only the flood is dropped.
Result<> bystander(const DropLab &lab, Stage &stage) {
    BL_TRY(const auto server, EchoServer::start(*lab.receiver().node, {.address = "10.9.0.2", .port = kServerPort}));
    BL_TRY(const edge::Policy policy, policy_of(ten_rules(), {lab.receiver().device}));
    BL_TRY(const RunningEdge edge, stage.up(*lab.receiver().node, "filter", policy));
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        BL_TRY(const Outcome outcome,
               exchange(lab.sender(),
                        {.address = "10.9.0.2", .port = kServerPort, .transport = transport, .messages = 50}));
        stage.report.check(outcome.all_good(50),
                           fmt::format("{} to another port passes, every byte as it was sent",
                                       transport == Transport::udp ? "UDP" : "TCP"),
                           fmt::format("{} of 50 answered, {} damaged", outcome.answered, outcome.damaged));
    }
    return {};
}

void show(Stage &stage, const Contest &contest, const std::string &stock_name) {
    const Spread beeline = spread(less(contest.beeline.ns, contest.alone));
    const Spread stock = spread(less(contest.stock.ns, contest.alone));
    Report &report = stage.report;
    report.line();
    report.row("10 rules, the last one drops", "ns/packet (CPU)", "Mpps on one CPU");
    report.row("Beeline, native XDP", text(beeline), text(spread(contest.beeline.mpps)));
    report.row(stock_name, text(stock), text(spread(contest.stock.mpps)));
    report.line(fmt::format("(the generator's own {:.0f} ns a packet are taken off)", spread(contest.alone).median));
    report.line();
    report.compare({"drop a packet, ns of CPU", fmt::format("{:.0f}", stock.median),
                    fmt::format("{:.0f}", beeline.median), times(stock, beeline)});
}

} // namespace

Result<> demo_filter(Stage &stage) {
    stage.report.scene("Filter: a flood of UDP to port 7999 is dropped, all else passes");
    stage.report.line("The kernel sends 64-byte frames over a veth cable as fast as one CPU can.");
    for (const std::string &rule : one_rule())
        stage.report.quote(rule);
    BL_TRY(const auto lab, DropLab::create(stage.lab));
    const Place &place = lab->receiver();
    const std::uint64_t frames = stage.quick ? 1u << 18 : kFramesPerCall;
    const Subject beeline{"drop", "beeline", "Beeline",
                          [&] { return beeline_edge(place, stage.lab.bpffs() / "filter", ten_rules()); }, frames};
    const Subject stock =
        stage.nft ? Subject{"drop", "stock:nft", "nftables, netdev ingress",
                            [&] { return nft_ingress(place, ten_nft_rules()); }, frames / 2}
                  : Subject{"drop", "stock:stack", "no filter, no socket", [&] { return nobody(place); }, frames / 2};

    Contest contest;
    bool beeline_counts = true, stock_counts = true;
    {
        BL_TRY(const auto pinned, PinnedToCpu::pin(stage.cpu));
        for (int round = 0; round < (stage.quick ? 1 : 3); ++round) {
            BL_TRY(const Sent alone, lab->send_nowhere(frames));
            contest.alone.push_back(alone.ns_per_frame());
            BL_TRY(const bool first, take(*lab, beeline, contest.beeline));
            BL_TRY(const bool second, take(*lab, stock, contest.stock));
            beeline_counts = beeline_counts && first;
            stock_counts = stock_counts && second;
        }
    }
    show(stage, contest, stock.label);
    stage.report.check(beeline_counts, "Beeline counted every frame that was sent, and dropped it");
    if (stage.nft)
        stage.report.check(stock_counts, "nftables did too");
    else
        stage.report.skip("nftables next to it", "nft is not installed");
    return bystander(*lab, stage);
}

} // namespace beeline::lab
