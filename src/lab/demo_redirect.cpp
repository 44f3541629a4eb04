// SPDX-License-Identifier: Apache-2.0
//
// Scene: a router in the middle, the kernel's forwarding next to Beeline's redirect.
#include <fmt/format.h>

#include "lab/bare.hpp"
#include "lab/capture.hpp"
#include "lab/demo_router.hpp"

namespace beeline::lab {
namespace {

constexpr std::size_t kMaxUdp = 4000; ///< Also fragments: a redirect by address takes them all the same way.

/// Every frame that comes out of the redirect at the third device is summed up by a program that knows nothing of ours.
Result<> capture_it(Stage &stage, const RouterPath &path) {
    BL_TRY(const auto capture, Capture::start(*path.right, "vd"));
    BL_CHECK(path.meeting.prove(stage, "Beeline", kRouterPort, kMaxUdp));
    const Captured found = capture->stop();
    const bool enough = found.sums.udp > 0 && found.sums.tcp > 0 && found.lost == 0;
    stage.report.check(
        enough && found.sums.clean() && found.unfinished == 0,
        fmt::format("captured behind the redirect: {} TCP and {} UDP checksums right", found.sums.tcp, found.sums.udp),
        fmt::format("{} bad, {} partial, {} malformed, {} marked unfinished, {} missed", found.sums.bad,
                    found.sums.partial, found.sums.malformed, found.unfinished, found.lost));
    return {};
}

Result<Meeting::RoundTrips> by_beeline(Stage &stage, const RouterPath &path) {
    // veth takes redirected frames only when its far end has a program of its own, as a NIC's driver always does.
    BL_TRY(const Bare programs, Bare::load());
    BL_TRY(const auto at_left, programs.attach(Bare::Program::pass, {.node = path.left, .device = "va"}));
    BL_TRY(const auto at_right, programs.attach(Bare::Program::pass, {.node = path.right, .device = "vd"}));
    BL_TRY(const edge::Policy policy, policy_of(path.rules, {"vb", "vc"}, "native"));
    BL_TRY(const RunningEdge edge, stage.up(*path.router, "redirect", policy));
    BL_CHECK(capture_it(stage, path));
    BL_TRY(const auto result, path.meeting.time(stage, kRouterPort));
    BL_TRY(const edge::Status status, edge.status());
    const std::uint64_t there = status.rules.size() == 3 ? status.rules[0].packets : 0;
    const std::uint64_t back = status.rules.size() == 3 ? status.rules[1].packets : 0;
    stage.report.check(there > 0 && back > 0,
                       fmt::format("Beeline: redirected {} packets there, {} back", there, back));
    return result;
}

struct Times {
    Meeting::RoundTrips stock, beeline;
};

void compare(Report &report, const Times &with_offload, const Times &without) {
    report.line();
    report.row("64-byte round trip, one CPU", "UDP, us", "TCP, us [p1-p99]");
    show_round_trips(report, "kernel forwarding, offload on", with_offload.stock);
    show_round_trips(report, "Beeline redirect, offload on", with_offload.beeline);
    show_round_trips(report, "kernel forwarding, offload off", without.stock);
    show_round_trips(report, "Beeline redirect, offload off", without.beeline);
    report.line("(XDP on veth has to copy what a socket sent; a NIC's frames need no copy)");
    compare_round_trips(report, "through a router", with_offload.stock, with_offload.beeline);
}

Result<Times> measure(Stage &stage, const RouterPath &path, bool offload) {
    stage.report.line(fmt::format("checksum offload of the end hosts {}:", offload ? "on" : "off"));
    BL_CHECK(path.left->set_offload("va", "tx", offload));
    BL_CHECK(path.right->set_offload("vd", "tx", offload));
    BL_CHECK(path.meeting.prove(stage, "kernel forwarding", kRouterPort, kMaxUdp));
    BL_TRY(const auto stock, path.meeting.time(stage, kRouterPort));
    BL_TRY(const auto beeline, by_beeline(stage, path));
    return Times{.stock = stock, .beeline = beeline};
}

} // namespace

Result<> demo_redirect(Stage &stage) {
    stage.report.scene("Redirect: through a router, from device to device");
    BL_TRY(const RouterPath path, build_router_path(stage));
    stage.report.quote("device vb dst {10.9.2.0/24, fd09:2::/64} ->");
    stage.report.quote("    rewrite mac src ... mac dst ... redirect vc        (and back)");
    BL_TRY(const Times with_offload, measure(stage, path, true));
    BL_TRY(const Times without, measure(stage, path, false));
    compare(stage.report, with_offload, without);
    return demo_forward(stage, path);
}

} // namespace beeline::lab
