// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong around guests: names that are taken, namespaces that vanish, processes that die.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_test.hpp"

namespace beeline::guest {
namespace {

using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

class GuestTrouble : public GuestTest {
protected:
    void expect_refused(const std::vector<Text> &texts, const std::string &words) {
        const auto refused = scene_->up(texts);
        ASSERT_FALSE(refused.has_value());
        EXPECT_THAT(refused.error().message(), HasSubstr(words));
    }
};

TEST_P(GuestTrouble, a_first_up_that_fails_leaves_nothing) {
    Text nowhere = db();
    nowhere.name = "nowhere";
    expect_refused({web(), nowhere}, "guest nowhere");
    expect_as_before();
    ASSERT_OK(
        scene_->node("db").run({.words = {"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other"}}));
    expect_refused({web(), db()}, "has a device eth0 already");
    expect_as_before();
    Text taken = web();
    taken.host_device = "up0";
    expect_refused({taken}, "has a device up0 already");
    expect_as_before();
    Text twin = db();
    twin.address4 = web().address4;
    expect_refused({web(), twin}, "same address 10.88.0.2");
    expect_as_before();
}

TEST_P(GuestTrouble, an_up_that_fails_leaves_the_guests_as_they_were) {
    ASSERT_OK(scene_->up({web(), db()}));
    ASSERT_VALUE(const GuestStatus before, scene_->status_of("web"));
    ASSERT_OK(scene_->add_node("late"));
    ASSERT_OK(scene_->node("late").run({.words = {"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "o"}}));
    Text late = db();
    late.name = "late";
    late.address6.clear();
    late.address4 = "10.88.0.7/24";
    Text moved = db();
    moved.address4 = "10.88.0.9/24";
    Text changed = web();
    changed.rules = {"in udp -> drop"};
    late.host_device = "bldb"; // so that it has to wait until the other one went
    moved.host_device = "bldb2";
    expect_refused({changed, moved, late}, "has a device eth0 already");
    ASSERT_VALUE(const GuestStatus after, scene_->status_of("web"));
    EXPECT_EQ(after.ifindex, before.ifindex);
    EXPECT_THAT(after.rules, SizeIs(before.rules.size()));
    EXPECT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2"));
    EXPECT_TRUE(talks(*scene_->host, scene_->node("db"), "10.88.0.3"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestTrouble, maintain_removes_a_guest_that_deleted_its_device) {
    ASSERT_OK(scene_->up({web(), db()}));
    ASSERT_OK(scene_->node("web").run({.words = {"ip", "link", "delete", "eth0"}}));
    ASSERT_VALUE(const GuestStatus gone, scene_->status_of("web"));
    EXPECT_FALSE(gone.attached);
    ASSERT_VALUE(const Maintained done, scene_->maintain());
    EXPECT_THAT(done.gone, ElementsAre("web"));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_THAT(status.guests, SizeIs(1));
    EXPECT_TRUE(talks(*scene_->host, scene_->node("db"), "10.88.0.3"));
    ASSERT_VALUE(const UpReport report, scene_->up({web(), db()}));
    EXPECT_THAT(report.added, ElementsAre("web"));
    EXPECT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestTrouble, maintain_removes_a_guest_whose_namespace_is_gone) {
    {
        ASSERT_VALUE(kernel::NetNs gone, kernel::NetNs::create(scene_->host->netns().name() + "-gone"));
        Text text = web();
        ASSERT_VALUE(Policy policy, scene_->policy(text));
        policy.place.name = gone.name();
        ASSERT_OK(scene_->host->within([&] { return scene_->guests.up(scene_->settings, {policy}); }));
    }
    Maintained done;
    for (int tries = 0; tries < 200 && done.gone.empty(); ++tries) { // the kernel takes namespaces down in its own time
        ASSERT_VALUE(done, scene_->maintain());
        ::usleep(50'000);
    }
    EXPECT_THAT(done.gone, ElementsAre("web"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestTrouble, a_guest_may_change_its_mtu_and_set_its_end_down_and_stays_a_guest) {
    ASSERT_OK(scene_->up({web()}));
    const lab::Node &guest = scene_->node("web");
    ASSERT_OK(guest.run({.words = {"ip", "link", "set", "eth0", "mtu", "1400"}}));
    EXPECT_TRUE(talks(*scene_->host, guest, "10.88.0.2"));
    ASSERT_OK(guest.run({.words = {"ip", "link", "set", "eth0", "down"}}));
    EXPECT_FALSE(talks(*scene_->host, guest, "10.88.0.2"));
    ASSERT_VALUE(const Maintained done, scene_->maintain());
    EXPECT_THAT(done.gone, IsEmpty());
    ASSERT_VALUE(const GuestStatus status, scene_->status_of("web"));
    EXPECT_TRUE(status.attached);
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestTrouble, maintain_follows_the_uplink) {
    ASSERT_OK(scene_->up({web()}));
    ASSERT_VALUE(const Maintained quiet, scene_->maintain());
    EXPECT_THAT(quiet.uplinks, IsEmpty());
    ASSERT_OK(scene_->host->run({.words = {"ip", "address", "change", "10.9.0.1/24", "dev", "up0"}}));
    ASSERT_OK(scene_->host->run({.words = {"ip", "link", "set", "up0", "mtu", "1400"}}));
    ASSERT_VALUE(const Maintained done, scene_->maintain());
    EXPECT_THAT(done.uplinks, ElementsAre("up0"));
    ASSERT_VALUE(const Status status, scene_->status());
    ASSERT_THAT(status.uplinks, SizeIs(1));
    EXPECT_EQ(status.uplinks[0].mtu, 1400U);
}

TEST_P(GuestTrouble, whoever_is_killed_leaves_what_the_next_one_mends) {
    std::mt19937 random(20261121);
    Text changed = web();
    changed.rules = {"in udp dport 9 -> drop", "fallback -> pass"};
    const auto start = std::chrono::steady_clock::now();
    ASSERT_OK(scene_->up({web(), db()}));
    ASSERT_OK(scene_->up({changed}));
    const auto whole = std::chrono::steady_clock::now() - start;
    for (int round = 0; round < 12; ++round) {
        const pid_t child = ::fork();
        if (child == 0)
            while (true)
                for (const auto &texts : {std::vector{web(), db()}, std::vector{changed}, std::vector{db()}})
                    if (!scene_->up(texts))
                        ::_exit(1);
        ASSERT_GT(child, 0);
        ::usleep(static_cast<useconds_t>(std::chrono::duration_cast<std::chrono::microseconds>(whole).count() *
                                         (random() % 1000) / 500));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status)) << "round " << round << ": an up failed";
        if (round % 2 == 0) {
            ASSERT_OK(scene_->up({web(), db()}));
            EXPECT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2")) << "round " << round;
            EXPECT_TRUE(talks(*scene_->host, scene_->node("db"), "fd88::3")) << "round " << round;
        } else {
            ASSERT_OK(scene_->down());
        }
    }
    ASSERT_OK(scene_->down());
    expect_as_before();
}

INSTANTIATE_TEST_SUITE_P(By, GuestTrouble, every_mode(), mode_name);

class ManyGuests : public GuestTest {};

TEST_P(ManyGuests, fifty_come_and_go) {
    std::vector<Text> texts;
    for (int i = 0; i < 50; ++i) {
        const std::string name = fmt::format("g{}", i);
        ASSERT_OK(scene_->add_node(name));
        texts.push_back({.name = name, .address4 = fmt::format("10.88.1.{}/24", i + 1), .rules = {"in tcp -> drop"}});
    }
    ASSERT_OK(scene_->up(texts));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_THAT(status.guests, SizeIs(50));
    EXPECT_TRUE(talks(scene_->node("g0"), scene_->node("g49"), "10.88.1.50"));
    texts.resize(25);
    ASSERT_VALUE(const UpReport report, scene_->up(texts));
    EXPECT_THAT(report.removed, SizeIs(25));
    EXPECT_TRUE(talks(scene_->node("g0"), scene_->node("g24"), "10.88.1.25"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

INSTANTIATE_TEST_SUITE_P(By, ManyGuests, testing::Values(Mode::veth), mode_name);

} // namespace
} // namespace beeline::guest
