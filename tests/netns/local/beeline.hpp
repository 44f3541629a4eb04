// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <thread>
#include <vector>

#include <beeline/local/local.hpp>
#include <netns/local/accelerator.hpp>

namespace beeline::conformance {

/// [local] with one rule, "accelerate everything", for sockets of the cgroup, and the daemon's part in a thread.
[[nodiscard]] Result<std::unique_ptr<Accelerator>> start_beeline(const kernel::Cgroup &cgroup);

/// The rules for sockets of the cgroup.
[[nodiscard]] Result<local::Policy> policy_in(const kernel::Cgroup &cgroup, const std::vector<std::string> &rules);

/// As the daemon does: as soon as there is something to do, and a while later when a socket was not read empty.
void tend_once(local::Tender &tender);
/// The same until the thread is to stop.
[[nodiscard]] std::jthread tending(local::Tender tender);

} // namespace beeline::conformance
