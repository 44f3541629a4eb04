// SPDX-License-Identifier: Apache-2.0
//
// Many guests, one after the other, as a container runtime makes them.
#include <chrono>
#include <iostream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_test.hpp"

namespace beeline::guest {
namespace {

constexpr int kGuests = 60;

class ManyGuestsOfOneHost : public OnScene<testing::Test> {
protected:
    void SetUp() override {
        if (!has_scene(Mode::veth))
            return;
        for (int i = 0; i < kGuests; ++i)
            ASSERT_OK(scene_->add_node(name(i)));
    }
    static std::string name(int i) { return fmt::format("g{}", i); }
    static std::string address(int i) { return fmt::format("10.88.1.{}", i + 1); }
    static Text text(int i) {
        return {.name = name(i),
                .address4 = address(i) + "/24",
                .address6 = fmt::format("fd88::1:{:x}/64", i + 1),
                .rules = {fmt::format("in tcp dport {} -> pass", 1000 + i), "in udp -> pass", "in -> drop"}};
    }
    void expect_talk(int from, int to) {
        SCOPED_TRACE(name(from) + " to " + name(to));
        EXPECT_TRUE(talks(scene_->node(name(from)), scene_->node(name(to)), address(to)));
        EXPECT_TRUE(talks(scene_->node(name(from)), scene_->node(name(to)), fmt::format("fd88::1:{:x}", to + 1)));
    }
};

using Clock = std::chrono::steady_clock;

void tell(const char *what, Clock::time_point since) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since);
    std::cout << fmt::format("{}: {:.1f} ms for each of {} guests\n", what,
                             static_cast<double>(took.count()) / 1000 / kGuests, kGuests);
}

TEST_F(ManyGuestsOfOneHost, come_one_by_one_talk_and_leave_nothing) {
    ASSERT_VALUE(const auto host, edge::World::look(*scene_->host, scene_->lab.bpffs()));
    ASSERT_VALUE(const auto last, edge::World::look(scene_->node(name(kGuests - 1)), scene_->lab.bpffs()));
    ASSERT_OK(scene_->up({}));
    const auto start = Clock::now();
    for (int i = 0; i < kGuests; ++i)
        ASSERT_OK(scene_->add(text(i)));
    tell("add", start);
    expect_talk(0, kGuests - 1);
    expect_talk(kGuests - 1, 0);
    expect_talk(kGuests / 2, 0);
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_THAT(status.guests, testing::SizeIs(kGuests));
    const auto leaving = Clock::now();
    for (int i = 0; i < kGuests; ++i) {
        ASSERT_VALUE(const bool was_there, scene_->remove(name(i)));
        EXPECT_TRUE(was_there) << name(i);
    }
    tell("remove", leaving);
    ASSERT_VALUE(const Status empty, scene_->status());
    EXPECT_THAT(empty.guests, testing::IsEmpty());
    ASSERT_OK(scene_->down());
    for (const edge::World *world : {&host, &last}) {
        ASSERT_VALUE(const auto changes, world->changes_since());
        EXPECT_THAT(changes, testing::IsEmpty()) << edge::lines(changes);
    }
}

} // namespace
} // namespace beeline::guest
