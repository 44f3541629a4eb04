// SPDX-License-Identifier: Apache-2.0
//
// ethtool, and what is known about XDP on a device before anything is attached.
#include <beeline/kernel/device.hpp>

#include <cerrno>

#include <beeline/kernel/link.hpp>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class Devices : public TwoEnds {
protected:
    Devices() { options_.queues = 2; }
    void SetUp() override {
        TwoEnds::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_VALUE(auto ethtool, a_->within([] { return Ethtool::open(); }));
        ethtool_.emplace(std::move(ethtool));
    }
    std::optional<Ethtool> ethtool_;
};

TEST_F(Devices, have_drivers) {
    ASSERT_VALUE(const std::string veth, ethtool_->driver("va"));
    EXPECT_EQ(veth, "veth");
    EXPECT_EQ(ethtool_->driver("nothing").error().code, ENODEV);
}

TEST_F(Devices, switch_offloads_by_ethtools_words) {
    for (const Offload offload :
         {Offload::tx_checksum, Offload::tso, Offload::gro, Offload::tx_vlan, Offload::rx_vlan}) {
        ASSERT_VALUE(const OffloadState before, ethtool_->offload("va", offload));
        EXPECT_FALSE(before.fixed) << ethtool_word(offload);
        for (const bool on : {!before.on, before.on, before.on}) {
            ASSERT_OK(ethtool_->set_offload("va", offload, on));
            ASSERT_VALUE(const OffloadState now, ethtool_->offload("va", offload));
            EXPECT_EQ(now.on, on) << ethtool_word(offload);
        }
    }
}

TEST_F(Devices, say_when_an_offload_is_fixed) {
    const auto lro = ethtool_->set_offload("va", Offload::lro, true);
    ASSERT_FALSE(lro);
    EXPECT_EQ(lro.error().message(), "switch lro on on va: fixed by the driver");
    ASSERT_OK(ethtool_->set_offload("va", Offload::lro, false)); // it is off
}

TEST_F(Devices, list_features_channels_and_statistics) {
    ASSERT_VALUE(const auto features, ethtool_->features("va"));
    EXPECT_TRUE(features.contains("tx-checksum-ip-generic"));
    ASSERT_VALUE(const Channels channels, ethtool_->channels("va"));
    EXPECT_EQ(channels.rx, 2U);
    EXPECT_EQ(channels.max_tx, 2U);
    ASSERT_OK(ethtool_->set_channels("va", {.rx = 1, .tx = 1}));
    ASSERT_VALUE(const Channels fewer, ethtool_->channels("va"));
    EXPECT_EQ(fewer.rx, 1U);
    ASSERT_VALUE(const auto statistics, ethtool_->statistics("va"));
    EXPECT_TRUE(statistics.contains("peer_ifindex"));
    EXPECT_EQ(statistics.at("peer_ifindex"), static_cast<std::uint64_t>(vb_));
    const auto none = ethtool_->channels("lo");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Kind::unsupported);
}

/// A redirect into a veth arrives only while its other end polls, and the device's own features say so.
TEST_F(Devices, tell_whether_they_take_redirected_packets) {
    const auto features = [&](harness::TestNet &net, int ifindex) {
        return net.within([&] { return xdp_features(ifindex); });
    };
    ASSERT_VALUE(const auto before, features(*a_, va_));
    if (!before)
        GTEST_SKIP() << "the kernel is older than 6.3";
    EXPECT_TRUE(before->basic());
    EXPECT_TRUE(before->redirect());
    EXPECT_FALSE(before->xmit());
    EXPECT_FALSE(before->zero_copy());
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    ASSERT_VALUE(const Link link, b_->within([&] { return Link::attach_xdp(prog.get(), vb_, XdpMode::native); }));
    ASSERT_VALUE(const auto after, features(*a_, va_));
    EXPECT_TRUE(after->xmit());
    EXPECT_EQ(features(*a_, 4711).error().code, ENODEV);
}

TEST_F(Devices, tell_what_stands_in_the_way_of_native_xdp) {
    const auto obstacles = [&](bool frags) -> Result<std::vector<XdpObstacle>> {
        BL_TRY(const Device va, a_->links().device("va"));
        return a_->within([&] { return native_xdp_obstacles(va, frags); });
    };
    ASSERT_VALUE(const auto none, obstacles(false));
    EXPECT_TRUE(none.empty());
    ASSERT_OK(a_->links().set_mtu(va_, 9000));
    ASSERT_VALUE(const auto mtu, obstacles(false));
    ASSERT_EQ(mtu.size(), 1U);
    EXPECT_NE(mtu[0].why.find("MTU 9000"), std::string::npos) << mtu[0].why;
    ASSERT_VALUE(const auto with_frags, obstacles(true));
    EXPECT_TRUE(with_frags.empty());
    ASSERT_VALUE(const Device lo, a_->links().device("lo"));
    ASSERT_VALUE(const auto loopback, a_->within([&] { return native_xdp_obstacles(lo, true); }));
    ASSERT_EQ(loopback.size(), 1U);
    EXPECT_EQ(loopback[0].why, "lo has no native XDP");
}

TEST_F(Devices, see_the_other_end_in_the_same_namespace) {
    ASSERT_OK(a_->links().create_veth({.name = "x1", .rx_queues = 1}, {.name = "x2", .tx_queues = 4}));
    ASSERT_VALUE(const Device x1, a_->links().device("x1"));
    ASSERT_VALUE(const auto queues, a_->within([&] { return native_xdp_obstacles(x1, true); }));
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].why, "x1 receives on 1 queues but its peer x2 sends on 4");
}

} // namespace
} // namespace beeline::kernel
