// SPDX-License-Identifier: Apache-2.0
#include "lab/running_edge.hpp"

#include <utility>

#include <fmt/format.h>

#include <beeline/config/config.hpp>

namespace beeline::lab {

Result<edge::Policy> policy_of(const std::vector<std::string> &rules, const std::vector<std::string> &devices,
                               const std::string &mode) {
    std::string text = fmt::format("[edge]\nmode = \"{}\"\ndevices = [", mode);
    for (const std::string &device : devices)
        text += fmt::format("\"{}\", ", device);
    text += "]\nrules = [\n";
    for (const std::string &rule : rules)
        text += fmt::format("  '{}',\n", rule); // A literal string: nothing in it is an escape.
    text += "]\n";
    auto [config, diagnostics] = config::parse(text, "lab.toml");
    if (!config || !config->edge)
        return fail(Kind::config, 0, diagnostics.empty() ? "lab.toml has no [edge]" : diagnostics.front().one_line());
    return std::move(*config->edge);
}

Result<RunningEdge> RunningEdge::up(const Node &node, const std::filesystem::path &pins, const edge::Policy &policy) {
    BL_TRY(edge::Edge edge, edge::Edge::open(pins));
    BL_TRY(auto report, node.within([&] { return edge.up(policy, {.file = "lab.toml", .confirm = {}}); }));
    return RunningEdge(node, std::move(edge), std::move(report));
}

RunningEdge::RunningEdge(RunningEdge &&other) noexcept
    : node_(std::exchange(other.node_, nullptr)), edge_(std::move(other.edge_)), report_(std::move(other.report_)) {}

RunningEdge::~RunningEdge() {
    (void)down();
}

Result<edge::Status> RunningEdge::status() const {
    return node_->within([&] { return edge_.status(); });
}

Result<edge::Edge::Live> RunningEdge::live() const {
    return node_->within([&] { return edge_.live(); });
}

Result<> RunningEdge::down() {
    if (const Node *node = std::exchange(node_, nullptr))
        BL_CHECK(node->within([&] { return edge_.down(); }));
    return {};
}

} // namespace beeline::lab
