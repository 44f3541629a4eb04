// SPDX-License-Identifier: Apache-2.0
//
// The edge's rules: their words, their meaning, and their normal form. docs/rules.md is the description.
#pragma once

#include <span>

#include <beeline/edge/policy.hpp>
#include <beeline/policy/parse.hpp>

namespace beeline::edge {

using policy::add_entry;
using policy::check_device;
using policy::normalise;
using policy::ParsedRules;
using policy::to_text;

/// The words of [edge] rules.
[[nodiscard]] const rules::Vocabulary &vocabulary();

/// The rules of [edge], at most BL_EDGE_MAX_RULES; a fallback that is not written is `fallback -> pass`. For the rest
/// see policy::parse_rules().
[[nodiscard]] ParsedRules parse_rules(std::span<const rules::SourceString> sources, std::span<const Set> sets,
                                      rules::Diagnostics &diagnostics);

} // namespace beeline::edge
