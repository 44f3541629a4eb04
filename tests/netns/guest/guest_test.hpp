// SPDX-License-Identifier: Apache-2.0
//
// A test of guests: a host with two namespaces for guests, compared with what it was.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scene.hpp"

namespace beeline::guest {

/// A scene, without any guest's node. SetUp of who derives goes on only `if (has_scene(mode))`.
template <class Base>
class OnScene : public Base {
protected:
    /// False: skipped, or failed.
    bool has_scene(Mode mode) {
        make_scene(mode);
        return !Base::IsSkipped() && !Base::HasFatalFailure();
    }
    std::unique_ptr<Scene> scene_;

private:
    void make_scene(Mode mode) {
        BL_NEED_ROOT();
        if (const auto why = lacking(mode))
            GTEST_SKIP() << *why;
        ASSERT_VALUE(scene_, Scene::make(mode));
    }
};

class GuestTest : public OnScene<testing::TestWithParam<Mode>> {
protected:
    void SetUp() override {
        if (!has_scene(GetParam()))
            return;
        ASSERT_OK(scene_->add_node("web"));
        ASSERT_OK(scene_->add_node("db"));
        ASSERT_VALUE(world_, edge::World::look(*scene_->host, scene_->lab.bpffs()));
        ASSERT_VALUE(inside_, edge::World::look(scene_->node("web"), scene_->lab.bpffs()));
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
        EXPECT_THAT(changes, testing::IsEmpty()) << edge::lines(changes);
        ASSERT_VALUE(const auto changes_inside, inside_->changes_since());
        EXPECT_THAT(changes_inside, testing::IsEmpty()) << edge::lines(changes_inside);
    }
    Wiring wiring() const {
        return GetParam() == Mode::veth        ? Wiring::veth
               : GetParam() == Mode::netkit_l2 ? Wiring::netkit_l2
                                               : Wiring::netkit_l3;
    }

    std::optional<edge::World> world_, inside_;
};

/// Every mode there is; those that this kernel lacks are skipped.
inline auto every_mode() {
    return testing::Values(Mode::netkit_l3, Mode::netkit_l2, Mode::veth);
}
inline std::string mode_name(const testing::TestParamInfo<Mode> &info) {
    return test_name(info.param);
}

} // namespace beeline::guest
