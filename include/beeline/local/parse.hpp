// SPDX-License-Identifier: Apache-2.0
//
// The rules of [local] (docs/rules.md).
#pragma once

#include <span>

#include <beeline/local/policy.hpp>
#include <beeline/policy/parse.hpp>

namespace beeline::local {

/// The words of its rules: addresses and ports of a connection (src and sport are of the end that connected), and
/// cgroup, process and user of either end.
[[nodiscard]] const rules::Vocabulary &vocabulary();

/// At most BL_LOCAL_MAX_RULES; a fallback that is not written is `fallback -> tcp`. See policy::parse_rules().
[[nodiscard]] policy::ParsedRules parse_rules(std::span<const rules::SourceString> sources,
                                              std::span<const policy::Set> sets, rules::Diagnostics &diagnostics);

} // namespace beeline::local
