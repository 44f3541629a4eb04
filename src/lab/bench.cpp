// SPDX-License-Identifier: Apache-2.0
//
// `bench edge`: takes the turns, throws out what does not add up, shows the rest.
#include <beeline/lab/commands.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lab/bench_edge.hpp"
#include "lab/bench_guest.hpp"
#include "lab/bench_local.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// The rounds of one bench, and how they went.
struct Measured {
    std::vector<double> alone; ///< ns a frame of the generator, by round.
    std::map<std::string, Series> series;
    VerdictCosts verdicts;
    unsigned noisy_rounds = 0;

    /// Net of the generator; NaN where either is missing.
    [[nodiscard]] std::vector<double> net(const std::string &subject) const {
        const auto found = series.find(subject);
        return found == series.end() ? std::vector<double>{} : less(found->second.ns, alone);
    }
};

struct Goal {
    std::string label, above, below;
    double limit;
};

std::vector<double> finite(std::vector<double> values) {
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    return values;
}

/// Names the packages that are missing, all at once.
Result<> require_peers() {
    const bool nft = find_program("nft").has_value(), filter = find_program("xdp-filter").has_value();
    if (nft && filter)
        return {};
    return fail(Kind::host, ENOENT,
                fmt::format("bench edge compares with {}", nft      ? "xdp-filter, which is not installed"
                                                           : filter ? "nft, which is not installed"
                                                                    : "nft and xdp-filter, which are not installed"),
                fmt::format("apt install{}{}, or leave the peers out with --no-peers", nft ? "" : " nftables",
                            filter ? "" : " xdp-tools"));
}

std::vector<Subject> subjects(const Place &place, const std::filesystem::path &pins, const BenchOptions &options) {
    const std::uint64_t fast = options.quick ? 1u << 20 : 2u * kFramesPerCall;
    const std::uint64_t slow = options.quick ? 1u << 19 : kFramesPerCall;
    const auto beeline = [=](const std::vector<std::string> &rules, const std::string &mode) {
        return [=] { return beeline_edge(place, pins, rules, mode); };
    };
    std::vector<Subject> all{
        {"drop-bare", "limit:xdp-drop", "bare XDP_DROP", [=] { return bare_drop(place); }, fast},
        {"drop-1-rule", "beeline", "Beeline, 1 rule", beeline(one_rule(), "native"), fast},
        {"drop-10-rules", "beeline", "Beeline, 10 rules", beeline(ten_rules(), "native"), fast},
        {"drop-10-rules-generic", "beeline", "Beeline, 10 rules, generic", beeline(ten_rules(), "generic"), slow}};
    if (options.peers) {
        all.push_back(
            {"drop-1-rule", "peer:xdp-filter", "xdp-filter, 1 rule", [=] { return xdp_filter(place, 7999); }, fast});
        all.push_back({"drop-10-rules", "peer:nft-netdev", "nft netdev ingress, 10 rules",
                       [=] { return nft_ingress(place, ten_nft_rules()); }, slow});
    }
    return all;
}

std::vector<Goal> goals(bool peers) {
    std::vector<Goal> all{{"10 rules / bare XDP_DROP", "Beeline, 10 rules", "bare XDP_DROP", 2.0}};
    if (peers) {
        all.push_back({"10 rules / nft netdev ingress", "Beeline, 10 rules", "nft netdev ingress, 10 rules", 0.33});
        all.push_back({"1 rule / xdp-filter", "Beeline, 1 rule", "xdp-filter, 1 rule", 1.0});
    }
    return all;
}

/// One run into the series; one whose counts disagree is told and left out.
Result<> take(const DropLab &lab, const Subject &subject, Series &series, const BenchOptions &options,
              BenchOutcome &outcome) {
    BL_TRY(const DropLab::Run run, lab.measure(subject));
    ++outcome.runs;
    const bool good = run.agrees();
    if (!good) {
        ++outcome.discarded;
        fmt::print(options.notes, "!! {}: sent {}, arrived {}, dropped {}: this run does not count\n", subject.label,
                   run.sent.frames, run.arrived, run.dropped);
    }
    series.ns.push_back(good ? run.sent.ns_per_frame() : kNothing);
    series.mpps.push_back(good ? run.sent.mpps() : kNothing);
    return {};
}

Result<Measured> measure(const DropLab &lab, const std::vector<Subject> &all, const BenchOptions &options,
                         BenchOutcome &outcome) {
    Measured measured;
    std::vector<const Subject *> order;
    for (const Subject &subject : all)
        order.push_back(&subject);
    for (unsigned round = 0; round < options.rounds; ++round) {
        if (options.wait_quiet && !wait_quiet())
            ++measured.noisy_rounds;
        BL_TRY(const Sent alone, lab.send_nowhere(options.quick ? 1u << 20 : 2u * kFramesPerCall));
        measured.alone.push_back(alone.ns_per_frame());
        for (const Subject *subject : order)
            BL_CHECK(take(lab, *subject, measured.series[subject->label], options, outcome));
        std::ranges::rotate(order, order.begin() + 1); // Nobody always follows the same neighbour.
    }
    BL_TRY(measured.verdicts, measure_verdicts(lab, options.rounds, options.quick ? 100'000 : 2'000'000));
    return measured;
}

void print_rows(const std::vector<Subject> &all, const Measured &measured, std::FILE *out) {
    const auto print = [&](std::string name, std::string subject, std::vector<double> values) {
        const Row row{.part = "edge",
                      .name = std::move(name),
                      .subject = std::move(subject),
                      .unit = "ns/packet",
                      .figure = spread(finite(std::move(values)))};
        if (row.figure.runs != 0)
            fmt::print(out, "{}\n", to_json(row).dump());
    };
    print("generator-alone", "limit:live-frames", measured.alone);
    for (const Subject &subject : all)
        print(subject.name, subject.subject, measured.net(subject.label));
    print("testrun-empty", "limit:xdp-pass", measured.verdicts.empty);
    for (const auto &[verdict, values] : measured.verdicts.net)
        print("testrun-" + verdict, "beeline", values);
}

void print_header(const BenchOptions &options, const Measured &measured, int cpu) {
    const HostFacts host = host_facts();
    fmt::print(options.out,
               "Beeline bench edge: what it costs to drop a packet\n\n"
               "  {}, {} CPUs, Linux {}\n"
               "  one veth cable, native XDP unless it says generic; CPU {} does all the work\n"
               "  64-byte UDP frames, made in the kernel; {} rounds, the subjects take turns;\n"
               "  ns of CPU time a packet, median [min-max]; the generator's own share of\n"
               "  {} ns is taken off\n",
               host.cpu, host.cpus, host.kernel, cpu, options.rounds, text(spread(measured.alone)));
    if (options.quick)
        fmt::print(options.out, "  QUICK: few and short runs, the figures are rough\n");
    if (measured.noisy_rounds != 0)
        fmt::print(options.out, "  the machine was busy with other work in {} of {} rounds\n", measured.noisy_rounds,
                   options.rounds);
}

void print_table(const std::vector<Subject> &all, const Measured &measured, std::FILE *out) {
    fmt::print(out, "\n  {:30}{:>24}{:>22}\n", "dropped by", "ns/packet", "Mpps, all in all");
    for (const Subject &subject : all) {
        const Series &series = measured.series.at(subject.label);
        fmt::print(out, "  {:30}{:>24}{:>22}\n", subject.label, text(spread(finite(measured.net(subject.label)))),
                   text(spread(finite(series.mpps))));
    }
}

/// A goal with what came of it.
struct Judged {
    Goal goal;
    Spread figure;
    /// To the two digits that are printed; the spread is seldom below three of the last.
    [[nodiscard]] bool held() const {
        return figure.runs != 0 && std::round(figure.median * 100) <= std::round(goal.limit * 100);
    }
};

std::vector<Judged> judge(const Measured &measured, bool peers, BenchOutcome &outcome) {
    std::vector<Judged> all;
    for (Goal &goal : goals(peers)) {
        const Spread figure = ratio(measured.net(goal.above), measured.net(goal.below));
        all.push_back({.goal = std::move(goal), .figure = figure});
        ++outcome.goals;
        outcome.goals_missed += all.back().held() ? 0 : 1;
    }
    return all;
}

void print_goals(const std::vector<Judged> &all, std::FILE *out) {
    fmt::print(out, "\n  {:30}{:>24}{:>22}\n", "ratio, round by round", "median [min-max]", "goal");
    for (const Judged &judged : all) {
        const char *verdict = judged.figure.runs == 0 ? "not measured" : judged.held() ? "held" : "MISSED";
        fmt::print(out, "  {:30}{:>24}{:>22}\n", judged.goal.label, text(judged.figure, 2),
                   fmt::format("<= {} {}", judged.goal.limit, verdict));
    }
}

void print_verdicts(const VerdictCosts &costs, std::FILE *out) {
    fmt::print(out,
               "\n  the loaded program alone (BPF_PROG_TEST_RUN), the tenth rule decides; an empty\n"
               "  program's {} ns is taken off\n",
               text(spread(costs.empty), 0));
    for (const char *verdict : {"pass", "drop", "rewrite", "tx", "redirect"})
        fmt::print(out, "  {:30}{:>24}\n", verdict, text(spread(costs.net.at(verdict)), 0));
}

BenchOptions settled(BenchOptions options) {
    if (options.quick) {
        options.rounds = 2;
        options.wait_quiet = false;
    }
    options.rounds = std::max(options.rounds, 1u);
    return options;
}

} // namespace

Result<BenchOutcome> run_bench(const BenchOptions &wanted) {
    const BenchOptions options = settled(wanted);
    const int cpu = options.cpu.value_or(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) - 1);
    if (options.part == "guest")
        return bench_guest(options, cpu);
    if (options.part == "local")
        return bench_local(options, cpu);
    if (options.part != "edge")
        return fail(Kind::usage, 0, fmt::format("there is no bench '{}'", options.part),
                    "there are: edge, guest, local");
    if (options.peers)
        BL_CHECK(require_peers());

    BL_TRY(Lab lab, Lab::create("bench"));
    BL_TRY(const auto drop_lab, DropLab::create(lab));
    BL_TRY(const auto pinned, PinnedToCpu::pin(cpu));
    BenchOutcome outcome;
    const auto all = subjects(drop_lab->receiver(), lab.bpffs() / "beeline", options);
    BL_TRY(const Measured measured, measure(*drop_lab, all, options, outcome));
    const auto judged = judge(measured, options.peers, outcome);
    if (options.json) {
        print_rows(all, measured, options.out);
        BL_CHECK(lab.remove());
        return outcome;
    }
    print_header(options, measured, cpu);
    print_table(all, measured, options.out);
    print_goals(judged, options.out);
    print_verdicts(measured.verdicts, options.out);
    if (outcome.discarded != 0)
        fmt::print(options.out, "\n  {} of {} runs did not add up and are in no figure\n", outcome.discarded,
                   outcome.runs);
    BL_CHECK(lab.remove());
    return outcome;
}

} // namespace beeline::lab
