// SPDX-License-Identifier: Apache-2.0
//
// `bench local`: connections on the short cut next to plain TCP and AF_UNIX. It has no peers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <beeline/lab/commands.hpp>

#include "lab/figures.hpp"
#include "lab/two_ends.hpp"

namespace beeline::lab {

[[nodiscard]] Result<BenchOutcome> bench_local(const BenchOptions &options, int cpu);

/// Who carries the bytes, and whether Beeline is loaded meanwhile.
enum class Carrier : std::uint8_t { tcp, unix_socket, short_cut, not_chosen };

/// One row of figures.
struct LocalCase {
    std::string name;  ///< Row::name.
    std::string title; ///< Of the table it stands in.
    std::string label; ///< For people.
    std::string unit;
    bool lower_is_better = true;
    bool connects = false; ///< Connections are made, accepted and closed; else they talk.
    Talk talk = {};
    unsigned cpus = 1;
    std::vector<Carrier> carriers = {};
    double least_share = 0; ///< Of the bytes that must have gone by the short cut, or the figure is not its figure.
    unsigned repeats = 1;   ///< In each round.
    int digits = 0;
    double goal_of_tcp = 0;  ///< What Beeline's figure shall be of TCP's, at most or at least; 0: no goal.
    double goal_of_unix = 0; ///< The same of AF_UNIX's.
    std::map<Carrier, std::vector<double>> runs = {}; ///< NaN: the run does not count.
    std::vector<double> share = {}; ///< Of the bytes that were sent on Carrier::short_cut, by the short cut.
};

/// A ratio that is shown, with what is wanted of it.
struct LocalGoal {
    Carrier above, below;
    double limit = 0; ///< 0: nothing.
    bool at_most = true;
};

[[nodiscard]] std::vector<LocalGoal> goals_of(const LocalCase &one);
/// The tables, or the rows for machines. Counts the goals.
void report_local(const std::vector<LocalCase> &cases, const BenchOptions &options, int cpu, BenchOutcome &outcome);

} // namespace beeline::lab
