// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/paths.hpp"

namespace beeline::cost {

/// Loopback with the programs of [local] loaded, whose rules choose none of the path's connections.
[[nodiscard]] Result<lab::Path> beside_the_short_cut(lab::Lab &lab);

} // namespace beeline::cost
