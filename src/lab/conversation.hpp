// SPDX-License-Identifier: Apache-2.0
//
// TCP connections over a path, both ends in this process. Figures are nanoseconds of CLOCK_MONOTONIC, which are
// instructions where the clock counts them (-icount), the users' ends and the kernel's timers included.
#pragma once

#include <vector>

#include "lab/paths.hpp"

namespace beeline::lab {

struct Costs {
    std::vector<double> transaction; ///< 64 bytes there and back; one figure a run.
    std::vector<double> kib;         ///< 1024 bytes of a long stream.
    std::vector<double> connection;  ///< Another connection: made, accepted, closed.
};

[[nodiscard]] Result<Costs> converse(const Path &path, unsigned runs);

} // namespace beeline::lab
