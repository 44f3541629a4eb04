// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <beeline/kernel/rtnetlink.hpp>

#include "lab/demo.hpp"

namespace beeline::lab {

Result<RunningEdge> Stage::up(const Node &node, const std::string &name, const edge::Policy &policy) {
    BL_TRY(RunningEdge edge, RunningEdge::up(node, lab.bpffs() / name, policy));
    BL_CHECK(objects.note(lab.bpffs() / name));
    for (const std::string &warning : edge.report().warnings)
        report.line("note: " + warning);
    return edge;
}

Result<std::vector<std::string>> devices_here() {
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const auto devices, links.devices());
    std::vector<std::string> names;
    for (const kernel::Device &device : devices)
        names.push_back(
            fmt::format("{} {} {}", device.ifindex, device.name, device.xdp.native_id + device.xdp.generic_id));
    std::ranges::sort(names);
    return names;
}

std::string times(const Spread &stock, const Spread &beeline) {
    if (stock.runs == 0 || beeline.runs == 0 || beeline.median <= 0)
        return {};
    return fmt::format("{:.2f}x", stock.median / beeline.median);
}

} // namespace beeline::lab
