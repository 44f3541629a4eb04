// SPDX-License-Identifier: Apache-2.0
//
// Three hosts in a row, the edge on the middle one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host.hpp"
#include "wire.hpp"

namespace beeline::edge {

/// a(va) - (ma) m (mb) - b(vb). Nobody has addresses: every frame is the test's. The far ends take redirected frames
/// (GRO is on).
struct Chain {
    lab::Lab lab;
    const lab::Node *a = nullptr, *m = nullptr, *b = nullptr;
    std::optional<Host> host = {};  ///< On m.
    std::optional<Wire> from = {};  ///< On va.
    std::optional<Wire> stack = {}; ///< On ma, behind the edge.
    std::optional<Wire> far = {};   ///< On vb.

    [[nodiscard]] static Result<std::unique_ptr<Chain>> make(std::uint32_t mtu = 1500);
};

} // namespace beeline::edge
