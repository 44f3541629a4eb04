// SPDX-License-Identifier: Apache-2.0
//
// A config file.
#include <algorithm>
#include <iterator>
#include <string_view>

#include <beeline/config/config.hpp>

#include <fuzz/check_policy.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace beeline;
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    const auto [config, diagnostics] = config::parse(text, "/nonexistent/fuzz.toml");
    fuzz::check_diagnostics(diagnostics);
    fuzz::demand(config.has_value() != rules::has_errors(diagnostics), "a config or an error", "");
    if (!config || !config->edge)
        return 0;
    const edge::Policy &policy = *config->edge;
    std::vector<edge::Set> named;
    std::copy_if(policy.sets.begin(), policy.sets.end(), std::back_inserter(named),
                 [](const edge::Set &set) { return !set.name.starts_with('$'); });
    fuzz::check_rules(policy.rules, named, policy.sets);
    return 0;
}
