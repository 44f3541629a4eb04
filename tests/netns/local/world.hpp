// SPDX-License-Identifier: Apache-2.0
//
// Where the two ends of a connection are.
#pragma once

#include <string>
#include <vector>

#include <harness/test_net.hpp>

namespace beeline::conformance {

/// One way to run a row.
struct Way {
    bool v6 = false;
    bool apart = false; ///< The ends are in two network namespaces, with a router between; else both on one loopback.
    bool blocking = false;
    bool two_cpus = false; ///< The server end calls on a CPU of its own.

    [[nodiscard]] std::string name() const;
};

/// Non-blocking sockets in all ways, blocking ones in some.
[[nodiscard]] std::vector<Way> all_ways();

/// Three namespaces, client - router - server, by cables. In the router nftables turns the service address and ports
/// from kServicePorts on into the server's, ports from kServerPorts on, and hides the client behind the router.
class [[nodiscard]] World {
public:
    static constexpr std::uint16_t kServicePorts = 80, kServerPorts = 8080; ///< kPorts of each.
    static constexpr std::uint16_t kPorts = 16;

    [[nodiscard]] static Result<World> create();

    [[nodiscard]] const kernel::NetNs &client() const { return client_.netns(); }
    [[nodiscard]] const kernel::NetNs &server() const { return server_.netns(); }
    /// Address a server listens on: loopback when the ends are not apart.
    [[nodiscard]] static std::string server_address(const Way &way);
    [[nodiscard]] static std::string service_address(const Way &way);

private:
    World(harness::TestNet client, harness::TestNet router, harness::TestNet server)
        : client_(std::move(client)), router_(std::move(router)), server_(std::move(server)) {}
    [[nodiscard]] Result<> lay_cables();
    [[nodiscard]] Result<> translate();

    harness::TestNet client_, router_, server_;
};

} // namespace beeline::conformance
