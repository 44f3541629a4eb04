// SPDX-License-Identifier: Apache-2.0
//
// The life of guests: up, add, change, remove, down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scene.hpp"

namespace beeline::guest {
namespace {

using edge::World;
using testing::Contains, testing::ElementsAre, testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

class GuestLife : public testing::TestWithParam<Mode> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (const auto why = lacking(GetParam()))
            GTEST_SKIP() << *why;
        ASSERT_VALUE(scene_, Scene::make(GetParam()));
        ASSERT_OK(scene_->add_node("web"));
        ASSERT_OK(scene_->add_node("db"));
        ASSERT_VALUE(world_, World::look(*scene_->host, scene_->lab.bpffs()));
        ASSERT_VALUE(inside_, World::look(scene_->node("web"), scene_->lab.bpffs()));
    }
    static Text web() {
        return {.name = "web",
                .address4 = "10.88.0.2/24",
                .address6 = "fd88::2/64",
                .rules = {"in icmp -> pass", "in tcp dport 80 -> pass", "fallback -> pass"}};
    }
    static Text db() {
        return {.name = "db", .address4 = "10.88.0.3/24", .address6 = "fd88::3/64", .rules = {"fallback -> pass"}};
    }
    void expect_as_before() {
        ASSERT_VALUE(const auto changes, world_->changes_since());
        EXPECT_THAT(changes, IsEmpty()) << edge::lines(changes);
        ASSERT_VALUE(const auto changes_inside, inside_->changes_since());
        EXPECT_THAT(changes_inside, IsEmpty()) << edge::lines(changes_inside);
    }
    Wiring wiring() const {
        return GetParam() == Mode::veth        ? Wiring::veth
               : GetParam() == Mode::netkit_l2 ? Wiring::netkit_l2
                                               : Wiring::netkit_l3;
    }

    std::unique_ptr<Scene> scene_;
    std::optional<World> world_, inside_;
};

TEST_P(GuestLife, up_wires_guests_that_reach_the_host_and_down_leaves_nothing) {
    ASSERT_VALUE(const UpReport report, scene_->up({web(), db()}));
    EXPECT_TRUE(report.first);
    EXPECT_THAT(report.added, ElementsAre("web", "db"));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_EQ(status.file, "guests.toml");
    ASSERT_THAT(status.guests, SizeIs(2));
    const GuestStatus &guest = status.guests[0];
    EXPECT_EQ(guest.name, "web");
    EXPECT_EQ(guest.slot, 0U);
    EXPECT_TRUE(guest.attached);
    EXPECT_EQ(guest.wiring, wiring());
    EXPECT_EQ(guest.why, "");
    EXPECT_EQ(guest.mtu, 1500U);
    EXPECT_THAT(guest.addresses, SizeIs(2));
    EXPECT_THAT(guest.rules, SizeIs(3));
    EXPECT_THAT(guest.hooks, SizeIs(2));
    for (const HookProgram &program : guest.hooks)
        EXPECT_TRUE(program.ours) << program.program;
    ASSERT_THAT(status.uplinks, SizeIs(1));
    EXPECT_EQ(status.uplinks[0].name, "up0");
    EXPECT_TRUE(status.uplinks[0].attached);
    ASSERT_TRUE(status.uplinks[0].address4 && status.uplinks[0].address6);
    EXPECT_EQ(to_string(*status.uplinks[0].address4), "10.9.0.1");
    EXPECT_EQ(to_string(*status.uplinks[0].address6), "fd09::1");
    const lab::Node &web_node = scene_->node("web"), &db_node = scene_->node("db");
    EXPECT_TRUE(talks(*scene_->host, web_node, "10.88.0.2"));
    EXPECT_TRUE(talks(*scene_->host, web_node, "fd88::2"));
    EXPECT_TRUE(talks(web_node, *scene_->host, "10.9.0.1"));
    EXPECT_TRUE(talks(web_node, *scene_->host, "fd09::1"));
    EXPECT_TRUE(talks(web_node, db_node, "10.88.0.3"));
    EXPECT_TRUE(talks(web_node, db_node, "fd88::3"));
    ASSERT_VALUE(const bool was_up, scene_->down());
    EXPECT_TRUE(was_up);
    expect_as_before();
}

TEST_P(GuestLife, add_and_remove_leave_nothing_and_an_up_keeps_what_was_added) {
    ASSERT_OK(scene_->up({web()}));
    ASSERT_VALUE(const GuestStatus added, scene_->add(db()));
    EXPECT_EQ(added.name, "db");
    EXPECT_TRUE(added.runtime);
    ASSERT_OK(scene_->up({web()}));
    EXPECT_TRUE(scene_->status_of("db").has_value());
    ASSERT_VALUE(const bool removed, scene_->remove("web"));
    EXPECT_TRUE(removed);
    ASSERT_VALUE(const bool again, scene_->remove("web"));
    EXPECT_FALSE(again);
    ASSERT_VALUE(const auto inside, inside_->changes_since());
    EXPECT_THAT(inside, testing::Each(testing::Not(HasSubstr("eth0"))));
    ASSERT_OK(scene_->remove("db"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

INSTANTIATE_TEST_SUITE_P(By, GuestLife, testing::Values(Mode::netkit_l3, Mode::netkit_l2, Mode::veth),
                         [](const auto &instance) { return test_name(instance.param); });

} // namespace
} // namespace beeline::guest
