// SPDX-License-Identifier: Apache-2.0
//
// Tagged traffic: one VLAN tag and two, rewritten behind the tags.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host.hpp"
#include "talk.hpp"

namespace beeline::edge {
namespace {

struct Way {
    const char *mode;
    bool v6;
    bool two_tags;
};

std::string name_of(const testing::TestParamInfo<Way> &info) {
    return fmt::format("{}_{}_{}", info.param.mode, info.param.v6 ? "IPv6" : "IPv4",
                       info.param.two_tags ? "QinQ" : "VLAN");
}

void PrintTo(const Way &way, std::ostream *out) {
    *out << way.mode << (way.v6 ? " IPv6" : " IPv4") << (way.two_tags ? " QinQ" : " VLAN");
}

constexpr Way kWays[] = {
    {"native", false, false},  {"native", true, false},  {"native", false, true},  {"native", true, true},
    {"generic", false, false}, {"generic", true, false}, {"generic", false, true}, {"generic", true, true},
};

class EdgeTagged : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        if (const auto made = add(*pair_->a, "va", "probe", "802.1Q", "1"); !made) {
            ASSERT_THAT(made.error().message(), testing::HasSubstr("Unknown device type"));
            GTEST_SKIP() << "this kernel has no VLAN devices (CONFIG_VLAN_8021Q)";
        }
        ASSERT_OK(pair_->a->run({.words = {"ip", "link", "delete", "probe"}}));
        for (const auto &[node, device, number] :
             {std::tuple(pair_->a, std::string("va"), 1), std::tuple(pair_->b, std::string("vb"), 2)}) {
            // Else veth carries the tag beside the frame, where XDP does not see it.
            ASSERT_OK(
                node->run({.words = {"ethtool", "-K", device, "txvlan", "off", "tx-vlan-stag-hw-insert", "off"}}));
            ASSERT_OK(node->set_sysctl("ipv6/conf/default/disable_ipv6", "0"));
            std::string lower = device;
            if (GetParam().two_tags) {
                ASSERT_OK(add(*node, lower, "outer", "802.1ad", "100"));
                lower = "outer";
            }
            ASSERT_OK(add(*node, lower, "tagged", "802.1Q", "7"));
            // A veth takes what is longer than its MTU by one tag, not by two (include/linux/netdevice.h
            // __is_skb_forwardable).
            ASSERT_OK(node->run({.words = {"ip", "link", "set", "tagged", "mtu", "1496"}}));
            ASSERT_OK(
                node->run({.words = {"ip", "address", "add", fmt::format("10.7.0.{}/24", number), "dev", "tagged"}}));
            ASSERT_OK(node->run({.words = {"ip", "-6", "address", "add", fmt::format("fd07::{}/64", number), "dev",
                                           "tagged", "nodad"}}));
        }
    }
    static Result<> add(const lab::Node &node, const std::string &lower, const std::string &name,
                        const std::string &protocol, const std::string &id) {
        BL_CHECK(node.run({.words = {"ip", "link", "add", "link", lower, "name", name, "type", "vlan", "protocol",
                                     protocol, "id", id}}));
        BL_TRY([[maybe_unused]] const auto said, node.run({.words = {"ip", "link", "set", name, "up"}}));
        return {};
    }
    [[nodiscard]] static std::string tags() { return GetParam().two_tags ? "vlan 100 inner-vlan 7" : "vlan 7"; }

    std::unique_ptr<Pair> pair_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeTagged, testing::ValuesIn(kWays), name_of);

TEST_P(EdgeTagged, traffic_is_rewritten_behind_its_tags) {
    ASSERT_VALUE(Host near, pair_->host_a());
    ASSERT_VALUE(Host far, pair_->host_b());
    const std::string udp = tags() + " udp dport 7999 -> rewrite dport 7998";
    const std::string tcp = tags() + " tcp dport 7999 -> rewrite dport 7998";
    ASSERT_OK(far.up({.devices = {"vb"},
                      .rules = {"vlan 8 -> drop", "inner-vlan 8 -> drop", udp, tcp, "vlan none -> drop"},
                      .mode = GetParam().mode}));
    ASSERT_OK(near.up(
        {.devices = {"va"},
         .rules = {tags() + " udp sport 7998 -> rewrite sport 7999", tags() + " tcp sport 7998 -> rewrite sport 7999"},
         .mode = GetParam().mode}));
    expect_good({.client = pair_->a, .server = pair_->b, .to = GetParam().v6 ? "fd07::2" : "10.7.0.2"});
    EXPECT_GE(far.packets(udp), 60U);
    EXPECT_GE(far.packets(tcp), 60U);
}

TEST_P(EdgeTagged, traffic_of_another_VLAN_is_another_rule_s) {
    ASSERT_VALUE(Host far, pair_->host_b());
    ASSERT_OK(far.up({.devices = {"vb"}, .rules = {tags() + " udp dport 7998 -> drop"}, .mode = GetParam().mode}));
    expect_silence({.client = pair_->a,
                    .server = pair_->b,
                    .to = GetParam().v6 ? "fd07::2" : "10.7.0.2",
                    .port = 7998,
                    .transports = {lab::Transport::udp}});
    const std::string other = GetParam().two_tags ? "vlan 100 inner-vlan 9" : "vlan 9";
    ASSERT_OK(far.up({.devices = {"vb"}, .rules = {other + " udp dport 7998 -> drop"}, .mode = GetParam().mode}));
    expect_good({.client = pair_->a,
                 .server = pair_->b,
                 .to = GetParam().v6 ? "fd07::2" : "10.7.0.2",
                 .port = 7998,
                 .transports = {lab::Transport::udp}});
}

TEST(EdgeTagsBeside, are_warned_of_with_the_remedy) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const auto pair, Pair::make({.silent = true}));
    ASSERT_VALUE(Host host, pair->host_b());
    ASSERT_VALUE(const UpReport report, host.up({.devices = {"vb"}, .rules = {"vlan 7 -> drop"}}));
    ASSERT_EQ(report.warnings.size(), 1U);
    EXPECT_THAT(report.warnings[0], testing::HasSubstr("vlan on vb"));
    // Of a veth it is the sender that puts the tag beside the frame.
    EXPECT_THAT(report.warnings[0], testing::HasSubstr("ethtool -K PEER txvlan off"));
}

} // namespace
} // namespace beeline::edge
