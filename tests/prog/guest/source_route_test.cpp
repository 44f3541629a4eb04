// SPDX-License-Identifier: Apache-2.0
//
// A packet that names the way it wants to go, in IPv4 options or an IPv6 routing header, would not end where the rules
// think. Hosts refuse these by default; so do guests' programs.
#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class SourceRoute : public World {
protected:
    Packet four(const char *src, const char *dst, const char *options) {
        return Eth{} / Ip4{.src = src, .dst = dst, .options = from_hex(options)} / Udp{.dport = 53};
    }
};

constexpr const char *kLoose = "830704c6336402";  ///< LSRR by 198.51.100.2
constexpr const char *kStrict = "890704c6336402"; ///< SSRR

TEST_F(SourceRoute, in_options_is_dropped_whatever_stands_before_it) {
    const std::vector<std::string> options{
        kLoose,
        kStrict,
        std::string("01") + kLoose,         // no-operation
        std::string("94040000") + kStrict,  // router alert
        std::string("0703040101") + kLoose, // a record of the route, and padding
        "83",                               // cut short: it is one all the same
    };
    for (const std::string &text : options)
        EXPECT_EQ(out(kWeb, four(kWeb4, kWorld4, text.c_str()).bytes()).verdict, kDrop) << text;
    EXPECT_EQ(counted(), (Counted{{"source_route", options.size()}}));
    EXPECT_EQ(flows().size(), 0u);
}

TEST_F(SourceRoute, is_no_other_option) {
    for (const char *text : {"94040000", "01010101", "0703040100", "44080500000000000100", "00830704c6336402"})
        EXPECT_EQ(out(kWeb, four(kWeb4, kWorld4, text).bytes()).verdict, kRedirect) << text;
    EXPECT_EQ(counted(), Counted{});
    for (const char *text : {"9400", "9401", "94ff0000"}) // lengths that cannot be hide what stands behind them
        EXPECT_EQ(out(kWeb, four(kWeb4, kWorld4, text).bytes()).verdict, kDrop) << text;
    EXPECT_EQ(counted(), (Counted{{"malformed", 3}}));
}

TEST_F(SourceRoute, is_dropped_on_every_way_and_left_to_the_host_where_it_is_the_hosts) {
    EXPECT_EQ(out(kWeb, four(kWeb4, kMail4, kLoose).bytes()).verdict, kDrop);
    EXPECT_EQ(out(kWeb, four(kWeb4, kBack4, kLoose).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kWeb, four(kBack4, kWeb4, kLoose).bytes()).verdict, kDrop);
    EXPECT_EQ(wire(four(kWorld4, kWeb4, kLoose).bytes()).verdict, kDrop);
    EXPECT_EQ(wire(four(kWorld4, kHost4, kLoose).bytes()).verdict, kNext);
    EXPECT_EQ(counted(), (Counted{{"source_route", 5}}));
}

TEST_F(SourceRoute, does_not_follow_a_flow_that_is_allowed) {
    const Packet header = Eth{} / Ip4{.src = kWeb4, .dst = kWorld4};
    EXPECT_EQ(out(kWeb, (header / Udp{.dport = 53}).bytes()).verdict, kRedirect);
    EXPECT_EQ(out(kWeb, four(kWeb4, kWorld4, kLoose).bytes()).verdict, kDrop);
    const auto later =
        Ip4{.src = kWeb4, .dst = kWorld4, .id = 7, .offset = 3, .options = from_hex(kLoose), .proto = 17};
    EXPECT_EQ(out(kWeb, (Eth{} / later / Payload(std::size_t{32})).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"source_route", 2}}));
}

TEST_F(SourceRoute, in_a_routing_header_is_dropped_while_segments_are_left) {
    const Packet header = Eth{} / Ip6{.src = kWeb6, .dst = kWorld6};
    const auto routing = [](std::uint8_t type, std::uint8_t left) {
        return Ext{.proto = 43, .units = 2, .third = type, .fourth = left};
    };
    const std::vector<Packet> dropped{header / routing(0, 1) / Udp{},
                                      header / routing(2, 1) / Udp{},
                                      header / routing(4, 2) / Tcp{},
                                      header / Ext{.proto = 0} / routing(0, 1) / Udp{},
                                      header / Ext{.proto = 60} / routing(0, 1) / Icmp6{.type = 128},
                                      header / Frag6{.more = true} / routing(0, 1) / Udp{}};
    for (const Packet &packet : dropped)
        EXPECT_EQ(out(kWeb, packet.bytes()).verdict, kDrop) << hex(packet.bytes());
    EXPECT_EQ(out(kWeb, (header / routing(0, 0) / Udp{}).bytes()).verdict, kRedirect) << "it is where it wanted to go";
    const Packet inward = Eth{} / Ip6{.src = kWorld6, .dst = kWeb6} / routing(0, 1) / Udp{};
    EXPECT_EQ(in(kWeb, inward.bytes()).verdict, kDrop);
    EXPECT_EQ(wire(inward.bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"source_route", dropped.size() + 2}}));
}

TEST_F(SourceRoute, is_dropped_between_guests_without_rules) {
    open(kWeb);
    open(kMail);
    const Packet six = Eth{} / Ip6{.src = kWeb6, .dst = kMail6};
    const Ext routing{.proto = 43, .fourth = 1};
    for (const Packet &packet : {four(kWeb4, kMail4, kLoose), six / routing / Udp{}, six / Ext{} / routing / Udp{},
                                 six / Frag6{.more = true} / routing / Udp{}})
        EXPECT_EQ(out(kWeb, packet.bytes()).verdict, kDrop) << hex(packet.bytes());
    EXPECT_EQ(counted(), (Counted{{"source_route", 4}}));
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{}).bytes()).verdict, kPass);
    EXPECT_EQ(out(kWeb, (six / Udp{}).bytes()).verdict, kPass);
    EXPECT_EQ(flows().size(), 0u) << "these need no flow";
}

} // namespace
} // namespace beeline::guest::test
