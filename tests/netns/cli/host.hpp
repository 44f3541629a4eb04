// SPDX-License-Identifier: Apache-2.0
//
// A host for the program: a network namespace with a device, a neighbour to send packets from, and a bpffs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <harness/packet.hpp>
#include <harness/temp_bpffs.hpp>
#include <harness/test_net.hpp>

#include "netns/cli/program.hpp"

namespace beeline::cli_test {

using Json = nlohmann::json;

class Host : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Writes a file into the test's own directory; returns its path.
    std::string write(const std::string &name, const std::string &text) const;
    [[nodiscard]] std::string path(const std::string &name) const { return (directory_ / name).string(); }
    /// The frames as a pcap file, each cut to snap bytes.
    std::string capture(const std::vector<harness::Bytes> &frames, std::size_t snap = 65535) const;
    /// A config with pins and socket of this host, device va and these rules.
    std::string config(const std::vector<std::string> &rules, const std::string &more = {},
                       const std::string &name = "beeline.toml") const;
    [[nodiscard]] std::string pins() const { return (bpffs_->path() / "beeline").string(); }
    [[nodiscard]] std::string socket() const { return path("beeline.sock"); }

    /// The program, here; --pins is added.
    Ended beeline(std::vector<std::string> arguments, How how = {}) const;
    /// The same; must end with this status.
    void expect(int status, const std::vector<std::string> &arguments, How how = {}) const;
    /// The daemon with this config, up and answering.
    std::unique_ptr<Background> daemon(const std::string &config, const std::vector<std::string> &more = {}) const;

    /// `status --json` of the edge.
    Json status() const;
    /// Packets that rules decided so far, by rule text.
    std::uint64_t packets(const std::string &rule) const;
    /// Sends frames from the neighbour; they arrive on va.
    void send(const harness::Bytes &frame, unsigned count = 1);
    /// True once condition holds; false when it still does not after half a minute.
    static bool eventually(const std::function<bool()> &condition) { return eventually_within(30, condition); }
    static bool eventually_within(int seconds, const std::function<bool()> &condition);

    std::optional<harness::TestNet> net_, neighbour_;
    std::optional<harness::TempBpffs> bpffs_;
    std::filesystem::path directory_;
    kernel::UniqueFd sender_;
};

/// A packet socket bound to a device of the calling thread's namespace.
[[nodiscard]] Result<kernel::UniqueFd> packet_socket(const char *device);

/// A UDP packet to a port.
[[nodiscard]] harness::Bytes udp(std::uint16_t dport);

} // namespace beeline::cli_test
