// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the short cut's rules share.
#pragma once

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <beeline/local/parse.hpp>
#include <beeline/local/policy.hpp>
#include <harness/rule_texts.hpp>

namespace beeline::local::test {

using harness::named_sets;

/// See harness::parse_texts().
inline auto parse(const std::vector<std::string> &texts) {
    return harness::parse_texts(parse_rules, texts);
}

/// The policy of good rules.
inline Policy policy_of(const std::vector<std::string> &texts) {
    auto [parsed, said] = parse(texts);
    for (const std::string &line : said)
        ADD_FAILURE() << line;
    Policy policy;
    policy.sets = named_sets();
    std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy.sets));
    policy.rules = std::move(parsed.rules);
    return policy;
}

} // namespace beeline::local::test
