// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/demo.hpp"

namespace beeline::lab {

Result<RunningEdge> Stage::up(const Node &node, const std::string &name, const edge::Policy &policy) {
    BL_TRY(RunningEdge edge, RunningEdge::up(node, lab.bpffs() / name, policy));
    BL_CHECK(objects.note(lab.bpffs() / name));
    for (const std::string &warning : edge.report().warnings)
        report.line("note: " + warning);
    return edge;
}

std::string times(const Spread &stock, const Spread &beeline) {
    if (stock.runs == 0 || beeline.runs == 0 || beeline.median <= 0)
        return {};
    return fmt::format("{:.2f}x", stock.median / beeline.median);
}

} // namespace beeline::lab
