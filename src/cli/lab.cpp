// SPDX-License-Identifier: Apache-2.0
//
// demo and bench.
#include <beeline/kernel/capabilities.hpp>
#include <beeline/lab/commands.hpp>

#include "cli/command.hpp"

namespace beeline::cli {
namespace {

struct BenchFlags {
    lab::BenchOptions bench;
    std::string part = "edge";
    bool no_peers = false;
};

Result<int> demo(const lab::DemoOptions &options) {
    BL_CHECK(kernel::require_root_or_caps());
    BL_TRY(const lab::DemoOutcome outcome, lab::run_demo(options));
    return outcome.good() ? 0 : static_cast<int>(Kind::host);
}

Result<int> bench(BenchFlags &flags) {
    BL_CHECK(kernel::require_root_or_caps());
    flags.bench.part = flags.part;
    flags.bench.peers = !flags.no_peers;
    BL_TRY(const lab::BenchOutcome outcome, lab::run_bench(flags.bench));
    return outcome.goals_missed == 0 ? 0 : static_cast<int>(Kind::host);
}

} // namespace

void add_lab(Commands &commands) {
    auto show = std::make_shared<lab::DemoOptions>();
    Command command = commands.add("demo", "Live traffic beside the stock path; leaves nothing", "sudo beeline demo",
                                   [show](Context &) { return demo(*show); });
    command.flag("--quick", show->quick, "Less traffic, the same checks");

    auto flags = std::make_shared<BenchFlags>();
    command = commands.add("bench", "Measures with care: interleaved runs, ratios, spread",
                           "sudo beeline bench edge --json > edge.jsonl", [flags](Context &) { return bench(*flags); });
    command.argument("PART", flags->part, "The part to measure: edge, guest, local");
    command.flag("--json", flags->bench.json, "One object a line");
    command.flag("--quick", flags->bench.quick, "Two short rounds: rough figures");
    command.option("--rounds", "N", flags->bench.rounds, "Rounds (7)");
    command.option("--cpu", "N", flags->bench.cpu, "The CPU that does all the work");
    command.flag("--no-peers", flags->no_peers, "Without nftables and xdp-filter");
}

} // namespace beeline::cli
