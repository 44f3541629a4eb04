// SPDX-License-Identifier: Apache-2.0
//
// `bench guest`: the programs that every packet of a guest meets, alone.
#include <array>
#include <cmath>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lab/bench_guest.hpp"
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

void print_table(const std::array<Size, 2> &sizes, const std::string &wiring, const BenchOptions &options, int cpu) {
    const HostFacts host = host_facts();
    fmt::print(options.out,
               "Beeline bench guest: what a packet takes in the guests' programs alone\n\n"
               "  {}, {} CPUs, Linux {}\n"
               "  guests by {}; CPU {} does all the work; 64-byte UDP frames;\n"
               "  BPF_PROG_TEST_RUN, ns a packet, median [min-max] of {} rounds, an empty\n"
               "  program's {} ns is taken off\n\n",
               host.cpu, host.cpus, host.kernel, wiring, cpu, options.rounds, text(spread(sizes[0].costs.empty), 0));
    if (options.quick)
        fmt::print(options.out, "  QUICK: few runs, the figures are rough\n");
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
    if (!options.json)
        print_table(sizes, wiring, options, cpu);
    else
        for (const Size &size : sizes)
            print_rows(size, options.out);
    return outcome;
}

} // namespace beeline::lab
