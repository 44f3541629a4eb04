// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netns/local/accelerator.hpp>

namespace beeline::conformance {

/// The programs of local with one rule, "accelerate everything", and what the daemon does for them: it answers what a
/// program may call, and runs local_tend.
[[nodiscard]] Result<std::unique_ptr<Accelerator>> start_beeline(const kernel::Cgroup &cgroup);

} // namespace beeline::conformance
