// SPDX-License-Identifier: Apache-2.0
//
// The rules of [local] as the rows that local_sockets and local_received look through (abi/beeline/local.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <beeline/local.h>
#include <beeline/local/policy.hpp>
#include <beeline/policy/expand.hpp>

namespace beeline::local {

struct RuleRow {
    std::string text;
    std::string identity; ///< Unique among the rules: the text, or "text#2".
    std::uint32_t line = 0;
    std::uint32_t counter = 0; ///< Slot in local_hits.
};

struct Tables {
    std::vector<bl_local_row> rows; ///< In order; the last one matches everything.
    std::vector<RuleRow> rules;
    std::vector<policy::SetTable> sets;
    std::map<std::string, std::uint64_t> cgroups; ///< Ids of those that rules name, by path.
};

/// What has to be looked up on the host.
struct Binding {
    /// Slot in local_hits for the rule with this identity. None: 1, 2, 3...
    std::function<Result<std::uint32_t>(const std::string &identity)> counter;
    /// Id and level (the root has 0) of a cgroup by its path below the mount. None: kernel::Cgroup.
    std::function<Result<std::pair<std::uint64_t, std::uint32_t>>(const std::string &path)> cgroup;
};

/// Fails when the rules do not fit the limits in abi/beeline/local.h, or a cgroup is not there; the error names the
/// rule.
[[nodiscard]] Result<Tables> compile(const Policy &policy, const Binding &binding = {});

} // namespace beeline::local
