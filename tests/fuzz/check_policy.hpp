// SPDX-License-Identifier: Apache-2.0
//
// What holds for the outcome of every text, whatever it is. abort() tells the fuzzer.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/policy/parse.hpp>

namespace beeline::fuzz {

inline void demand(bool holds, const char *what, std::string_view about) {
    if (holds)
        return;
    std::fprintf(stderr, "broken: %s: %s\n", what, std::string(about).c_str());
    std::abort();
}

/// Every diagnostic can be shown, on one line of printable bytes and in lines without control characters.
inline void check_diagnostics(const rules::Diagnostics &diagnostics) {
    for (const rules::Diagnostic &diagnostic : diagnostics) {
        const std::string line = diagnostic.one_line(), text = diagnostic.text();
        demand(!diagnostic.message.empty(), "a message", line);
        for (const char c : line)
            demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "one printable line", line);
        for (const char c : text)
            demand(static_cast<unsigned char>(c) >= 0x20 || c == '\n', "printable lines", text);
    }
}

/// parse_rules() of a part.
using Parse = policy::ParsedRules (*)(std::span<const rules::SourceString>, std::span<const policy::Set>,
                                      rules::Diagnostics &);

/// The rules end with the only fallback, and their normal form means the same. `named` are the sets of the config.
inline void check_rules(const std::vector<policy::Rule> &rules, Parse parse, std::span<const policy::Set> named,
                        std::span<const policy::Set> all) {
    demand(!rules.empty() && rules.back().match == policy::Match{} && !rules.back().rate, "a fallback", "");
    std::vector<rules::SourceString> texts;
    for (const policy::Rule &rule : rules)
        texts.emplace_back(policy::to_text(rule, all));
    rules::Diagnostics diagnostics;
    const policy::ParsedRules again = parse(texts, named, diagnostics);
    demand(!rules::has_errors(diagnostics), "a normal form that parses",
           diagnostics.empty() ? "" : diagnostics.front().text());
    demand(again.rules.size() == rules.size(), "as many rules", std::to_string(again.rules.size()));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string &text = texts[i].text();
        demand(again.rules[i].match == rules[i].match, "an equal match", text);
        demand(again.rules[i].rate == rules[i].rate, "an equal rate", text);
        demand(again.rules[i].action == rules[i].action, "an equal action", text);
        demand(policy::to_text(again.rules[i], all) == text, "a stable normal form", text);
    }
}

} // namespace beeline::fuzz
