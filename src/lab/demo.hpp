// SPDX-License-Identifier: Apache-2.0
//
// The scenes of `beeline demo`. Each builds its nodes in the lab, shows the stock path next to Beeline's and checks
// every byte. What does not hold is a failed check in the report; an error means that the scene could not be played.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/echo.hpp"
#include "lab/figures.hpp"
#include "lab/lab.hpp"
#include "lab/objects.hpp"
#include "lab/report.hpp"
#include "lab/running_edge.hpp"

namespace beeline::lab {

/// What all scenes share.
struct Stage {
    Lab &lab;
    Report &report;
    ObjectsSeen &objects; ///< BPF objects that were made: the last scene looks whether they are gone.
    bool quick = false;
    bool nft = false; ///< nftables is installed.
    int cpu = 0;      ///< The one that speed is measured on.

    /// Brings Beeline up and notes what it pins. name: of the pin directory.
    [[nodiscard]] Result<RunningEdge> up(const Node &node, const std::string &name, const edge::Policy &policy);
};

[[nodiscard]] Result<> demo_filter(Stage &stage);
[[nodiscard]] Result<> demo_rewrite(Stage &stage);
[[nodiscard]] Result<> demo_redirect(Stage &stage);
[[nodiscard]] Result<> demo_explain(Stage &stage);
[[nodiscard]] Result<> demo_guest(Stage &stage);
[[nodiscard]] Result<> demo_local(Stage &stage);

/// The devices of the calling thread's namespace and their XDP programs, sorted: what a scene could have changed by
/// mistake.
[[nodiscard]] Result<std::vector<std::string>> devices_here();

/// "1.31x": how many times less; empty when one of them was not measured.
[[nodiscard]] std::string times(const Spread &stock, const Spread &beeline);

} // namespace beeline::lab
