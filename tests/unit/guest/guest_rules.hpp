// SPDX-License-Identifier: Apache-2.0
//
// What the tests of guests' rules share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <beeline/guest/parse.hpp>
#include <harness/rule_texts.hpp>

namespace beeline::guest::test {

using harness::named_sets;

/// See harness::parse_texts().
inline auto parse(const std::vector<std::string> &texts) {
    return harness::parse_texts(parse_rules, texts);
}

} // namespace beeline::guest::test
