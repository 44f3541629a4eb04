// SPDX-License-Identifier: Apache-2.0
//
// A process that dies at a moment of the test's choice: between any two of its system calls that others can see.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::edge {

struct Traced {
    std::vector<std::string> steps; ///< "pin", "rename", "attach"..., in order, as far as it came.
    bool killed = false;
    int status = 0; ///< Exit status when it was not killed.
};

/// Runs f in a child process; its result is the exit status. kill_before: number of the step, from 0, before which it
/// is killed with SIGKILL; none: it runs to its end. Kind::unsupported where processes may not be traced.
[[nodiscard]] Result<Traced> run_traced(const std::function<int()> &f, std::optional<std::size_t> kill_before = {});

/// Numbers of steps to die before: each end of a run of equal steps, and one in the middle of it; and, as steps.size(),
/// after the last one.
[[nodiscard]] std::vector<std::size_t> places_to_die(const std::vector<std::string> &steps);

} // namespace beeline::edge
