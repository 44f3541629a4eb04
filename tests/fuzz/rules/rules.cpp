// SPDX-License-Identifier: Apache-2.0
//
// Rules, one a line (a line that ends with a backslash goes on).
#include <string>
#include <string_view>
#include <vector>

#include <beeline/edge/parse.hpp>

#include <fuzz/check_policy.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace beeline;
    static const std::vector<edge::Set> named{{"block", edge::SetType::prefix, {}, {}, {}},
                                              {"web", edge::SetType::port, {}, {}, {}},
                                              {"cards", edge::SetType::mac, {}, {}, {}}};
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

    rules::Diagnostics diagnostics;
    const edge::ParsedRules parsed = edge::parse_rules(sources, named, diagnostics);
    fuzz::check_diagnostics(diagnostics);
    if (rules::has_errors(diagnostics))
        return 0;
    std::vector<edge::Set> all = named;
    all.insert(all.end(), parsed.sets.begin(), parsed.sets.end());
    fuzz::check_rules(parsed.rules, edge::parse_rules, named, all);
    return 0;
}
