// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/socket.h>

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/features.hpp>
#include <harness/names.hpp>

#include "lab/socket.hpp"

namespace beeline::guest {
namespace {

Result<> add_rules(const Text &text, Policy &policy) {
    std::vector<rules::SourceString> sources;
    for (const std::string &rule : text.rules)
        sources.emplace_back(rule, "rules");
    rules::Diagnostics diagnostics;
    policy::ParsedRules parsed = parse_rules(sources, {}, diagnostics);
    for (const rules::Diagnostic &diagnostic : diagnostics)
        if (diagnostic.severity == rules::Severity::error)
            return fail(Kind::config, 0, diagnostic.one_line());
    policy.rules = std::move(parsed.rules);
    policy.sets = std::move(parsed.sets);
    return {};
}

} // namespace

Result<std::unique_ptr<Scene>> Scene::make(Mode mode) {
    BL_TRY(lab::Lab lab, lab::Lab::create("guest" + harness::unique_name("x").substr(3, 8)));
    BL_TRY(const lab::Node *host, lab.add("host"));
    BL_TRY(const lab::Node *world, lab.add("world"));
    for (const lab::Node *node : {host, world}) // addresses stand still from the beginning
        BL_CHECK(node->set_sysctl("ipv6/conf/default/accept_dad", "0"));
    BL_CHECK(lab.cable({.node = host, .device = "up0", .addresses = {"10.9.0.1/24", "fd09::1/64"}},
                       {.node = world, .device = "w0", .addresses = {"10.9.0.2/24", "fd09::2/64"}}));
    BL_CHECK(world->run({.words = {"ip", "route", "add", "10.88.0.0/16", "via", "10.9.0.1"}}));
    BL_CHECK(world->run({.words = {"ip", "-6", "route", "add", "fd88::/16", "via", "fd09::1"}}));
    BL_TRY(Guests guests, Guests::open(lab.bpffs() / "beeline"));
    return std::make_unique<Scene>(std::move(lab), mode, host, world, std::move(guests));
}

Result<const lab::Node *> Scene::add_node(const std::string &name) {
    BL_TRY(const lab::Node *node, lab.add(name));
    nodes[name] = node;
    return node;
}

Result<Policy> Scene::policy(const Text &text) const {
    Policy policy;
    policy.name = text.name;
    const auto node = nodes.find(text.name);
    policy.place.name = node == nodes.end() ? "bl-no-such-namespace" : node->second->netns().name();
    policy.device = text.device;
    policy.host_device = text.host_device.empty() ? host_device_of(text.name) : text.host_device;
    policy.mode = mode;
    if (!text.tap.empty()) {
        policy.place = {.by = Place::By::tap, .name = text.tap};
        policy.device.clear();
        policy.host_device = text.tap;
    }
    if (!text.mac.empty()) {
        BL_TRY(policy.mac, kernel::parse_mac(text.mac));
    }
    policy.masquerade = text.masquerade;
    if (!text.address4.empty()) {
        BL_TRY(policy.address4, read_address(text.address4));
    }
    if (!text.address6.empty()) {
        BL_TRY(policy.address6, read_address(text.address6));
    }
    for (const std::string &one : text.publish) {
        BL_TRY(const Publish publish, read_publish(one));
        policy.publish.push_back(publish);
    }
    BL_CHECK(add_rules(text, policy));
    return policy;
}

namespace {

Result<std::vector<Policy>> policies(const Scene &scene, const std::vector<Text> &texts) {
    std::vector<Policy> all;
    for (const Text &text : texts) {
        BL_TRY(Policy policy, scene.policy(text));
        all.push_back(std::move(policy));
    }
    return all;
}

} // namespace

Result<UpReport> Scene::up(const std::vector<Text> &texts) {
    BL_TRY(const auto wanted, policies(*this, texts));
    return host->within([&] { return guests.up(settings, wanted, {.file = "guests.toml"}); });
}

Result<GuestStatus> Scene::add(const Text &text) {
    BL_TRY(const Policy wanted, policy(text));
    return host->within([&] { return guests.add(wanted); });
}

Result<Plan> Scene::plan(const std::vector<Text> &texts) const {
    BL_TRY(const auto wanted, policies(*this, texts));
    return host->within([&] { return guests.plan(settings, wanted); });
}

Result<GuestStatus> Scene::status_of(const std::string &name) const {
    BL_TRY(const Status all, status());
    const auto found = std::ranges::find(all.guests, name, &GuestStatus::name);
    if (found == all.guests.end())
        return fail(Kind::host, 0, "status shows no guest " + name);
    return *found;
}

namespace {

/// Nothing is said in two words.
bool ask_and_answer(int client, int server) {
    char word = 'q';
    sockaddr_storage who{};
    socklen_t size = sizeof who;
    return ::send(client, &word, 1, 0) == 1 &&
           ::recvfrom(server, &word, 1, 0, reinterpret_cast<sockaddr *>(&who), &size) == 1 &&
           ::sendto(server, &word, 1, 0, reinterpret_cast<sockaddr *>(&who), size) == 1 &&
           ::recv(client, &word, 1, 0) == 1;
}

} // namespace

bool talks(const lab::Node &from, const lab::Node &to, const std::string &address, std::uint16_t port) {
    constexpr std::chrono::seconds kWait(1);
    const auto at = lab::SocketAddress::make(address, port);
    if (!at)
        return false;
    const auto server = to.within([&] { return lab::open_server(*at, lab::Transport::udp, kWait); });
    const auto client = from.within([&] { return lab::open_socket(at->family(), lab::Transport::udp, kWait); });
    if (!server || !client) {
        ADD_FAILURE() << (server ? client : server).error().message();
        return false;
    }
    return ::connect(client->get(), at->get(), at->length) == 0 && ask_and_answer(client->get(), server->get());
}

bool pings(const lab::Node &from, const std::string &address) {
    const bool v6 = address.find(':') != std::string::npos;
    return from.run({.words = {"ping", v6 ? "-6" : "-4", "-n", "-c", "1", "-w", "3", "-i", "0.3", address}})
        .has_value();
}

std::optional<std::string> lacking(Mode mode) {
    if (mode == Mode::netkit_l3 || mode == Mode::netkit_l2)
        if (const auto netkit = kernel::require(kernel::FeatureId::netkit); !netkit)
            return netkit.error().message();
    if (const auto tcx = kernel::require(kernel::FeatureId::tcx); !tcx)
        return tcx.error().message();
    return std::nullopt;
}

std::string test_name(Mode mode) {
    switch (mode) {
    case Mode::automatic:
        return "auto";
    case Mode::netkit_l3:
        return "netkit_l3";
    case Mode::netkit_l2:
        return "netkit_l2";
    case Mode::veth:
        return "veth";
    }
    return "";
}

} // namespace beeline::guest
