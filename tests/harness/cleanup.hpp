// SPDX-License-Identifier: Apache-2.0
//
// Undoing what a test made on the host, also when the test is killed by a signal it can catch; what a kill -9 leaves is
// removed by the next test process (sweep_leftovers).
#pragma once

#include <string>

namespace beeline::harness {

/// What stands in the file system and must go.
enum class Leftover {
    mount, ///< Unmount it, then remove the directory.
    netns, ///< Unmount the file, then remove it.
    cgroup ///< Remove the directory.
};

/// Registers path until it ends: removed then, and on SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV and the like
/// before the process dies of it. At most 64 at a time (abort beyond).
class [[nodiscard]] OnExit {
public:
    OnExit(Leftover kind, const std::string &path);
    OnExit(OnExit &&other) noexcept;
    OnExit &operator=(OnExit &&) = delete;
    ~OnExit();

private:
    int slot_;
};

/// Removes mounts, namespaces and cgroups of test processes that are gone, known by the process id in their names.
void sweep_leftovers();

} // namespace beeline::harness
