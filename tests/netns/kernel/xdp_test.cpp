// SPDX-License-Identifier: Apache-2.0
//
// XDP links on veth and lo, and the words of what is refused.
#include <beeline/kernel/link.hpp>

#include <cerrno>

#include <fmt/format.h>

#include <beeline/kernel/device.hpp>
#include <harness/temp_bpffs.hpp>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class Xdp : public TwoEnds {
protected:
    Result<Link> attach(const UniqueFd &prog, int ifindex, XdpMode mode) {
        return a_->within([&] { return Link::attach_xdp(prog.get(), ifindex, mode); });
    }
    Result<XdpState> state(int ifindex) {
        return a_->within([&] { return xdp_query(ifindex); });
    }
};

TEST_F(Xdp, is_attached_natively_and_goes_with_the_link) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS, "bl_pass"));
    {
        ASSERT_VALUE(const Link link, attach(prog, va_, XdpMode::native));
        ASSERT_VALUE(const LinkInfo info, link.info());
        EXPECT_EQ(info.type, 6U);
        EXPECT_EQ(info.prog_id, id_of(prog));
        EXPECT_EQ(info.ifindex, static_cast<std::uint32_t>(va_));
        ASSERT_VALUE(const XdpState now, state(va_));
        EXPECT_EQ(now.native_id, id_of(prog));
        EXPECT_EQ(now.generic_id, 0U);
        EXPECT_EQ(now.id(XdpMode::native), id_of(prog));
    }
    ASSERT_VALUE(const XdpState after, state(va_));
    EXPECT_TRUE(after.empty());
}

TEST_F(Xdp, is_attached_generically_when_asked) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    ASSERT_VALUE(const Link on_veth, attach(prog, va_, XdpMode::generic));
    ASSERT_VALUE(const Link on_lo, attach(prog, 1, XdpMode::generic));
    ASSERT_VALUE(const XdpState veth, state(va_));
    ASSERT_VALUE(const XdpState lo, state(1));
    EXPECT_EQ(veth.generic_id, id_of(prog));
    EXPECT_EQ(lo.generic_id, id_of(prog));
}

TEST_F(Xdp, native_on_lo_is_refused_with_the_reason) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = attach(prog, 1, XdpMode::native);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported);
    EXPECT_NE(link.error().what.find("attach XDP to lo (native): "), std::string::npos) << link.error().what;
    EXPECT_NE(link.error().what.find("nderlying driver does not support XDP in native mode"), std::string::npos)
        << link.error().what;
    EXPECT_EQ(link.error().remedy, "use generic mode");
    ASSERT_VALUE(const XdpState lo, state(1));
    EXPECT_TRUE(lo.empty()) << "asking for the reason must not attach";
}

TEST_F(Xdp, a_too_large_mtu_is_refused_with_the_remedy) {
    ASSERT_OK(a_->links().set_mtu(va_, 9000));
    ASSERT_OK(b_->links().set_mtu(vb_, 9000));
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = attach(prog, va_, XdpMode::native);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported);
    EXPECT_NE(link.error().what.find("MTU"), std::string::npos) << link.error().what;
    EXPECT_NE(link.error().remedy.find("mtu 3506"), std::string::npos) << link.error().remedy;
    ASSERT_OK(b_->links().set_mtu(vb_, kVethXdpMaxMtu));
    ASSERT_OK(attach(prog, va_, XdpMode::native));
    ASSERT_OK(b_->links().set_mtu(vb_, kVethXdpMaxMtu + 1));
    EXPECT_FALSE(attach(prog, va_, XdpMode::native)) << "the limit is exactly " << kVethXdpMaxMtu;
}

TEST_F(Xdp, a_held_device_is_named_with_its_program) {
    ASSERT_VALUE(const UniqueFd theirs, load_xdp_constant(XDP_PASS, "their_filter"));
    ASSERT_VALUE(const Link held, attach(theirs, va_, XdpMode::native));
    ASSERT_VALUE(const LinkInfo info, held.info());
    ASSERT_VALUE(const UniqueFd ours, load_xdp_constant(XDP_DROP, "bl_ours"));
    for (const XdpMode mode : {XdpMode::native, XdpMode::generic}) {
        const auto link = attach(ours, va_, mode);
        ASSERT_FALSE(link);
        EXPECT_EQ(link.error().kind, Kind::conflict);
        EXPECT_NE(
            link.error().what.find(fmt::format("program their_filter (id {}), link id {}", id_of(theirs), info.id)),
            std::string::npos)
            << link.error().what;
    }
    ASSERT_VALUE(const XdpState now, state(va_));
    EXPECT_EQ(now.native_id, id_of(theirs)) << "the other program is left alone";
}

TEST_F(Xdp, a_missing_device_is_said_to_be_missing) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = attach(prog, 4711, XdpMode::native);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ENODEV);
    EXPECT_NE(link.error().what.find("ifindex 4711"), std::string::npos) << link.error().what;
}

TEST_F(Xdp, offload_needs_the_nic) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = attach(prog, va_, XdpMode::offload);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported) << link.error().message();
}

TEST_F(Xdp, the_program_is_replaced_in_one_step) {
    ASSERT_VALUE(const UniqueFd first, load_xdp_constant(XDP_PASS));
    ASSERT_VALUE(const UniqueFd second, load_xdp_constant(XDP_DROP));
    ASSERT_VALUE(Link link, attach(first, va_, XdpMode::native));
    ASSERT_OK(link.update(second.get(), first.get()));
    ASSERT_VALUE(const XdpState now, state(va_));
    EXPECT_EQ(now.native_id, id_of(second));
    const auto stale = link.update(first.get(), first.get());
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().kind, Kind::conflict) << stale.error().message();
    ASSERT_OK(link.update(first.get()));
}

TEST_F(Xdp, a_pinned_link_outlives_its_owner) {
    ASSERT_VALUE(const auto bpffs, harness::TempBpffs::mount());
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    std::uint32_t id = 0;
    {
        ASSERT_VALUE(const Link link, attach(prog, va_, XdpMode::native));
        ASSERT_VALUE(const LinkInfo info, link.info());
        id = info.id;
        ASSERT_OK(link.pin(bpffs.path() / "link_va"));
    }
    ASSERT_VALUE(const XdpState now, state(va_));
    EXPECT_EQ(now.native_id, id_of(prog));
    ASSERT_VALUE(Link again, Link::from_pin(bpffs.path() / "link_va"));
    ASSERT_VALUE(const LinkInfo info, again.info());
    EXPECT_EQ(info.id, id);
    ASSERT_OK(again.detach()); // though it is pinned
    ASSERT_VALUE(const XdpState after, state(va_));
    EXPECT_TRUE(after.empty());
}

TEST_F(Xdp, a_link_whose_device_is_gone_says_so) {
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    ASSERT_VALUE(Link link, attach(prog, va_, XdpMode::native));
    ASSERT_OK(a_->links().remove_device(va_));
    ASSERT_VALUE(const LinkInfo info, link.info());
    EXPECT_EQ(info.ifindex, 0U);
    const auto update = link.update(prog.get());
    ASSERT_FALSE(update);
    EXPECT_EQ(update.error().kind, Kind::state) << update.error().message();
}

class XdpQueues : public Xdp {
protected:
    XdpQueues() { options_.queues = 2; }
};

TEST_F(XdpQueues, too_few_receive_queues_are_refused_with_the_reason) {
    ASSERT_VALUE(const auto ethtool, a_->within([] { return Ethtool::open(); }));
    ASSERT_OK(ethtool.set_channels("va", {.rx = 1, .tx = 2}));
    ASSERT_VALUE(const UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto link = attach(prog, va_, XdpMode::native);
    ASSERT_FALSE(link);
    EXPECT_NE(link.error().what.find("queues"), std::string::npos) << link.error().what;
}

} // namespace
} // namespace beeline::kernel
