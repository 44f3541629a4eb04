// SPDX-License-Identifier: Apache-2.0
//
// A client and a server of the demo: they talk over both transports and both families, and whatever lies between them
// has to keep every byte and every checksum.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/demo.hpp"

namespace beeline::lab {

class [[nodiscard]] Meeting {
public:
    /// server listens at both of its addresses, on port, its threads on the stage's CPU. Both nodes may be the same.
    [[nodiscard]] static Result<Meeting> arrange(const Stage &stage, const Node *client, const Node *server,
                                                 const std::string &v4, const std::string &v6, std::uint16_t port);

    [[nodiscard]] const Node &client() const { return *client_; }
    [[nodiscard]] const Node &server() const { return *server_; }
    [[nodiscard]] const std::string &v4() const { return addresses_[0]; }
    [[nodiscard]] const std::string &v6() const { return addresses_[1]; }

    /// The client talks to that port, UDP and TCP, IPv4 and IPv6; two checks: payload hashes and InCsumErrors, at both
    /// ends. name: of the way there. max_udp: above 1400 there are fragments.
    [[nodiscard]] Result<> prove(Stage &stage, std::string_view name, std::uint16_t port,
                                 std::size_t max_udp = 1400) const;

    /// Of 64-byte messages over IPv4, microseconds; the spread is from the 1st to the 99th percentile.
    struct RoundTrips {
        Spread udp, tcp;
    };
    [[nodiscard]] Result<RoundTrips> time(const Stage &stage, std::uint16_t port) const;

    /// Small messages until everybody knows his neighbour's MAC address; before, packets may be lost.
    [[nodiscard]] Result<> introduce(std::uint16_t port) const;

private:
    Meeting(const Node *client, const Node *server, std::vector<std::string> addresses)
        : client_(client), server_(server), addresses_(std::move(addresses)) {}
    [[nodiscard]] std::uint64_t damaged() const;
    [[nodiscard]] Result<std::int64_t> checksum_errors_of_both() const;

    const Node *client_;
    const Node *server_;
    std::vector<std::string> addresses_;
    std::vector<std::unique_ptr<EchoServer>> servers_;
};

/// A row of the small table of round trips.
void show_round_trips(Report &report, const std::string &label, const Meeting::RoundTrips &times);
/// Two lines of the table at the end; label: "rewrite on lo".
void compare_round_trips(Report &report, const std::string &label, const Meeting::RoundTrips &stock,
                         const Meeting::RoundTrips &beeline);

} // namespace beeline::lab
