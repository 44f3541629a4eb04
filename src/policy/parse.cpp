// SPDX-License-Identifier: Apache-2.0
#include <beeline/policy/parse.hpp>

#include <fmt/format.h>

#include <beeline/rules/parser.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

namespace {

/// Who has made that many errors has misunderstood something; the list would only bury it.
constexpr std::size_t kMaxErrors = 50;

/// The language's own fallback; it has no place but the file.
std::optional<Rule> default_fallback(std::span<const rules::SourceString> sources, const Language &language,
                                     rules::Diagnostics &diagnostics) {
    const rules::SourceString source{std::string(language.fallback)};
    std::vector<Set> made;
    const auto tree = rules::parse(source, language.vocabulary, diagnostics);
    auto rule = tree ? Lowering(source, *tree, {}, made, diagnostics).rule() : std::nullopt;
    if (rule)
        rule->where = {.file = sources.empty() ? "" : sources.front().file()->name()};
    return rule;
}

} // namespace

ParsedRules parse_rules(std::span<const rules::SourceString> sources, const Language &language,
                        std::span<const Set> sets, rules::Diagnostics &diagnostics) {
    ParsedRules result;
    const std::size_t said_before = diagnostics.size();
    const auto error = [&](const rules::SourceString &source, rules::Extent where, std::string message,
                           std::string hint) {
        diagnostics.push_back(
            source.diagnostic(rules::Severity::error, where.offset, where.length, std::move(message), std::move(hint)));
    };
    bool fallback = false;
    std::vector<const rules::SourceString *> used; // the text of each rule of the result
    for (const rules::SourceString &source : sources) {
        if (diagnostics.size() - said_before >= kMaxErrors) {
            error(source, {}, "too many errors; this rule and those behind it were not looked at", {});
            break;
        }
        const auto tree = rules::parse(source, language.vocabulary, diagnostics);
        if (!tree)
            continue;
        if (fallback)
            error(source, tree->start, tree->fallback ? "a second fallback" : "a rule behind the fallback",
                  "the fallback takes every packet and comes last");
        fallback = fallback || tree->fallback;
        Lowering lowering(source, *tree, sets, result.sets, diagnostics);
        if (auto rule = lowering.rule()) {
            result.rules.push_back(std::move(*rule));
            used.push_back(&source);
        }
        if (result.rules.size() + (fallback ? 0 : 1) > language.max_rules) {
            error(source, tree->start, fmt::format("more than {} rules, the fallback included", language.max_rules),
                  "put addresses and ports into [sets]");
            break;
        }
    }
    if (!fallback)
        if (auto rule = default_fallback(sources, language, diagnostics))
            result.rules.push_back(std::move(*rule));
    if (diagnostics.size() == said_before) {
        std::vector<Set> all(sets.begin(), sets.end());
        all.insert(all.end(), result.sets.begin(), result.sets.end());
        warn_unreachable(result.rules, used, all, diagnostics);
    }
    return result;
}

} // namespace beeline::policy
