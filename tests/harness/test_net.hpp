// SPDX-License-Identifier: Apache-2.0
//
// Network namespaces and veth pairs of the test's own.
#pragma once

#include <string>
#include <string_view>

#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <harness/cleanup.hpp>

namespace beeline::harness {

/// A named namespace with lo up. The name is unique_name(suffix), so `ip -n NAME` shows it while the test stands still.
class [[nodiscard]] TestNet {
public:
    [[nodiscard]] static Result<TestNet> create(std::string_view suffix);

    [[nodiscard]] const kernel::NetNs &netns() const { return netns_; }
    /// rtnetlink inside.
    [[nodiscard]] kernel::RtNetlink &links() { return links_; }
    /// Runs f inside, in this thread.
    template <class F>
    [[nodiscard]] auto within(F &&f) const {
        return netns_.within(std::forward<F>(f));
    }
    /// ifindex of a device in it.
    [[nodiscard]] Result<int> ifindex(std::string_view device);
    /// Address (with /bits) on a device of it.
    [[nodiscard]] Result<> add_address(std::string_view device, std::string_view address);

private:
    TestNet(kernel::NetNs netns, kernel::RtNetlink links, OnExit cleanup)
        : cleanup_(std::move(cleanup)), netns_(std::move(netns)), links_(std::move(links)) {}
    OnExit cleanup_;
    kernel::NetNs netns_;
    kernel::RtNetlink links_;
};

/// A veth pair, one end in each namespace (may be the same), both up.
struct VethOptions {
    std::uint32_t queues = 1;
    std::uint32_t mtu = 1500;
};
[[nodiscard]] Result<> connect(TestNet &a, const std::string &name_a, TestNet &b, const std::string &name_b,
                               const VethOptions &options = {});

} // namespace beeline::harness
