// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::cost {

/// Nanoseconds (instructions) a packet of the loaded edge program, which drops it by its last rule; one figure a run.
/// An empty program's are taken off.
[[nodiscard]] Result<std::vector<double>> drop(const std::vector<std::string> &rules, unsigned runs);

} // namespace beeline::cost
