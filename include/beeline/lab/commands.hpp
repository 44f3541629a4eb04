// SPDX-License-Identifier: Apache-2.0
//
// `beeline demo` and `beeline bench`: a laboratory of network namespaces on this host, real traffic through it, every
// byte checked, nothing left behind. Both need root, and are to be called before the process starts other threads.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include <beeline/result.hpp>

namespace beeline::lab {

struct DemoOptions {
    std::FILE *out = stdout;
    std::optional<bool> colour; ///< Not set: when out is a terminal and NO_COLOR is not set.
    bool quick = false;         ///< Less traffic, the same checks: for tests.
};

struct DemoOutcome {
    unsigned checks = 0;
    unsigned failed = 0;  ///< Each was told with its reason.
    unsigned skipped = 0; ///< A peer is not installed; told as well.
    [[nodiscard]] bool good() const { return checks > 0 && failed == 0; }
};

/// Shows Beeline's short cuts next to the stock path. An error: the lab could not be built.
[[nodiscard]] Result<DemoOutcome> run_demo(const DemoOptions &options);

struct BenchOptions {
    std::string part = "edge"; ///< The part to measure; an unknown one is Kind::usage and names those there are.
    std::FILE *out = stdout;
    std::FILE *notes = stderr; ///< What went wrong in single runs.
    bool json = false;         ///< One object a line on out, nothing else there.
    unsigned rounds = 7;
    std::optional<int> cpu; ///< The one that does all the work; not set: the last one that is online.
    bool peers = true;      ///< edge: also measure nftables and xdp-filter; it is an error when they are not installed.
    bool wait_quiet = true; ///< Wait before each round, up to 10 s, until the machine is 93 % idle.
    bool quick = false;     ///< Two rounds, few frames, no waiting: shows that it works, the figures are rough.
};

struct BenchOutcome {
    unsigned runs = 0;
    unsigned discarded = 0; ///< Runs whose counts did not agree; they are in no figure.
    unsigned goals = 0, goals_missed = 0;
};

[[nodiscard]] Result<BenchOutcome> run_bench(const BenchOptions &options);

} // namespace beeline::lab
