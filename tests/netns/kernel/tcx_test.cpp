// SPDX-License-Identifier: Apache-2.0
//
// tcx links and their order.
#include <beeline/kernel/link.hpp>

#include <cerrno>

#include <beeline/kernel/features.hpp>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class Tcx : public TwoEnds {
protected:
    void SetUp() override {
        if (const auto tcx = require(FeatureId::tcx); !tcx)
            GTEST_SKIP() << tcx.error().message();
        TwoEnds::SetUp();
    }
    Result<Link> attach(const UniqueFd &prog, const Order &order = {}, TcxHook hook = TcxHook::ingress) {
        return a_->within([&] { return Link::attach_tcx(prog.get(), va_, hook, order); });
    }
    std::vector<std::uint32_t> order(TcxHook hook = TcxHook::ingress) {
        std::vector<std::uint32_t> ids;
        if (const auto state = a_->within([&] { return tcx_query(va_, hook); }))
            for (const HookState::Entry &entry : state->entries)
                ids.push_back(entry.prog_id);
        else
            ADD_FAILURE() << state.error().message();
        return ids;
    }
};

TEST_F(Tcx, programs_run_in_the_order_asked_for) {
    ASSERT_VALUE(const UniqueFd p1, classifier("bl_one"));
    ASSERT_VALUE(const UniqueFd p2, classifier("bl_two"));
    ASSERT_VALUE(const UniqueFd p3, classifier("bl_three"));
    ASSERT_VALUE(const UniqueFd p4, classifier("bl_four"));
    ASSERT_VALUE(const UniqueFd p5, classifier("bl_five"));
    const std::uint32_t i1 = id_of(p1), i2 = id_of(p2), i3 = id_of(p3), i4 = id_of(p4), i5 = id_of(p5);
    ASSERT_VALUE(const Link l1, attach(p1));
    ASSERT_VALUE(const Link l2, attach(p2, Order::last()));
    EXPECT_EQ(order(), (std::vector{i1, i2}));
    ASSERT_VALUE(const Link l3, attach(p3, Order::first()));
    EXPECT_EQ(order(), (std::vector{i3, i1, i2}));
    ASSERT_VALUE(const Link l4, attach(p4, Order::before(i2)));
    EXPECT_EQ(order(), (std::vector{i3, i1, i4, i2}));
    ASSERT_VALUE(const LinkInfo info, l1.info());
    {
        ASSERT_VALUE(const Link l5, attach(p5, Order::after_link(info.id)));
        EXPECT_EQ(order(), (std::vector{i3, i1, i5, i4, i2}));
    }
    EXPECT_EQ(order(), (std::vector{i3, i1, i4, i2}));
    EXPECT_TRUE(order(TcxHook::egress).empty());
    EXPECT_EQ(info.type, 11U);
    EXPECT_EQ(info.ifindex, static_cast<std::uint32_t>(va_));
    EXPECT_EQ(info.attach_type, 46U);
}

TEST_F(Tcx, an_update_keeps_the_place) {
    ASSERT_VALUE(const UniqueFd p1, classifier("bl_one"));
    ASSERT_VALUE(const UniqueFd p2, classifier("bl_two"));
    ASSERT_VALUE(const UniqueFd p3, classifier("bl_three"));
    ASSERT_VALUE(Link l1, attach(p1));
    ASSERT_VALUE(const Link l2, attach(p2));
    ASSERT_OK(l1.update(p3.get(), p1.get()));
    EXPECT_EQ(order(), (std::vector{id_of(p3), id_of(p2)}));
    ASSERT_OK(l1.detach());
    EXPECT_EQ(order(), (std::vector{id_of(p2)}));
}

TEST_F(Tcx, the_query_tells_links_and_revision) {
    ASSERT_VALUE(const HookState before, a_->within([&] { return tcx_query(va_, TcxHook::egress); }));
    EXPECT_TRUE(before.entries.empty());
    ASSERT_VALUE(const UniqueFd prog, classifier("bl_one"));
    ASSERT_VALUE(const Link link, attach(prog, {}, TcxHook::egress));
    ASSERT_VALUE(const LinkInfo info, link.info());
    ASSERT_VALUE(const HookState after, a_->within([&] { return tcx_query(va_, TcxHook::egress); }));
    ASSERT_EQ(after.entries.size(), 1U);
    EXPECT_EQ(after.entries[0].link_id, info.id);
    EXPECT_GT(after.revision, before.revision);

    ASSERT_VALUE(const UniqueFd other, classifier("bl_two"));
    const auto stale = attach(other, {.expected_revision = after.revision + 5}, TcxHook::egress);
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().code, ESTALE);
    EXPECT_EQ(stale.error().kind, Kind::conflict);
    ASSERT_OK(attach(other, {.expected_revision = after.revision}, TcxHook::egress));
}

TEST_F(Tcx, refusals_say_why) {
    ASSERT_VALUE(const UniqueFd prog, classifier("bl_one"));
    ASSERT_VALUE(const Link link, attach(prog));
    const auto twice = attach(prog);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, EEXIST);
    EXPECT_NE(twice.error().what.find("attach tcx ingress to"), std::string::npos);

    ASSERT_VALUE(const UniqueFd other, classifier("bl_two"));
    const auto nowhere = attach(other, Order::before(id_of(other)));
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().what.find("is not at the hook"), std::string::npos) << nowhere.error().message();

    const auto missing = a_->within([&] { return Link::attach_tcx(other.get(), 4711, TcxHook::ingress); });
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ENODEV);

    ASSERT_VALUE(const UniqueFd xdp, load_xdp_constant(XDP_PASS));
    EXPECT_FALSE(attach(xdp));
}

TEST_F(Tcx, a_full_hook_is_said_to_be_full) {
    std::vector<Link> links;
    for (int i = 0; i < 63; ++i) {
        ASSERT_VALUE(const UniqueFd prog, classifier("bl_many"));
        ASSERT_VALUE(Link link, attach(prog));
        links.push_back(std::move(link));
    }
    EXPECT_EQ(order().size(), 63U);
    ASSERT_VALUE(const UniqueFd one_more, classifier("bl_many"));
    const auto refused = attach(one_more);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ERANGE);
    EXPECT_EQ(refused.error().kind, Kind::conflict);
}

} // namespace
} // namespace beeline::kernel
