// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/lab/commands.hpp>

namespace beeline::lab {

/// `bench guest`; it has no peers and no goals.
[[nodiscard]] Result<BenchOutcome> bench_guest(const BenchOptions &options, int cpu);

} // namespace beeline::lab
