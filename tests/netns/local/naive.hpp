// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netns/local/accelerator.hpp>

namespace beeline::conformance {

/// The public recipe. Only here, to prove that the rows can fail.
[[nodiscard]] Result<std::unique_ptr<Accelerator>> start_naive(const kernel::Cgroup &cgroup);

} // namespace beeline::conformance
