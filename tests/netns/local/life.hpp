// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the life of [local] share: it is up for the sockets that this process makes from then on.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/local/local.hpp>
#include <harness/assert.hpp>
#include <harness/cleanup.hpp>
#include <harness/temp_bpffs.hpp>
#include <netns/local/beeline.hpp>
#include <netns/local/flow.hpp>

namespace beeline::conformance {

/// Both ends of a connection on the loopback device, non-blocking.
struct Link {
    kernel::UniqueFd client, server;
};

/// Listens on 127.0.0.1, on a port that the kernel chooses.
[[nodiscard]] Result<kernel::UniqueFd> listen_here();
[[nodiscard]] std::uint16_t port_of(int fd);
[[nodiscard]] Result<Link> connect_here(int listener);
[[nodiscard]] Result<std::vector<Link>> connect_here(int listener, std::size_t count);

/// One message each way, so many times. False when one did not arrive whole.
[[nodiscard]] bool exchange(const Link &link, int times = 1);
/// What there is to read, without waiting for more than its first byte.
[[nodiscard]] std::string read_now(int fd, std::size_t size = 65536);
/// Whether it comes true within a minute: sockets enter when they are seen read empty, which busy ones on a busy host
/// seldom are.
[[nodiscard]] bool until(const std::function<bool()> &condition);

/// Random sizes both ways on all links at once, in a thread of its own, until finish().
class Traffic {
public:
    explicit Traffic(const std::vector<Link> &links);
    /// So many bytes more are read, in all. False when none is for a minute.
    [[nodiscard]] bool carries(std::uint64_t bytes);
    /// Sends no more and reads what was sent; "" when it was all there.
    [[nodiscard]] std::string finish();

private:
    std::vector<Flow> flows_;
    std::atomic<std::uint64_t> read_ = 0;
    std::jthread thread_;
};

class LocalLife : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] Result<local::UpReport> up(const std::vector<std::string> &rules = {"fallback -> accelerate"});
    /// The daemon's part.
    [[nodiscard]] Result<> tend();
    void stop_tending() { tending_ = {}; }

    [[nodiscard]] std::vector<local::Connection> connections() const;
    [[nodiscard]] std::size_t count(local::State state) const;
    /// Ends in the sockhash.
    [[nodiscard]] std::size_t filed() const;
    [[nodiscard]] std::uint64_t redirected() const;                 ///< Bytes, of live connections.
    [[nodiscard]] std::uint64_t redirected(const Link &link) const; ///< Of its client.
    [[nodiscard]] std::uint64_t reason(const std::string &name) const;
    /// Exchanges until the short cut carries what the link sends.
    [[nodiscard]] bool takes_the_short_cut(const Link &link) const;

    std::optional<kernel::Cgroup> home_, cgroup_;
    std::optional<harness::OnExit> cgroup_cleanup_;
    std::optional<harness::TempBpffs> bpffs_;
    std::filesystem::path pins_;
    std::optional<local::Local> local_;
    local::Policy policy_; ///< Of the last up().
    std::uint32_t room_ = 65536;
    std::jthread tending_;
};

} // namespace beeline::conformance
