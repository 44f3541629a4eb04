// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <beeline/local/parse.hpp>
#include <beeline/rules/words.hpp>

#include "config/sections.hpp"

namespace beeline::config {

namespace {

constexpr std::size_t kMaxPath = 4095; // PATH_MAX - 1

void read_trusted(const Section &section, std::vector<std::string> &trusted) {
    for (const rules::SourceString &path : section.strings("trusted")) {
        const std::string &text = path.text();
        if (!text.starts_with('/') || text.ends_with('/'))
            section.error(path, fmt::format("{} is not the absolute path of a program", rules::in_quotes(text)),
                          "for example /usr/bin/redis-server");
        else if (text.size() > kMaxPath || text.find('\0') != std::string::npos)
            section.error(path, fmt::format("a program's path has at most {} bytes, none of them zero", kMaxPath));
        else if (std::find(trusted.begin(), trusted.end(), text) != trusted.end())
            section.error(path, fmt::format("{} twice in 'trusted'", rules::in_quotes(text)));
        else
            trusted.push_back(text);
    }
}

} // namespace

local::Policy read_local(const Section &section, const std::vector<policy::Set> &sets) {
    local::Policy policy;
    section.only({"rules", "cgroup", "limit", "lowat", "trusted", "connections"});
    if (!section.has("rules"))
        section.error("rules", "[local] has no rules", "for example: rules = [\"dport 5432 -> accelerate\"]");
    policy::ParsedRules parsed = local::parse_rules(section.strings("rules"), sets, section.document().diagnostics());
    policy.rules = std::move(parsed.rules);
    policy.sets = sets_of(policy.rules, sets);
    std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy.sets));
    if (const auto cgroup = section.string("cgroup")) {
        policy.cgroup = cgroup->text();
        if (const auto good = policy::check_cgroup(policy.cgroup); !good)
            section.error(*cgroup, good.error().what, good.error().remedy);
    }
    if (const auto limit = section.integer("limit", {local::kMinLimit, local::kMaxLimit}))
        policy.limit = *limit;
    if (const auto lowat = section.integer("lowat", {0, local::kMaxLowat})) {
        policy.lowat = static_cast<std::uint32_t>(*lowat);
        if (*lowat != 0 && *lowat < local::kMinLowat)
            section.error(
                "lowat", fmt::format("'lowat' in [local] is {}", *lowat),
                fmt::format("expected {} to {}, or 0 to leave sockets alone", local::kMinLowat, local::kMaxLowat));
    }
    read_trusted(section, policy.trusted);
    if (const auto connections = section.integer("connections", {local::kMinConnections, local::kMaxConnections}))
        policy.connections = static_cast<std::uint32_t>(*connections);
    return policy;
}

} // namespace beeline::config
