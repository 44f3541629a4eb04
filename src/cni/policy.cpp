// SPDX-License-Identifier: Apache-2.0
//
// The guest that a network configuration describes.
#include <fmt/format.h>

#include <beeline/guest/parse.hpp>
#include <beeline/rules/values.hpp>

#include "cni/request.hpp"

namespace beeline::cni {
namespace {

using guest::Mode;
using guest::Policy;

Answer<Mode> read_mode(const Json &config) {
    const std::string text = config.contains("mode") && config["mode"].is_string() ? config["mode"] : "auto";
    if (text == "auto")
        return Mode::automatic;
    if (text == "netkit-l3")
        return Mode::netkit_l3;
    if (text == "netkit-l2")
        return Mode::netkit_l2;
    if (text == "veth")
        return Mode::veth;
    return refuse(Code::config, fmt::format("unknown mode '{}'", text), "auto, netkit-l3, netkit-l2 or veth");
}

Answer<std::vector<std::string>> read_texts(const Json &config, const char *key) {
    std::vector<std::string> texts;
    if (!config.contains(key))
        return texts;
    if (!config[key].is_array())
        return refuse(Code::config, fmt::format("{} is no list of texts", key));
    for (const Json &one : config[key]) {
        if (!one.is_string())
            return refuse(Code::config, fmt::format("{} is no list of texts", key));
        texts.push_back(one);
    }
    return texts;
}

Answer<> read_rules(const Json &config, Policy &policy) {
    BL_TRY(auto texts, read_texts(config, "rules"));
    std::vector<rules::SourceString> sources;
    for (std::string &text : texts)
        sources.emplace_back(std::move(text), fmt::format("rule {}", sources.size() + 1));
    rules::Diagnostics diagnostics;
    policy::ParsedRules parsed = guest::parse_rules(sources, {}, diagnostics);
    for (const rules::Diagnostic &diagnostic : diagnostics)
        if (diagnostic.severity == rules::Severity::error)
            return refuse(Code::config, "rules: " + diagnostic.message,
                          fmt::format("{}: {}", diagnostic.where.file, diagnostic.hint));
    policy.rules = std::move(parsed.rules);
    policy.sets = std::move(parsed.sets);
    return {};
}

/// runtimeConfig.portMappings, as CONVENTIONS.md of the specification has it.
Answer<> read_ports(const Json &mappings, Policy &policy) {
    if (!mappings.is_array())
        return refuse(Code::config, "portMappings is no list");
    for (const Json &one : mappings) {
        const auto port = [&](const char *key) { return one.is_object() ? one.value(key, Json()) : Json(); };
        const Json host = port("hostPort"), inside = port("containerPort");
        const auto good = [](const Json &json) {
            return json.is_number_integer() && json.get<std::int64_t>() >= 1 && json.get<std::int64_t>() <= 65535;
        };
        if (host.is_number_integer() && host.get<std::int64_t>() == 0)
            continue; // a port that is not published
        if (!good(host) || !good(inside))
            return refuse(Code::config, "a port mapping without hostPort or containerPort", "1 to 65535");
        const std::string proto = one.value("protocol", "tcp");
        if (proto != "tcp" && proto != "udp")
            return refuse(Code::unsupported_field, fmt::format("port mapping of protocol '{}'", proto), "tcp or udp");
        guest::Publish publish{.address = {},
                               .host_port = host.get<std::uint16_t>(),
                               .guest_port = inside.get<std::uint16_t>(),
                               .proto = static_cast<std::uint8_t>(proto == "tcp" ? 6 : 17)};
        const std::string address = one.value("hostIP", "");
        if (!address.empty() && address != "0.0.0.0" && address != "::") {
            const auto parsed = rules::read_address(address);
            if (!parsed)
                return refuse(Code::config, "hostIP: " + parsed.error().what);
            publish.address = kernel::IpAddress{.v6 = parsed->v6, .bytes = parsed->address};
        }
        policy.publish.push_back(publish);
    }
    return {};
}

Answer<> read_runtime(const Json &config, Policy &policy) {
    if (!config.contains("runtimeConfig") || !config["runtimeConfig"].is_object())
        return {};
    const Json &runtime = config["runtimeConfig"];
    if (runtime.contains("portMappings"))
        BL_CHECK(read_ports(runtime["portMappings"], policy));
    if (runtime.contains("mac") && runtime["mac"].is_string()) {
        const auto mac = kernel::parse_mac(runtime["mac"].get<std::string>());
        if (!mac)
            return refuse(Code::config, "mac: " + mac.error().what);
        policy.mac = *mac;
    }
    return {};
}

} // namespace

Answer<Policy> read_policy(const Request &request) {
    const Json &config = request.config;
    Policy policy;
    policy.name = request.guest();
    policy.place = {.by = guest::Place::By::netns, .name = request.netns};
    policy.device = request.attachment.device;
    policy.host_device = host_device(request.network, request.attachment);
    BL_TRY(auto mode, read_mode(config));
    policy.mode = mode;
    if (config.contains("mtu")) {
        if (!config["mtu"].is_number_integer() || config["mtu"].get<std::int64_t>() < guest::kMinMtu ||
            config["mtu"].get<std::int64_t>() > guest::kMaxMtu)
            return refuse(Code::config, "mtu is no number of bytes",
                          fmt::format("{} to {}", guest::kMinMtu, guest::kMaxMtu));
        policy.mtu = config["mtu"].get<std::uint32_t>();
    }
    for (const char *key : {"masquerade", "ipMasq"}) {
        if (!config.contains(key))
            continue;
        if (!config[key].is_boolean())
            return refuse(Code::config, fmt::format("{} is neither true nor false", key));
        policy.masquerade = config[key];
    }
    BL_CHECK(read_rules(config, policy));
    BL_CHECK(read_runtime(config, policy));
    return policy;
}

Answer<guest::HostSettings> read_settings(const Request &request) {
    guest::HostSettings settings;
    BL_TRY(auto uplinks, read_texts(request.config, "uplinks"));
    settings.uplinks = std::move(uplinks);
    return settings;
}

} // namespace beeline::cni
