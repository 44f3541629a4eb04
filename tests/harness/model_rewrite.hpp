// SPDX-License-Identifier: Apache-2.0
//
// What an action makes of a frame: docs/edge.md, "What a rewrite does". Every checksum is computed by adding up all
// bytes, so that no arithmetic is shared with the BPF program, which only ever adds differences.
#pragma once

#include <harness/model.hpp>

namespace beeline::model {

/// rule and reason of the answer are the caller's to fill in.
[[nodiscard]] Answer act(const edge::Action &action, View frame, const Fields &fields,
                         const Surroundings &surroundings);

} // namespace beeline::model
