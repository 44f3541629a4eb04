// SPDX-License-Identifier: Apache-2.0
//
// What the tests of edge rules share.
#pragma once

#include <string>
#include <vector>

#include <beeline/edge/parse.hpp>

namespace beeline::test {

/// A rule and all that is said about it, one line each.
struct Broken {
    std::string rule;
    std::vector<std::string> said;
};

struct Parsed {
    edge::ParsedRules result;
    rules::Diagnostics diagnostics;
};

/// Sets there are: @block, @other (prefixes), @web (ports), @cards (MAC addresses).
inline const std::vector<edge::Set> &named_sets() {
    static const std::vector<edge::Set> sets{{"block", edge::SetType::prefix, {}, {}, {}},
                                             {"other", edge::SetType::prefix, {}, {}, {}},
                                             {"web", edge::SetType::port, {}, {}, {}},
                                             {"cards", edge::SetType::mac, {}, {}, {}}};
    return sets;
}

/// The rules as a config would bring them; each is a file "r" of its own.
inline Parsed parse(const std::vector<std::string> &texts) {
    std::vector<rules::SourceString> sources;
    for (const std::string &text : texts)
        sources.emplace_back(text, "r");
    Parsed parsed;
    parsed.result = edge::parse_rules(sources, named_sets(), parsed.diagnostics);
    return parsed;
}

inline std::vector<std::string> lines(const rules::Diagnostics &diagnostics) {
    std::vector<std::string> result;
    for (const rules::Diagnostic &diagnostic : diagnostics)
        result.push_back(diagnostic.one_line());
    return result;
}

} // namespace beeline::test
