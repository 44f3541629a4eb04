// SPDX-License-Identifier: Apache-2.0
//
// Programs on both ends of a netkit pair.
#include <beeline/kernel/link.hpp>

#include <harness/need_feature.hpp>
#include <netns/kernel/two_ends.hpp>

namespace beeline::kernel {
namespace {

class NetkitPair : public TwoEnds {
protected:
    void SetUp() override {
        BL_NEED_FEATURE(FeatureId::netkit);
        TwoEnds::SetUp();
        ASSERT_OK(a_->links().create_netkit({.primary = {.name = "nkp"}, .peer = {.name = "nkg"}}));
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
