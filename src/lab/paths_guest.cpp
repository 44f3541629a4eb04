// SPDX-License-Identifier: Apache-2.0
//
// Two guests of Beeline on one host.
#include <fmt/format.h>

#include <beeline/guest/guest.hpp>
#include <beeline/guest/parse.hpp>

#include "lab/paths.hpp"

namespace beeline::lab {
namespace {

using guest::Policy;

Result<Policy> policy_of(const Node &node, const std::string &name, int number, guest::Mode mode,
                         const std::vector<std::string> &rules) {
    Policy policy;
    policy.name = name;
    policy.place.name = node.netns().name();
    policy.host_device = guest::host_device_of(name);
    policy.mode = mode;
    BL_TRY(policy.address4, guest::read_address(fmt::format("10.8.0.{}/24", number)));
    std::vector<rules::SourceString> sources;
    for (const std::string &rule : rules)
        sources.emplace_back(rule);
    rules::Diagnostics diagnostics;
    policy::ParsedRules parsed = guest::parse_rules(sources, {}, diagnostics);
    for (const rules::Diagnostic &diagnostic : diagnostics)
        if (diagnostic.severity == rules::Severity::error)
            return fail(Kind::config, 0, diagnostic.one_line());
    policy.rules = std::move(parsed.rules);
    policy.sets = std::move(parsed.sets);
    return policy;
}

} // namespace

std::vector<std::string> hundred_rules() {
    std::vector<std::string> rules;
    for (int i = 0; i < 98; ++i)
        rules.push_back(fmt::format("in tcp dport {} src 198.51.{}.0/24 -> drop", 1000 + i, i));
    rules.emplace_back("in tcp -> pass");
    rules.emplace_back("in -> drop");
    return rules;
}

Result<Path> guest_path(Lab &lab, guest::Mode mode, const std::vector<std::string> &rules,
                        std::optional<std::uint32_t> mtu) {
    BL_TRY(const Node *host, lab.add("host"));
    BL_TRY(const Node *client, lab.add("one"));
    BL_TRY(const Node *server, lab.add("two"));
    BL_TRY(auto opened, guest::Guests::open(lab.bpffs() / "beeline"));
    const auto live = std::make_shared<guest::Guests>(std::move(opened));
    BL_TRY(Policy one, policy_of(*client, "one", 2, mode, rules));
    BL_TRY(Policy two, policy_of(*server, "two", 3, mode, rules));
    one.mtu = two.mtu = mtu;
    BL_CHECK(host->within([&]() -> Result<> {
        guest::HostSettings settings;
        BL_TRY([[maybe_unused]] const auto report, live->up(settings, {one, two}));
        return {};
    }));
    return Path{.client = client, .server = server, .address = "10.8.0.3", .owner = live};
}

} // namespace beeline::lab
