// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include <beeline/lab/commands.hpp>

#include "lab/demo.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

constexpr const char *kName = "demo";

Result<> play(Stage &stage) {
    BL_CHECK(demo_filter(stage));
    BL_CHECK(demo_rewrite(stage));
    BL_CHECK(demo_redirect(stage));
    BL_CHECK(demo_explain(stage));
    BL_CHECK(demo_guest(stage));
    return demo_local(stage);
}

/// The last scene: the lab is gone, and so is everything that Beeline had put into the kernel.
Result<> leave_nothing(Stage &stage, const std::vector<std::string> &devices_before) {
    Report &report = stage.report;
    report.scene("Nothing is left behind");
    const auto removed = stage.lab.remove();
    report.check(removed.has_value() && Lab::traces(kName, ::getpid()).empty(),
                 "no network namespace, mount or folder of the demo", removed ? "" : removed.error().message());
    const auto left = stage.objects.remaining();
    report.check(left.empty(),
                 fmt::format("all {} BPF programs, maps and links that were pinned are gone", stage.objects.count()),
                 fmt::format("{}", fmt::join(left, ", ")));
    BL_TRY(const auto devices_after, devices_here());
    report.check(std::ranges::includes(devices_after, devices_before),
                 "the host's own devices and their XDP programs are as before");
    return {};
}

} // namespace

Result<DemoOutcome> run_demo(const DemoOptions &options) {
    BL_TRY(const auto devices_before, devices_here());
    BL_TRY(Lab lab, Lab::create(kName));
    Report report(options.out, use_colour(options.out, options.colour));
    ObjectsSeen objects;
    const HostFacts host = host_facts();
    Stage stage{.lab = lab,
                .report = report,
                .objects = objects,
                .quick = options.quick,
                .nft = find_program("nft").has_value(),
                .cpu = static_cast<int>(host.cpus) - 1};
    report.title("Beeline demo: the same traffic on the stock path and on a short cut");
    report.line(
        fmt::format("Linux {}, {}, {} CPUs; speed is measured on CPU {}", host.kernel, host.cpu, host.cpus, stage.cpu));
    report.line("All of it happens in network namespaces of its own; Ctrl-C removes them.");
    BL_CHECK(play(stage));
    BL_CHECK(leave_nothing(stage, devices_before));
    report.finish();
    return report.outcome();
}

} // namespace beeline::lab
