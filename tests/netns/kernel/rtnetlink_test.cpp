// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/rtnetlink.hpp>

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class Rtnetlink : public TwoEnds {};

TEST_F(Rtnetlink, lists_devices_with_what_is_known_of_them) {
    ASSERT_VALUE(const auto devices, a_->links().devices());
    const auto lo = std::find_if(devices.begin(), devices.end(), [](const Device &d) { return d.name == "lo"; });
    ASSERT_NE(lo, devices.end());
    EXPECT_TRUE(lo->loopback);
    EXPECT_TRUE(lo->up);
    EXPECT_EQ(lo->ifindex, 1);
    EXPECT_EQ(lo->kind, "");
    ASSERT_VALUE(const Device va, a_->links().device("va"));
    EXPECT_EQ(va.kind, "veth");
    EXPECT_EQ(va.driver, "veth");
    EXPECT_EQ(va.mtu, 1500U);
    EXPECT_TRUE(va.up);
    EXPECT_TRUE(va.carrier);
    EXPECT_FALSE(va.loopback);
    EXPECT_EQ(va.peer, vb_);
    EXPECT_TRUE(va.peer_netns_id) << "the other end is in another namespace";
    EXPECT_TRUE(va.xdp.empty());
}

TEST_F(Rtnetlink, works_where_it_was_opened) {
    ASSERT_VALUE(RtNetlink links, a_->within([] { return RtNetlink::open(); }));
    ASSERT_OK(links.device("va")); // this thread is elsewhere now
    ASSERT_VALUE(RtNetlink outside, RtNetlink::open());
    EXPECT_FALSE(outside.device("va"));
}

TEST_F(Rtnetlink, says_which_devices_there_are) {
    for (const char *name : {"vx", "a-name-that-is-longer-than-a-name-may-be", ""}) {
        const auto device = a_->links().device(name);
        ASSERT_FALSE(device);
        EXPECT_EQ(device.error().code, ENODEV);
        EXPECT_EQ(device.error().remedy, "there are: lo, va") << name;
    }
    EXPECT_EQ(a_->links().device(4711).error().code, ENODEV);
}

TEST_F(Rtnetlink, makes_veth_pairs_to_order) {
    const Mac mac{0x02, 0, 0, 0, 0xbe, 0xe1};
    const VethEnd here{.name = "here", .mac = mac, .mtu = 3000, .rx_queues = 2, .tx_queues = 3};
    const VethEnd there{.name = "there", .netns_fd = b_->netns().fd(), .mtu = 9000};
    ASSERT_OK(a_->links().create_veth(here, there));
    ASSERT_VALUE(const Device made, a_->links().device("here"));
    EXPECT_EQ(made.mac, mac);
    EXPECT_EQ(made.mtu, 3000U);
    EXPECT_EQ(made.num_rx_queues, 2U);
    EXPECT_EQ(made.num_tx_queues, 3U);
    ASSERT_VALUE(const Device other, b_->links().device("there"));
    EXPECT_EQ(other.mtu, 9000U);

    const auto taken = a_->links().create_veth(here, {.name = "x"});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, Kind::conflict);
    ASSERT_OK(a_->links().remove_device(made.ifindex));
    EXPECT_FALSE(b_->links().device("there")) << "a pair goes together";
}

TEST_F(Rtnetlink, makes_a_pair_from_a_third_namespace) {
    ASSERT_VALUE(RtNetlink outside, RtNetlink::open());
    ASSERT_OK(outside.create_veth({.name = "e1", .netns_fd = a_->netns().fd()},
                                  {.name = "e2", .netns_fd = b_->netns().fd()}));
    ASSERT_OK(a_->links().device("e1"));
    ASSERT_OK(b_->links().device("e2"));
    EXPECT_FALSE(outside.device("e1"));
}

TEST_F(Rtnetlink, changes_devices) {
    ASSERT_OK(a_->links().set_up(va_, false));
    ASSERT_OK(a_->links().change(va_, {.mtu = 2000, .mac = Mac{2, 0, 0, 0, 0, 9}, .name = "renamed"}));
    ASSERT_VALUE(const Device changed, a_->links().device("renamed"));
    EXPECT_EQ(changed.ifindex, va_);
    EXPECT_EQ(changed.mtu, 2000U);
    EXPECT_EQ(changed.mac[5], 9);
    EXPECT_FALSE(changed.up);
    ASSERT_OK(a_->links().set_netns(va_, b_->netns().fd()));
    EXPECT_FALSE(a_->links().device("renamed"));
    ASSERT_OK(b_->links().device("renamed"));
}

TEST_F(Rtnetlink, repeats_the_kernels_words) {
    const auto change = a_->links().set_mtu(va_, 70000);
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, EINVAL);
    EXPECT_NE(change.error().what.find("mtu greater than device maximum"), std::string::npos) << change.error().what;
}

TEST_F(Rtnetlink, says_which_kind_of_device_the_kernel_lacks) {
    const auto vlan = a_->links().create_vlan("va.7", va_, 7);
    if (!vlan) {
        EXPECT_EQ(vlan.error().kind, Kind::unsupported);
        EXPECT_EQ(vlan.error().what, "create vlan device va.7: this kernel has no such devices");
    } else {
        ASSERT_VALUE(const Device made, a_->links().device("va.7"));
        EXPECT_EQ(made.peer, va_);
        EXPECT_EQ(made.kind, "vlan");
    }
}

TEST_F(Rtnetlink, adds_addresses_that_work_at_once) {
    ASSERT_OK(a_->add_address("va", "10.66.0.1/24"));
    ASSERT_OK(a_->add_address("va", "2001:db8:66::1/64"));
    ASSERT_VALUE(const auto addresses, a_->links().addresses(va_));
    std::vector<std::string> texts;
    for (const IpPrefix &prefix : addresses)
        texts.push_back(to_string(prefix));
    EXPECT_NE(std::find(texts.begin(), texts.end(), "10.66.0.1/24"), texts.end());
    EXPECT_NE(std::find(texts.begin(), texts.end(), "2001:db8:66::1/64"), texts.end());
    const auto bound = a_->within([] { // binding to a tentative IPv6 address would fail
        const UniqueFd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_in6 name{};
        name.sin6_family = AF_INET6;
        ::inet_pton(AF_INET6, "2001:db8:66::1", &name.sin6_addr);
        return ::bind(socket.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) == 0;
    });
    ASSERT_TRUE(bound);
    EXPECT_TRUE(*bound);
    EXPECT_EQ(a_->add_address("va", "10.66.0.1/24").error().code, EEXIST);
}

/// A datagram arrives over a route by a gateway that only a permanent neighbour entry can find.
TEST_F(Rtnetlink, adds_routes_and_neighbours) {
    ASSERT_OK(a_->add_address("va", "10.66.0.1/24"));
    ASSERT_OK(b_->add_address("vb", "192.0.2.9/32"));
    ASSERT_VALUE(const IpAddress gateway, IpAddress::parse("10.66.0.2"));
    ASSERT_VALUE(const IpPrefix far, IpPrefix::parse("192.0.2.0/24"));
    ASSERT_VALUE(const Device vb, b_->links().device("vb"));
    ASSERT_OK(a_->links().add_neighbour(va_, gateway, vb.mac));
    ASSERT_OK(a_->links().add_route({.to = far, .via = gateway, .ifindex = va_}));

    ASSERT_VALUE(const UniqueFd receiver,
                 b_->within([] { return UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }));
    ASSERT_VALUE(const UniqueFd sender,
                 a_->within([] { return UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(7999);
    ::inet_pton(AF_INET, "192.0.2.9", &name.sin_addr);
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name), 0);
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(receiver.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ASSERT_EQ(::sendto(sender.get(), "bee", 3, 0, reinterpret_cast<const sockaddr *>(&name), sizeof name), 3);
    std::array<char, 8> received{};
    ASSERT_EQ(::recv(receiver.get(), received.data(), received.size(), 0), 3);
    EXPECT_STREQ(received.data(), "bee");

    ASSERT_VALUE(const IpPrefix everywhere, IpPrefix::parse("0.0.0.0/0"));
    ASSERT_OK(a_->links().add_route({.to = everywhere, .via = gateway}));
    EXPECT_EQ(a_->links().add_route({.to = everywhere, .via = gateway}).error().code, EEXIST);
    ASSERT_VALUE(const IpAddress unreachable, IpAddress::parse("172.31.0.1"));
    const auto refused = a_->links().add_route({.to = far, .via = unreachable, .ifindex = 1, .table = 1000});
    ASSERT_FALSE(refused);
}

} // namespace
} // namespace beeline::kernel
