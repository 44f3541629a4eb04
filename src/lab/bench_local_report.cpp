// SPDX-License-Identifier: Apache-2.0
//
// What `bench local` prints.
#include <cmath>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lab/bench_local.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

const char *subject(Carrier carrier) {
    switch (carrier) {
    case Carrier::tcp:
        return "stock:tcp";
    case Carrier::unix_socket:
        return "limit:af-unix";
    case Carrier::short_cut:
        return "beeline";
    case Carrier::not_chosen:
        return "beeline:not-chosen";
    }
    return "";
}

const char *column(Carrier carrier) {
    constexpr const char *names[] = {"TCP", "AF_UNIX", "Beeline", "not chosen"};
    return names[static_cast<std::size_t>(carrier)];
}

Spread figure_of(const LocalCase &one, Carrier carrier) {
    const auto found = one.runs.find(carrier);
    std::vector<double> values = found == one.runs.end() ? std::vector<double>{} : found->second;
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    return spread(std::move(values));
}

Spread ratio_of(const LocalCase &one, Carrier above, Carrier below) {
    return ratio(one.runs.at(above), one.runs.at(below));
}

/// To the two digits that are printed; the spread is seldom below three of the last.
bool held(const LocalGoal &goal, const Spread &figure) {
    const double is = std::round(figure.median * 100), wanted = std::round(goal.limit * 100);
    return figure.runs != 0 && (goal.at_most ? is <= wanted : is >= wanted);
}

void print_rows(const std::vector<LocalCase> &cases, std::FILE *out) {
    for (const LocalCase &one : cases) {
        Row row{.part = "local",
                .name = one.name,
                .unit = one.unit,
                .lower_is_better = one.lower_is_better,
                .cpus = one.cpus};
        for (const Carrier carrier : one.carriers) {
            row.subject = subject(carrier);
            row.figure = figure_of(one, carrier);
            if (row.figure.runs != 0)
                fmt::print(out, "{}\n", to_json(row).dump());
        }
        if (one.share.empty())
            continue;
        row.name += "-by-short-cut";
        row.subject = "beeline";
        row.unit = "of all bytes";
        row.lower_is_better = false;
        row.figure = spread(one.share);
        fmt::print(out, "{}\n", to_json(row).dump());
    }
}

void print_head(const BenchOptions &options, int cpu) {
    const HostFacts host = host_facts();
    fmt::print(options.out,
               "Beeline bench local: what it costs two processes of this host to talk\n\n"
               "  {}, {} CPUs, Linux {}\n"
               "  over lo, epoll, non-blocking, CPU {}; TCP and AF_UNIX with nothing loaded;\n"
               "  {} rounds, the carriers take turns; median [min-max]; ratios round by round\n",
               host.cpu, host.cpus, host.kernel, cpu, options.rounds);
    if (options.quick)
        fmt::print(options.out, "  QUICK: few and short runs, the figures are rough\n");
}

void print_figures(const LocalCase &one, std::FILE *out) {
    fmt::print(out, "  {:18}", one.label);
    for (const Carrier carrier : one.carriers)
        fmt::print(out, "{:>20}", text(figure_of(one, carrier), one.digits));
    fmt::print(out, "\n");
}

void print_ratios(const LocalCase &one, std::FILE *out) {
    for (const LocalGoal &goal : goals_of(one)) {
        const Spread figure = ratio_of(one, goal.above, goal.below);
        std::string wanted = "-";
        if (goal.limit != 0)
            wanted = fmt::format("{} {:.4g} {}", goal.at_most ? "<=" : ">=", goal.limit,
                                 figure.runs == 0     ? "not measured"
                                 : held(goal, figure) ? "met"
                                                      : "NOT MET");
        const std::string what = fmt::format("{}, {} / {}", one.label, column(goal.above), column(goal.below));
        fmt::print(out, "  {:40}{:>18}{:>20}\n", what, text(figure, 2), wanted);
    }
}

using Cases = std::span<const LocalCase>;

/// Cases under one title: their figures, then their ratios with what is wanted of them.
void print_block(Cases block, std::FILE *out) {
    fmt::print(out, "\n  {:18}", block.front().title);
    for (const Carrier carrier : block.front().carriers)
        fmt::print(out, "{:>20}", column(carrier));
    fmt::print(out, "\n");
    for (const LocalCase &one : block)
        print_figures(one, out);
    fmt::print(out, "  {:40}{:>18}{:>20}\n", "round by round", "ratio", "goal");
    for (const LocalCase &one : block)
        print_ratios(one, out);
    if (block.front().share.empty())
        return;
    fmt::print(out, "  by the short cut, of all bytes:");
    for (const LocalCase &one : block)
        fmt::print(out, " {:.0f} %", spread(one.share).median * 100);
    fmt::print(out, "\n");
}

} // namespace

std::vector<LocalGoal> goals_of(const LocalCase &one) {
    std::vector<LocalGoal> goals;
    for (const Carrier above : {Carrier::not_chosen, Carrier::short_cut})
        for (const Carrier below : {Carrier::tcp, Carrier::unix_socket})
            if (one.runs.contains(above) && one.runs.contains(below))
                goals.push_back({.above = above, .below = below});
    for (LocalGoal &goal : goals) {
        goal.at_most = one.lower_is_better;
        goal.limit = goal.below == Carrier::unix_socket ? one.goal_of_unix : one.goal_of_tcp;
    }
    return goals;
}

void report_local(const std::vector<LocalCase> &cases, const BenchOptions &options, int cpu, BenchOutcome &outcome) {
    for (const LocalCase &one : cases)
        for (const LocalGoal &goal : goals_of(one)) {
            outcome.goals += goal.limit != 0 ? 1 : 0;
            outcome.goals_missed += goal.limit != 0 && !held(goal, ratio_of(one, goal.above, goal.below)) ? 1 : 0;
        }
    if (options.json)
        return print_rows(cases, options.out);
    print_head(options, cpu);
    for (std::size_t first = 0, last = 0; first < cases.size(); first = last) {
        while (last < cases.size() && cases[last].title == cases[first].title)
            ++last;
        print_block(Cases(cases).subspan(first, last - first), options.out);
    }
    if (outcome.discarded != 0)
        fmt::print(options.out, "\n  {} of {} runs were not by the short cut and are in no figure\n", outcome.discarded,
                   outcome.runs);
    fmt::print(options.out, "\n  goals: {} of {} met\n", outcome.goals - outcome.goals_missed, outcome.goals);
}

} // namespace beeline::lab
