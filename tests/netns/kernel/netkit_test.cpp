// SPDX-License-Identifier: Apache-2.0
//
// netkit links where the kernel has netkit, and the words where it has not.
#include <beeline/kernel/link.hpp>

#include <cstdlib>

#include <beeline/kernel/features.hpp>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

/// veth stands for "no netkit" where there is none.
class Netkit : public TwoEnds {};

TEST_F(Netkit, a_kernel_without_it_is_told_by_name) {
    if (probe(FeatureId::netkit).available)
        GTEST_SKIP() << "this kernel has netkit";
    ASSERT_VALUE(const UniqueFd prog, classifier("bl_one"));
    const auto link = a_->within([&] { return Link::attach_netkit(prog.get(), va_, NetkitHook::primary); });
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported);
    EXPECT_NE(link.error().what.find("attach netkit primary to va: no netkit devices"), std::string::npos)
        << link.error().what;
    EXPECT_NE(link.error().what.find("6.7"), std::string::npos) << link.error().what;
    const auto state = a_->within([&] { return netkit_query(va_, NetkitHook::peer); });
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, Kind::unsupported);
}

class NetkitPair : public TwoEnds {
protected:
    void SetUp() override {
        if (const auto netkit = require(FeatureId::netkit); !netkit)
            GTEST_SKIP() << netkit.error().message();
        TwoEnds::SetUp();
        // iproute2 6.1 knows the kind without its options: L3, the peer gets a name of the kernel's.
        ASSERT_VALUE(const int status, a_->within([] { return std::system("ip link add nkp type netkit"); }));
        ASSERT_EQ(status, 0);
        ASSERT_VALUE(const Device primary, a_->links().device("nkp"));
        primary_ = primary.ifindex;
        peer_ = primary.peer;
    }
    Result<Link> attach(const UniqueFd &prog, int ifindex, NetkitHook hook, const Order &order = {}) {
        return a_->within([&] { return Link::attach_netkit(prog.get(), ifindex, hook, order); });
    }
    int primary_ = 0, peer_ = 0;
};

TEST_F(NetkitPair, takes_programs_for_both_ends_at_the_primary) {
    ASSERT_VALUE(const UniqueFd one, classifier("bl_one"));
    ASSERT_VALUE(const UniqueFd two, classifier("bl_two"));
    ASSERT_VALUE(const Link last, attach(one, primary_, NetkitHook::peer));
    ASSERT_VALUE(const Link first, attach(two, primary_, NetkitHook::peer, Order::first()));
    ASSERT_VALUE(const Link other, attach(one, primary_, NetkitHook::primary));
    ASSERT_VALUE(const HookState peer, a_->within([&] { return netkit_query(primary_, NetkitHook::peer); }));
    ASSERT_EQ(peer.entries.size(), 2U);
    EXPECT_EQ(peer.entries[0].prog_id, id_of(two));
    EXPECT_EQ(peer.entries[1].prog_id, id_of(one));
    ASSERT_VALUE(const HookState primary, a_->within([&] { return netkit_query(primary_, NetkitHook::primary); }));
    EXPECT_EQ(primary.entries.size(), 1U);
    ASSERT_VALUE(const LinkInfo info, other.info());
    EXPECT_EQ(info.type, 13U);
    EXPECT_EQ(info.attach_type, 54U);
    EXPECT_EQ(info.ifindex, static_cast<std::uint32_t>(primary_));
}

TEST_F(NetkitPair, refuses_its_peer_and_other_devices_with_the_reason) {
    ASSERT_VALUE(const UniqueFd prog, classifier("bl_one"));
    const auto at_peer = attach(prog, peer_, NetkitHook::peer);
    ASSERT_FALSE(at_peer);
    EXPECT_NE(at_peer.error().what.find("the device is the peer end"), std::string::npos) << at_peer.error().message();
    const auto at_veth = attach(prog, va_, NetkitHook::primary);
    ASSERT_FALSE(at_veth);
    EXPECT_NE(at_veth.error().what.find("the device is no netkit"), std::string::npos) << at_veth.error().message();
}

TEST_F(NetkitPair, has_no_native_xdp_and_says_so) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = a_->within([&] { return Link::attach_xdp(prog.get(), primary_, XdpMode::native); });
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported) << link.error().message();
    EXPECT_EQ(link.error().remedy, "use generic mode");
}

} // namespace
} // namespace beeline::kernel
