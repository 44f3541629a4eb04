// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <beeline/config/config.hpp>
#include <harness/names.hpp>

namespace beeline::edge {

Result<lab::Lab> test_lab() {
    // "bl-<8 hex digits of the test's name>-<pid>-x": the digits are the lab's name, it adds the process itself.
    return lab::Lab::create("edge" + harness::unique_name("x").substr(3, 8));
}

Result<Policy> policy(const Text &text) {
    std::vector<std::string> rules;
    for (const std::string &rule : text.rules)
        rules.push_back(fmt::format("  '{}',", rule)); // A literal string: nothing in it is an escape.
    if (text.rules.empty() || !text.rules.back().starts_with("fallback"))
        rules.push_back("  'fallback -> pass',");
    const std::string file =
        fmt::format("{}\n[edge]\ndevices = [\"{}\"]\nmode = \"{}\"\nreplace = {}\nrules = [\n{}\n]\n", text.sets,
                    fmt::join(text.devices, "\", \""), text.mode, text.replace, fmt::join(rules, "\n"));
    auto [config, diagnostics] = config::parse(file, "edge.toml");
    if (!config || !config->edge)
        return fail(Kind::config, 0, diagnostics.empty() ? "no [edge] in " + file : diagnostics.front().one_line());
    return *std::move(config->edge);
}

Result<Host> Host::on(const lab::Node &node, std::filesystem::path pins) {
    BL_TRY(Edge edge, Edge::open(pins));
    return Host(node, std::move(pins), std::move(edge));
}

Result<UpReport> Host::up(const Text &text, std::optional<std::chrono::seconds> confirm) {
    BL_TRY(const Policy wanted, policy(text));
    return node_->within([&] { return edge_.up(wanted, {.file = "edge.toml", .confirm = confirm}); });
}

Result<Plan> Host::plan(const Text &text) const {
    BL_TRY(const Policy wanted, policy(text));
    return node_->within([&] { return edge_.plan(wanted); });
}

std::optional<std::uint64_t> Host::packets(std::string_view rule) const {
    const auto now = status();
    if (!now)
        return std::nullopt;
    const auto found = std::ranges::find(now->rules, rule, &RuleStatus::text);
    return found == now->rules.end() ? std::nullopt : std::optional(found->packets);
}

std::uint64_t Host::odd(std::string_view reason) const {
    const auto now = status();
    if (!now)
        return 0;
    const auto found = std::ranges::find(now->odd, reason, &std::pair<std::string, std::uint64_t>::first);
    return found == now->odd.end() ? 0 : found->second;
}

Result<> silence(const lab::Node &node) {
    for (const char *which : {"all", "default"})
        BL_CHECK(node.set_sysctl(fmt::format("ipv6/conf/{}/disable_ipv6", which), "1"));
    return {};
}

Result<std::unique_ptr<Pair>> Pair::make(const Options &options) {
    BL_TRY(lab::Lab lab, test_lab());
    BL_TRY(const lab::Node *a, lab.add("a"));
    BL_TRY(const lab::Node *b, lab.add("b"));
    std::vector<std::string> of_a = {"10.9.0.1/24", "fd09::1/64"}, of_b = {"10.9.0.2/24", "fd09::2/64"};
    if (options.silent) {
        of_a.clear();
        of_b.clear();
        BL_CHECK(silence(*a));
        BL_CHECK(silence(*b));
    }
    BL_CHECK(lab.cable(
        {.node = a, .device = "va", .addresses = of_a}, {.node = b, .device = "vb", .addresses = of_b},
        {.tx_checksum = options.tx_checksum, .gro = options.gro, .mtu = options.mtu, .queues = options.queues}));
    return std::make_unique<Pair>(std::move(lab), a, b);
}

} // namespace beeline::edge
