// SPDX-License-Identifier: Apache-2.0
//
// Named counters: a per-CPU array of __u64, one index per cause (drop reasons, verdicts, errors).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <beeline/kernel/per_cpu_map.hpp>

namespace beeline::kernel {

using CounterMap = PerCpuMap<std::uint32_t, std::uint64_t>;
using NamedCounters = std::vector<std::pair<std::string, std::uint64_t>>;

/// One pair per name, in the order of names (index i of the map is names[i]), summed over CPUs. Empty names are retired
/// numbers and are left out. A map shorter than names is an error: the two were built from different headers.
[[nodiscard]] Result<NamedCounters> read_counters(const CounterMap &map, std::span<const std::string_view> names);

} // namespace beeline::kernel
