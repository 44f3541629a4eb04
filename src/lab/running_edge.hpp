// SPDX-License-Identifier: Apache-2.0
//
// Beeline's edge in one node of a lab, down again at the end of the scope.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <beeline/edge/edge.hpp>

#include "lab/lab.hpp"

namespace beeline::lab {

/// A policy as a user writes it: the rules of [edge], for these devices.
[[nodiscard]] Result<edge::Policy> policy_of(const std::vector<std::string> &rules,
                                             const std::vector<std::string> &devices, const std::string &mode = "auto");

class [[nodiscard]] RunningEdge {
public:
    /// pins: a directory on the lab's bpffs, one for each edge that is up at the same time.
    [[nodiscard]] static Result<RunningEdge> up(const Node &node, const std::filesystem::path &pins,
                                                const edge::Policy &policy);
    RunningEdge(RunningEdge &&other) noexcept;
    RunningEdge &operator=(RunningEdge &&) = delete;
    ~RunningEdge();

    [[nodiscard]] const edge::UpReport &report() const { return report_; }
    [[nodiscard]] Result<edge::Status> status() const;
    [[nodiscard]] Result<edge::Edge::Live> live() const;
    [[nodiscard]] Result<> down();

private:
    RunningEdge(const Node &node, edge::Edge edge, edge::UpReport report)
        : node_(&node), edge_(std::move(edge)), report_(std::move(report)) {}
    const Node *node_; ///< Null: down, or moved from.
    edge::Edge edge_;
    edge::UpReport report_;
};

} // namespace beeline::lab
