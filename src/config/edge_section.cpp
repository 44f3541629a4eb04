// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <beeline/edge/parse.hpp>
#include <beeline/rules/words.hpp>

#include "config/sections.hpp"

namespace beeline::config {

namespace {

void read_devices(const Section &section, edge::Policy &policy) {
    const std::size_t said_before = section.document().diagnostics().size();
    for (const rules::SourceString &name : section.strings("devices")) {
        if (const auto checked = edge::check_device(name.text()); !checked)
            section.error(name, checked.error().what, checked.error().remedy);
        else if (std::find(policy.devices.begin(), policy.devices.end(), name.text()) != policy.devices.end())
            section.error(name, fmt::format("{} twice in 'devices'", rules::in_quotes(name.text())));
        else
            policy.devices.push_back(name.text());
    }
    if (policy.devices.empty() && section.document().diagnostics().size() == said_before)
        section.error("devices", "[edge] has no devices", "for example: devices = [\"eth0\"]");
}

/// Rules for devices that the edge is not on are not wrong, but not meant either.
void warn_devices(const Section &section, const edge::Policy &policy) {
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const auto &device = policy.rules[i].match.device;
        if (!device || device->negated)
            continue;
        for (const std::string &name : device->any_of)
            if (std::find(policy.devices.begin(), policy.devices.end(), name) == policy.devices.end())
                section.document().warning(
                    policy.rules[i].where,
                    fmt::format("rule {} names {}, which is not in 'devices'", i + 1, rules::in_quotes(name)),
                    fmt::format("devices: {}", fmt::join(policy.devices, ", ")));
    }
}

} // namespace

edge::Policy read_edge(const Section &section, std::vector<edge::Set> sets) {
    edge::Policy policy;
    section.only({"devices", "mode", "replace", "rules"}, {"guard"});
    read_devices(section, policy);
    if (const auto mode = section.choice("mode", {"auto", "native", "generic", "offload"}))
        policy.mode = static_cast<edge::Mode>(*mode);
    policy.replace = section.boolean("replace").value_or(false);
    if (!section.has("rules"))
        section.error("rules", "[edge] has no rules",
                      "for example: rules = [\"src 192.0.2.0/24 -> drop\", \"fallback -> pass\"]");
    const std::vector<rules::SourceString> rules = section.strings("rules");
    edge::ParsedRules parsed = edge::parse_rules(rules, sets, section.document().diagnostics());
    policy.rules = std::move(parsed.rules);
    policy.sets = std::move(sets);
    std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy.sets));
    warn_devices(section, policy);
    return policy;
}

} // namespace beeline::config
