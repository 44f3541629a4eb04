// SPDX-License-Identifier: Apache-2.0
//
// What guests need of addresses and routes. The words of `ip` are the second opinion.
#include <beeline/kernel/rtnetlink.hpp>

#include <array>
#include <cstdio>
#include <memory>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

std::string output(const std::string &command) {
    struct Close {
        void operator()(FILE *pipe) const { ::pclose(pipe); }
    };
    const std::unique_ptr<FILE, Close> pipe(::popen(command.c_str(), "r"));
    std::string text;
    std::array<char, 512> line{};
    while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr)
        text += line.data();
    return text;
}

class GuestRoute : public TwoEnds {
protected:
    static std::string show(const harness::TestNet &net, const std::string &what) {
        const auto text = net.within([&what] { return output("ip " + what); });
        return text ? *text : text.error().message();
    }
    Result<> add(const std::string &to, Route route) {
        BL_TRY(route.to, IpPrefix::parse(to));
        return a_->links().add_route(route);
    }
};

TEST_F(GuestRoute, leads_to_one_address_behind_a_device) {
    ASSERT_OK(a_->add_address("va", "10.66.0.1/32"));
    ASSERT_VALUE(const IpAddress source, IpAddress::parse("10.66.0.1"));
    ASSERT_OK(add("10.88.0.2/32", {.ifindex = va_, .source = source, .mtu = 1400}));
    const std::string route = show(*a_, "-4 route show 10.88.0.2");
    EXPECT_NE(route.find("10.88.0.2 dev va"), std::string::npos) << route;
    EXPECT_NE(route.find("src 10.66.0.1 mtu 1400"), std::string::npos) << route;
    ASSERT_OK(add("2001:db8:88::2/128", {.ifindex = va_, .mtu = 1300}));
    const std::string six = show(*a_, "-6 route show 2001:db8:88::2");
    EXPECT_NE(six.find("2001:db8:88::2 dev va"), std::string::npos) << six;
    EXPECT_NE(six.find("mtu 1300"), std::string::npos) << six;
}

TEST_F(GuestRoute, takes_everything_to_a_device_without_a_gateway) {
    ASSERT_OK(add("0.0.0.0/0", {.ifindex = va_}));
    ASSERT_OK(add("::/0", {.ifindex = va_}));
    EXPECT_EQ(show(*a_, "-4 route show default").find("default dev va"), 0U);
    EXPECT_EQ(show(*a_, "-6 route show default").find("default dev va"), 0U);
}

TEST_F(GuestRoute, reaches_a_gateway_that_no_address_of_ours_is_near_only_when_told_so) {
    ASSERT_OK(a_->add_address("va", "10.66.0.1/32"));
    ASSERT_VALUE(const IpAddress gateway, IpAddress::parse("169.254.1.1"));
    EXPECT_FALSE(add("0.0.0.0/0", {.via = gateway, .ifindex = va_}));
    ASSERT_OK(add("0.0.0.0/0", {.via = gateway, .ifindex = va_, .onlink = true}));
    const std::string route = show(*a_, "-4 route show default");
    EXPECT_NE(route.find("default via 169.254.1.1 dev va"), std::string::npos) << route;
    EXPECT_NE(route.find("onlink"), std::string::npos) << route;
}

TEST_F(GuestRoute, by_default_tells_the_uplinks) {
    EXPECT_EQ(a_->links().default_route_devices(), std::vector<int>());
    ASSERT_OK(add("10.0.0.0/8", {.ifindex = va_}));
    EXPECT_EQ(a_->links().default_route_devices(), std::vector<int>()) << "no default route";
    ASSERT_OK(a_->links().create_veth({.name = "up1"}, {.name = "up2"}));
    ASSERT_VALUE(const int up1, a_->ifindex("up1"));
    ASSERT_VALUE(const int up2, a_->ifindex("up2"));
    ASSERT_OK(a_->links().set_up(up1));
    ASSERT_OK(a_->links().set_up(up2));
    EXPECT_EQ(show(*a_, "route add default dev up1 metric 500"), "");
    ASSERT_OK(add("0.0.0.0/0", {.ifindex = va_}));
    EXPECT_EQ(a_->links().default_route_devices(), (std::vector{va_, up1})) << "lowest metric first";
    EXPECT_EQ(show(*a_, "route replace default nexthop dev up2 nexthop dev up1"), "");
    EXPECT_EQ(a_->links().default_route_devices(), (std::vector{up2, up1})) << "each once";
    EXPECT_EQ(show(*a_, "-6 route add default dev va metric 9"), "");
    EXPECT_EQ(a_->links().default_route_devices(), (std::vector{up2, up1, va_})) << "IPv6, too";
    EXPECT_EQ(show(*a_, "route add unreachable default metric 7"), "");
    EXPECT_EQ(a_->links().default_route_devices(), (std::vector{up2, up1, va_})) << "leads nowhere";
}

TEST_F(GuestRoute, needs_no_link_local_address) {
    ASSERT_OK(a_->links().create_veth({.name = "quiet"}, {.name = "loud"}));
    ASSERT_VALUE(const int quiet, a_->ifindex("quiet"));
    ASSERT_VALUE(const int loud, a_->ifindex("loud"));
    ASSERT_OK(a_->links().set_ipv6_link_local(quiet, false));
    ASSERT_OK(a_->links().set_up(quiet));
    ASSERT_OK(a_->links().set_up(loud));
    EXPECT_EQ(show(*a_, "-6 address show dev quiet"), "");
    EXPECT_NE(show(*a_, "-6 address show dev loud"), "") << "the other has one by itself";
    ASSERT_OK(a_->links().set_ipv6_link_local(quiet, true));
    ASSERT_OK(a_->links().set_up(quiet, false));
    ASSERT_OK(a_->links().set_up(quiet));
    EXPECT_NE(show(*a_, "-6 address show dev quiet"), "");
}

TEST_F(GuestRoute, finds_its_neighbour_without_asking) {
    ASSERT_VALUE(const IpAddress neighbour, IpAddress::parse("2001:db8:88::2"));
    ASSERT_OK(a_->links().add_neighbour(va_, neighbour, {2, 0, 0, 0, 0, 7}));
    const std::string entry = show(*a_, "-6 neighbour show dev va");
    EXPECT_NE(entry.find("2001:db8:88::2 lladdr 02:00:00:00:00:07 PERMANENT"), std::string::npos) << entry;
}

} // namespace
} // namespace beeline::kernel
