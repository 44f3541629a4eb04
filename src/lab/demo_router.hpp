// SPDX-License-Identifier: Apache-2.0
//
// left(va) - (vb)router(vc) - right(vd): three hosts, two networks, of the redirect and guest scenes.
#pragma once

#include <string>
#include <vector>

#include "lab/meeting.hpp"

namespace beeline::lab {

inline constexpr std::uint16_t kRouterPort = 7998; ///< Of the servers on right.

struct RouterPath {
    const Node *left, *router, *right;
    Meeting meeting;                ///< Of left and right.
    std::vector<std::string> rules; ///< What the router does, as rules for vb and vc.
};

/// prefix: of the nodes' names, another one for each path of a lab.
[[nodiscard]] Result<RouterPath> build_router_path(Stage &stage, const std::string &prefix = {});

/// What forwarding one packet costs, on both ways.
[[nodiscard]] Result<> demo_forward(Stage &stage, const RouterPath &path);

} // namespace beeline::lab
