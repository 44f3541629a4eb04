// SPDX-License-Identifier: Apache-2.0
//
// Rules, one a line (a line that ends with a backslash goes on), as the edge's and as the short cut's.
#include <string>
#include <string_view>
#include <vector>

#include <beeline/edge/parse.hpp>
#include <beeline/local/parse.hpp>

#include <fuzz/check_policy.hpp>

namespace {

using namespace beeline;

void check(const std::vector<rules::SourceString> &sources, fuzz::Parse parse) {
    static const std::vector<policy::Set> named{{"block", policy::SetType::prefix, {}, {}, {}},
                                                {"web", policy::SetType::port, {}, {}, {}},
                                                {"cards", policy::SetType::mac, {}, {}, {}}};
    rules::Diagnostics diagnostics;
    const policy::ParsedRules parsed = parse(sources, named, diagnostics);
    fuzz::check_diagnostics(diagnostics);
    if (rules::has_errors(diagnostics))
        return;
    std::vector<policy::Set> all = named;
    all.insert(all.end(), parsed.sets.begin(), parsed.sets.end());
    fuzz::check_rules(parsed.rules, parse, named, all);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    std::vector<rules::SourceString> sources;
    std::string text;
    for (const char c : std::string_view(reinterpret_cast<const char *>(data), size)) {
        if (c != '\n' || text.ends_with('\\')) {
            text += c == '\n' ? ' ' : c;
            continue;
        }
        sources.emplace_back(std::move(text), "fuzz");
        text.clear();
    }
    sources.emplace_back(std::move(text), "fuzz");

    check(sources, edge::parse_rules);
    check(sources, local::parse_rules);
    return 0;
}
