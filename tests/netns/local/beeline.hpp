// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netns/local/accelerator.hpp>

namespace beeline::conformance {

/// [local] with one rule, "accelerate everything", for sockets of the cgroup, and the daemon's part in a thread.
[[nodiscard]] Result<std::unique_ptr<Accelerator>> start_beeline(const kernel::Cgroup &cgroup);

} // namespace beeline::conformance
