// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/network_monitor.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

using What = NetworkEvent::What;

/// Listens in namespace a. The kernel tells of a change before it says that the change is made, so nothing has to wait.
class Monitor : public TwoEnds {
protected:
    void SetUp() override {
        TwoEnds::SetUp();
        if (HasFatalFailure() || IsSkipped())
            return;
        ASSERT_VALUE(auto monitor, a_->within([] { return NetworkMonitor::open(); }));
        monitor_.emplace(std::move(monitor));
    }
    bool readable() const {
        pollfd file{.fd = monitor_->fd(), .events = POLLIN, .revents = 0};
        return ::poll(&file, 1, 0) == 1;
    }
    std::vector<NetworkEvent> told() {
        auto events = monitor_->drain();
        EXPECT_TRUE(events) << events.error().message();
        return events.value_or(std::vector<NetworkEvent>());
    }
    static bool has(const std::vector<NetworkEvent> &events, const NetworkEvent &event) {
        return std::find(events.begin(), events.end(), event) != events.end();
    }
    static bool has(const std::vector<NetworkEvent> &events, What what) {
        return std::any_of(events.begin(), events.end(), [what](const NetworkEvent &e) { return e.what == what; });
    }
    std::optional<NetworkMonitor> monitor_;
};

TEST_F(Monitor, hears_nothing_where_nothing_happens) {
    (void)told(); // what the pair's coming up still had to say
    ASSERT_OK(b_->links().set_up(vb_));
    EXPECT_TRUE(told().empty());
    EXPECT_FALSE(readable());
}

TEST_F(Monitor, hears_of_devices) {
    (void)told();
    ASSERT_OK(a_->links().create_veth({.name = "new"}, {.name = "other"}));
    ASSERT_VALUE(const int made, a_->ifindex("new"));
    EXPECT_TRUE(readable());
    EXPECT_TRUE(has(told(), {.what = What::link_changed, .ifindex = made, .name = "new", .up = false}));
    ASSERT_OK(a_->links().set_up(made));
    EXPECT_TRUE(has(told(), {.what = What::link_changed, .ifindex = made, .name = "new", .up = true}));
    ASSERT_OK(a_->links().remove_device(made));
    const auto events = told();
    EXPECT_TRUE(std::any_of(events.begin(), events.end(), [made](const NetworkEvent &event) {
        return event.what == What::link_gone && event.ifindex == made && event.name == "new";
    }));
}

TEST_F(Monitor, takes_a_device_that_moves_away_for_gone) {
    (void)told();
    ASSERT_OK(a_->links().set_netns(va_, b_->netns().fd()));
    EXPECT_TRUE(has(told(), What::link_gone));
}

TEST_F(Monitor, does_not_take_a_port_that_leaves_its_bridge_for_gone) {
    const auto bridge = a_->links().create_bridge("br");
    if (!bridge && bridge.error().kind == Kind::unsupported)
        GTEST_SKIP() << bridge.error().message();
    ASSERT_OK(bridge);
    ASSERT_VALUE(const int br, a_->ifindex("br"));
    ASSERT_OK(a_->links().change(va_, {.master = br}));
    (void)told();
    ASSERT_OK(a_->links().change(va_, {.master = 0}));
    const auto events = told();
    EXPECT_TRUE(has(events, What::link_changed));
    EXPECT_FALSE(has(events, What::link_gone));
}

TEST_F(Monitor, hears_of_addresses_and_routes) {
    (void)told();
    ASSERT_VALUE(const IpPrefix address, IpPrefix::parse("10.66.0.1/24"));
    ASSERT_OK(a_->links().add_address(va_, address));
    ASSERT_VALUE(const IpPrefix net, IpPrefix::parse("10.66.0.0/24"));
    const auto first = told();
    EXPECT_TRUE(has(first, {.what = What::address_added, .ifindex = va_, .prefix = address}));
    EXPECT_TRUE(has(first, {.what = What::route_added, .ifindex = va_, .prefix = net}));
    ASSERT_VALUE(const IpPrefix far, IpPrefix::parse("2001:db8:9::/48"));
    ASSERT_OK(a_->links().add_route({.to = far, .ifindex = va_}));
    EXPECT_TRUE(has(told(), {.what = What::route_added, .ifindex = va_, .prefix = far}));
    ASSERT_VALUE(const int status, a_->within([] { return std::system("ip address flush dev va"); }));
    ASSERT_EQ(status, 0);
    const auto last = told();
    EXPECT_TRUE(has(last, {.what = What::address_removed, .ifindex = va_, .prefix = address}));
    EXPECT_TRUE(has(last, {.what = What::route_removed, .ifindex = va_, .prefix = net}));
}

TEST_F(Monitor, says_when_it_missed_something_and_goes_on) {
    const int least = 1; // the kernel makes that the smallest it has
    ASSERT_EQ(::setsockopt(monitor_->fd(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    for (std::uint32_t mtu = 1400; mtu < 1430; ++mtu)
        ASSERT_OK(a_->links().set_mtu(va_, mtu));
    EXPECT_TRUE(has(told(), What::missed));
    ASSERT_OK(a_->links().set_mtu(va_, 1450));
    const auto after = told();
    EXPECT_TRUE(has(after, What::link_changed));
    EXPECT_FALSE(has(after, What::missed));
}

} // namespace
} // namespace beeline::kernel
