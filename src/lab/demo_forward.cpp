// SPDX-License-Identifier: Apache-2.0
//
// Part of the redirect scene: what forwarding one packet costs. Frames made in the kernel reach the router the way a
// NIC's driver hands them over.
#include <fmt/format.h>

#include "lab/bare.hpp"
#include "lab/demo_router.hpp"
#include "lab/frames.hpp"
#include "lab/generator.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

struct Flood {
    std::vector<double> ns, mpps;
    std::uint64_t sent = 0, arrived = 0;
};

Result<Generator> aim(const RouterPath &path, bool transmit) {
    BL_TRY(const auto vb, path.router->device("vb"));
    BL_TRY(auto frame, build({.to = vb.mac, .source = "10.9.1.1", .destination = "10.9.2.1"}));
    return Generator::open(
        {.node = path.left, .device = "va", .frame = std::move(frame), .restore = true, .transmit = transmit});
}

Result<> send(const Generator &generator, const Bare &far_end, std::uint64_t frames, Flood &flood) {
    BL_TRY(const std::uint64_t before, far_end.counted());
    BL_TRY(const Sent sent, generator.run(frames));
    BL_TRY(const std::uint64_t after, far_end.counted());
    flood.ns.push_back(sent.ns_per_frame());
    flood.mpps.push_back(sent.mpps());
    flood.sent += sent.frames;
    flood.arrived += after - before;
    return {};
}

/// The stacks say a word to each other meanwhile (neighbour discovery): that is counted, too.
bool all_arrived(const Flood &flood) {
    constexpr std::uint64_t kStray = 20;
    return flood.arrived >= flood.sent && flood.arrived <= flood.sent + kStray;
}

} // namespace

Result<> demo_forward(Stage &stage, const RouterPath &path) {
    const std::uint64_t frames = stage.quick ? 1u << 16 : 1u << 21;
    BL_TRY(const Generator generator, aim(path, true));
    BL_TRY(const Generator alone, aim(path, false));
    BL_TRY(const Bare far_end, Bare::load());
    BL_TRY(const auto counting, far_end.attach(Bare::Program::count, {.node = path.right, .device = "vd"}));
    BL_TRY(const auto reverse, far_end.attach(Bare::Program::pass, {.node = path.left, .device = "va"}));
    BL_TRY(const edge::Policy policy, policy_of(path.rules, {"vb", "vc"}, "native"));
    std::vector<double> base;
    Flood kernel, beeline;
    {
        BL_TRY(const auto pinned, PinnedToCpu::pin(stage.cpu));
        for (int round = 0; round < (stage.quick ? 1 : 3); ++round) {
            BL_TRY(const Sent nowhere, alone.run(frames));
            base.push_back(nowhere.ns_per_frame());
            BL_CHECK(path.router->set_offload("vb", "gro", true)); // Polls, so that frames may come without a program.
            BL_CHECK(send(generator, far_end, frames / 2, kernel));
            BL_CHECK(path.router->set_offload("vb", "gro", false));
            BL_TRY(const RunningEdge edge, stage.up(*path.router, "redirect", policy));
            BL_CHECK(send(generator, far_end, frames, beeline));
        }
    }
    const Spread stock = spread(less(kernel.ns, base)), ours = spread(less(beeline.ns, base));
    Report &report = stage.report;
    report.line();
    report.row("64-byte frames, forwarded", "ns/packet (CPU)", "Mpps on one CPU");
    report.row("kernel forwarding", text(stock), text(spread(kernel.mpps)));
    report.row("Beeline redirect", text(ours), text(spread(beeline.mpps)));
    report.compare({"forward a packet, ns of CPU", fmt::format("{:.0f}", stock.median),
                    fmt::format("{:.0f}", ours.median), times(stock, ours)});
    report.line();
    report.check(all_arrived(beeline), "every redirected frame arrived at the third device",
                 fmt::format("{} of {}", beeline.arrived, beeline.sent));
    report.check(all_arrived(kernel), "and every forwarded one", fmt::format("{} of {}", kernel.arrived, kernel.sent));
    return {};
}

} // namespace beeline::lab
