// SPDX-License-Identifier: Apache-2.0
//
// `bench guest`: conversations between two guests next to those over other ways, and the programs that every packet of
// a guest meets, alone.
#include <array>
#include <cmath>
#include <functional>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lab/bench_guest.hpp"
#include "lab/conversation.hpp"
#include "lab/figures.hpp"
#include "lab/guest_programs.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

struct Size {
    unsigned rules;
    const char *subject; ///< Row::subject.
    GuestCosts costs = {};
};

/// A way between two ends, and what its conversations took, a figure a round.
struct Way {
    const char *label;
    const char *subject; ///< Row::subject.
    std::function<Result<Path>(Lab &)> make;
    Costs costs = {};
};

std::vector<Way> all_ways() {
    const auto guests = [](const std::vector<std::string> &rules) {
        return [rules](Lab &lab) { return guest_path(lab, guest::Mode::automatic, rules); };
    };
    return {{"loopback", "limit:loopback", loopback},
            {"veth, routed", "stock:veth-routed", routed_veth},
            {"veth, bridged", "stock:veth-bridged", bridged_veth},
            {"Beeline, no rules", "beeline", guests({})},
            {"Beeline, 100 rules", "beeline:100-rules", guests(hundred_rules())}};
}

Result<> converse_once(Way &way) {
    BL_TRY(Lab lab, Lab::create("bench"));
    {
        BL_TRY(const Path path, way.make(lab));
        BL_TRY(const Costs once, converse(path, 1));
        way.costs.transaction.push_back(once.transaction.front());
        way.costs.kib.push_back(once.kib.front());
        way.costs.connection.push_back(once.connection.front());
    }
    return lab.remove();
}

/// The ways take turns, so that what is compared was measured within the same seconds.
Result<std::vector<Way>> measure_ways(const BenchOptions &options, int cpu, BenchOutcome &outcome) {
    std::vector<Way> ways = all_ways();
    BL_TRY(const auto pinned, PinnedToCpu::pin(cpu));
    for (unsigned round = 0; round < options.rounds; ++round) {
        if (options.wait_quiet)
            (void)wait_quiet();
        for (std::size_t i = 0; i < ways.size(); ++i) {
            BL_CHECK(converse_once(ways[(i + round) % ways.size()]));
            ++outcome.runs;
        }
    }
    return ways;
}

struct Case {
    const char *name, *label, *unit;
    std::vector<double> Costs::*runs;
};
constexpr std::array kCases = {Case{"rr-64B", "64 bytes there and back", "ns", &Costs::transaction},
                               Case{"stream-KiB", "a KiB of a stream", "ns", &Costs::kib},
                               Case{"connection", "a connection, all of it", "ns", &Costs::connection}};

void print_way_rows(const std::vector<Way> &ways, std::FILE *out) {
    for (const Case &one : kCases)
        for (const Way &way : ways) {
            const Row row{.part = "guest",
                          .name = one.name,
                          .subject = way.subject,
                          .unit = one.unit,
                          .figure = spread(way.costs.*one.runs)};
            fmt::print(out, "{}\n", to_json(row).dump());
        }
}

void print_ways(const std::vector<Way> &ways, std::FILE *out) {
    for (const Case &one : kCases) {
        fmt::print(out, "  {:24}{:>20}{:>17}{:>17}\n", one.label, "ns", "of loopback", "of veth, routed");
        for (const Way &way : ways)
            fmt::print(out, "  - {:22}{:>20}{:>17}{:>17}\n", way.label, text(spread(way.costs.*one.runs), 0),
                       text(ratio(way.costs.*one.runs, ways[0].costs.*one.runs), 2),
                       text(ratio(way.costs.*one.runs, ways[1].costs.*one.runs), 2));
        fmt::print(out, "\n");
    }
}

void print_rows(const Size &size, std::FILE *out) {
    const auto print = [&](const std::string &name, const std::string &subject, const std::vector<double> &runs) {
        const Row row{.part = "guest",
                      .name = "testrun-" + name,
                      .subject = subject,
                      .unit = "ns/packet",
                      .figure = spread(runs)};
        fmt::print(out, "{}\n", to_json(row).dump());
    };
    if (size.rules == 1)
        print("empty", "limit:tc-next", size.costs.empty);
    for (const ProgramCost &program : size.costs.programs)
        print(program.name, size.subject, program.runs);
}

void print_head(const std::string &wiring, const BenchOptions &options, int cpu) {
    const HostFacts host = host_facts();
    fmt::print(options.out,
               "Beeline bench guest: what it costs to talk to another guest\n\n"
               "  {}, {} CPUs, Linux {}\n"
               "  guests by {}; CPU {} does all the work, both ends on it; TCP; {} rounds, the ways\n"
               "  take turns; ratios round by round; median [min-max]\n\n",
               host.cpu, host.cpus, host.kernel, wiring, cpu, options.rounds);
    if (options.quick)
        fmt::print(options.out, "  QUICK: few runs, the figures are rough\n\n");
}

void print_table(const std::array<Size, 2> &sizes, const BenchOptions &options) {
    fmt::print(options.out,
               "  the programs alone (BPF_PROG_TEST_RUN), 64-byte UDP frames, ns a packet; an empty\n"
               "  program's {} ns is taken off\n",
               text(spread(sizes[0].costs.empty), 0));
    fmt::print(options.out, "  {:30}{:>22}{:>22}\n", "program, packet of a flow", "1 rule", "100 rules");
    for (std::size_t i = 0; i < sizes[0].costs.programs.size(); ++i)
        fmt::print(options.out, "  guest_{:24}{:>22}{:>22}\n", sizes[0].costs.programs[i].name,
                   text(spread(sizes[0].costs.programs[i].runs), 0), text(spread(sizes[1].costs.programs[i].runs), 0));
}

} // namespace

Result<BenchOutcome> bench_guest(const BenchOptions &options, int cpu) {
    std::array<Size, 2> sizes{{{1, "beeline"}, {100, "beeline:100-rules"}}};
    std::string wiring;
    BenchOutcome outcome;
    BL_TRY(const std::vector<Way> ways, measure_ways(options, cpu, outcome));
    for (Size &size : sizes) {
        BL_TRY(Lab lab, Lab::create("bench"));
        {
            BL_TRY(const auto guests, GuestLab::create(lab, size.rules));
            BL_TRY(const auto pinned, PinnedToCpu::pin(cpu));
            if (options.wait_quiet)
                (void)wait_quiet();
            BL_TRY(size.costs, guests->measure(options.rounds));
            wiring = guests->wiring();
            outcome.runs += options.rounds;
        }
        BL_CHECK(lab.remove());
    }
    if (options.json) {
        print_way_rows(ways, options.out);
        for (const Size &size : sizes)
            print_rows(size, options.out);
        return outcome;
    }
    print_head(wiring, options, cpu);
    print_ways(ways, options.out);
    print_table(sizes, options);
    return outcome;
}

} // namespace beeline::lab
