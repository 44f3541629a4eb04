// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <array>
#include <chrono>

#include <fmt/format.h>

#include <beeline/kernel/command.hpp>
#include <beeline/kernel/sysctl.hpp>

namespace beeline::conformance {
namespace {

/// Destination and source are translated, ports as well.
std::string rules() {
    std::string lines;
    for (int i = 0; i < World::kPorts; ++i) {
        const int from = World::kServicePorts + i, to = World::kServerPorts + i;
        lines += fmt::format("ip daddr 192.0.2.80 tcp dport {} dnat ip to 198.51.100.2:{}\n", from, to);
        lines += fmt::format("ip6 daddr 2001:db8:80::1 tcp dport {} dnat ip6 to [2001:db8:2::2]:{}\n", from, to);
    }
    return fmt::format(R"(
table inet service {{
    chain in {{
        type nat hook prerouting priority dstnat;
        {}
    }}
    chain out {{
        type nat hook postrouting priority srcnat;
        oifname "server" ct status dnat masquerade
    }}
}})",
                       lines);
}

/// An address on a device, usable at once; for hosts (gateway not empty) with a default route as well.
Result<> address(harness::TestNet &net, const std::string &device, const std::string &with_bits,
                 const std::string &gateway = {}) {
    BL_CHECK(net.add_address(device, with_bits));
    BL_TRY(const kernel::IpPrefix prefix, kernel::IpPrefix::parse(with_bits));
    BL_TRY(const bool local, net.links().wait_until_local(prefix.address, std::chrono::seconds(5)));
    if (!local)
        return fail(Kind::host, 0, with_bits + " does not become local");
    if (gateway.empty())
        return {};
    BL_TRY(const int ifindex, net.ifindex(device));
    const bool v6 = gateway.find(':') != std::string::npos;
    BL_TRY(const kernel::IpPrefix everything, kernel::IpPrefix::parse(v6 ? "::/0" : "0.0.0.0/0"));
    BL_TRY(const kernel::IpAddress via, kernel::IpAddress::parse(gateway));
    return net.links().add_route({.to = everything, .via = via, .ifindex = ifindex});
}

} // namespace

std::string Way::name() const {
    return fmt::format("{}, {}, {}, {}", v6 ? "IPv6" : "IPv4", apart ? "two namespaces" : "one namespace",
                       blocking ? "blocking" : "non-blocking", two_cpus ? "two CPUs" : "one CPU");
}

std::vector<Way> all_ways() {
    std::vector<Way> ways;
    for (const bool v6 : {false, true})
        for (const bool apart : {false, true})
            for (const bool two_cpus : {false, true})
                ways.push_back({.v6 = v6, .apart = apart, .blocking = false, .two_cpus = two_cpus});
    ways.push_back({.v6 = false, .apart = false, .blocking = true, .two_cpus = false});
    ways.push_back({.v6 = true, .apart = true, .blocking = true, .two_cpus = true});
    return ways;
}

std::string World::server_address(const Way &way) {
    if (way.apart)
        return way.v6 ? "2001:db8:2::2" : "198.51.100.2";
    return way.v6 ? "::1" : "127.0.0.1";
}

std::string World::service_address(const Way &way) {
    return way.v6 ? "2001:db8:80::1" : "192.0.2.80";
}

Result<World> World::create() {
    BL_TRY(auto client, harness::TestNet::create("client"));
    BL_TRY(auto router, harness::TestNet::create("router"));
    BL_TRY(auto server, harness::TestNet::create("server"));
    World world(std::move(client), std::move(router), std::move(server));
    BL_CHECK(world.lay_cables());
    BL_CHECK(world.translate());
    return world;
}

Result<> World::lay_cables() {
    for (const harness::TestNet *net : {&client_, &router_, &server_}) // Else the first packets wait for seconds.
        BL_CHECK(net->within([] { return kernel::write_net_sysctl("ipv6/conf/default/accept_dad", "0"); }));
    BL_CHECK(harness::connect(client_, "up", router_, "client"));
    BL_CHECK(harness::connect(server_, "up", router_, "server"));
    BL_CHECK(address(router_, "client", "203.0.113.1/24"));
    BL_CHECK(address(router_, "client", "2001:db8:1::1/64"));
    BL_CHECK(address(router_, "server", "198.51.100.1/24"));
    BL_CHECK(address(router_, "server", "2001:db8:2::1/64"));
    BL_CHECK(address(client_, "up", "203.0.113.2/24", "203.0.113.1"));
    BL_CHECK(address(client_, "up", "2001:db8:1::2/64", "2001:db8:1::1"));
    BL_CHECK(address(server_, "up", "198.51.100.2/24", "198.51.100.1"));
    BL_CHECK(address(server_, "up", "2001:db8:2::2/64", "2001:db8:2::1"));
    return router_.within([]() -> Result<> {
        BL_CHECK(kernel::write_net_sysctl("ipv4/ip_forward", "1"));
        return kernel::write_net_sysctl("ipv6/conf/all/forwarding", "1");
    });
}

Result<> World::translate() {
    return router_.within([]() -> Result<> {
        BL_TRY([[maybe_unused]] const std::string output,
               kernel::run_checked({.words = {"nft", "-f", "-"}, .input = rules()}));
        return {};
    });
}

} // namespace beeline::conformance
