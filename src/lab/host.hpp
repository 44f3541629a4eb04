// SPDX-License-Identifier: Apache-2.0
//
// The machine that a figure was taken on, and whether it was quiet.
#pragma once

#include <chrono>
#include <string>

#include <beeline/result.hpp>

namespace beeline::lab {

struct HostFacts {
    std::string cpu;    ///< As /proc/cpuinfo calls it.
    unsigned cpus = 0;  ///< Online.
    std::string kernel; ///< As uname -r.
};

[[nodiscard]] HostFacts host_facts();

/// Waits until the machine as a whole was idle for share of a 0.4 s window; false: it did not become so in time.
[[nodiscard]] bool wait_quiet(double share = 0.93, std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// Keeps the calling thread on one CPU until the end of the scope, then gives it back the CPUs it had.
class [[nodiscard]] PinnedToCpu {
public:
    static Result<PinnedToCpu> pin(int cpu);
    PinnedToCpu(PinnedToCpu &&other) noexcept;
    PinnedToCpu &operator=(PinnedToCpu &&) = delete;
    PinnedToCpu(const PinnedToCpu &) = delete;
    PinnedToCpu &operator=(const PinnedToCpu &) = delete;
    ~PinnedToCpu();

private:
    explicit PinnedToCpu(std::string before);
    std::string before_; ///< A cpu_set_t; empty: nothing to put back.
};

/// CPU time that the calling thread has used, seconds.
[[nodiscard]] double thread_cpu_seconds();
[[nodiscard]] double wall_seconds();

} // namespace beeline::lab
