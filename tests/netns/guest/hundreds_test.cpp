// SPDX-License-Identifier: Apache-2.0
//
// A host with 500 guests, by the program: all from one file, one changed, a daemon that dies and one that takes over.
#include <csignal>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_test.hpp"
#include "netns/cli/program.hpp"

namespace beeline::guest {
namespace {

using cli_test::Ended;
using testing::HasSubstr;

constexpr int kGuests = 500;
constexpr int kChanged = 77;

class HundredsOfGuests : public OnScene<testing::Test> {
protected:
    void SetUp() override {
        if (!has_scene(Mode::veth))
            return;
        for (int i = 0; i < kGuests; ++i)
            ASSERT_OK(scene_->add_node(name(i)));
    }
    void TearDown() override {
        if (scene_)
            (void)scene_->down(); // one by one, with their namespaces, it would take minutes
    }
    static std::string name(int i) { return fmt::format("g{}", i); }
    static std::string address4(int i) { return fmt::format("10.88.{}.{}", i / 250, i % 250 + 2); }
    static std::string address6(int i) { return fmt::format("fd88::1:{:x}", i + 1); }

    /// open: number of the guest that takes TCP to port 999, too; -1: none.
    [[nodiscard]] std::string write_config(int open = -1) const {
        const std::string path = scene_->lab.folder() / "many.toml";
        std::ofstream file(path);
        file << fmt::format("[host]\npins = \"{}\"\nsocket = \"{}\"\n[guests]\nuplinks = \"up0\"\n",
                            (scene_->lab.bpffs() / "beeline").string(), (scene_->lab.folder() / "sock").string());
        for (int i = 0; i < kGuests; ++i)
            file << fmt::format(
                "[[guest]]\nname = \"{}\"\nnetns = \"{}\"\nmode = \"veth\"\n"
                "address = [\"{}/16\", \"{}/64\"]\n"
                "rules = [\"in tcp dport {} -> pass\", \"in udp dport 4000 -> pass\", \"in -> drop\"]\n",
                name(i), scene_->node(name(i)).netns().name(), address4(i), address6(i), i == open ? 999 : 1000 + i);
        return path;
    }
    [[nodiscard]] cli_test::How here() const {
        return {.netns = scene_->host->netns().fd(), .limit = std::chrono::seconds(240)};
    }
    [[nodiscard]] Ended beeline(std::vector<std::string> words) const {
        words.insert(words.begin(), {"--pins", (scene_->lab.bpffs() / "beeline").string()});
        return cli_test::run_program(words, here());
    }
    /// Device and programs of each guest.
    [[nodiscard]] std::map<std::string, std::vector<std::uint32_t>> identities() const {
        std::map<std::string, std::vector<std::uint32_t>> all;
        const auto status = scene_->status();
        EXPECT_TRUE(status) << status.error().message();
        for (const GuestStatus &guest : status ? status->guests : std::vector<GuestStatus>()) {
            EXPECT_TRUE(guest.attached) << guest.name;
            std::vector<std::uint32_t> &numbers = all[guest.name] = {guest.ifindex};
            for (const HookProgram &hook : guest.hooks)
                numbers.push_back(hook.prog_id);
        }
        return all;
    }
    /// Forty pairs, spread over all of them, every other one by IPv6.
    void expect_talk() const {
        for (int k = 0; k < 30; ++k) {
            const int from = k * 16 + 3, to = (k * 191 + 11) % kGuests;
            const std::string address = k % 2 == 0 ? address4(to) : address6(to);
            EXPECT_TRUE(talks(scene_->node(name(from)), scene_->node(name(to)), address)) << from << " to " << address;
        }
        for (int k = 0; k < 10; ++k) {
            const int guest = k * 53 + 7;
            const lab::Node &node = scene_->node(name(guest));
            const std::string address = k % 2 == 0 ? address4(guest) : address6(guest);
            EXPECT_TRUE(talks(*scene_->host, node, address)) << "host to " << address;
            EXPECT_TRUE(talks(node, *scene_->host, k % 2 == 0 ? "10.9.0.1" : "fd09::1")) << guest << " to the host";
        }
        EXPECT_FALSE(talks(scene_->node(name(1)), scene_->node(name(2)), address4(2), 4001)) << "rules hold";
    }
};

TEST_F(HundredsOfGuests, come_from_one_file_change_one_by_one_outlive_the_daemon_and_leave_nothing) {
    ASSERT_VALUE(const auto host, edge::World::look(*scene_->host, scene_->lab.bpffs()));
    ASSERT_VALUE(const auto last, edge::World::look(scene_->node(name(kGuests - 1)), scene_->lab.bpffs()));
    const Ended up = beeline({"up", write_config()});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_THAT(up.out, HasSubstr("new: g0, g1, g2, g3, g4, g5, g6, g7, g8, g9 and 490 more"));
    expect_talk();
    const auto before = identities();
    ASSERT_EQ(before.size(), static_cast<std::size_t>(kGuests));
    EXPECT_THAT(before.at("g77"), testing::SizeIs(3));

    const std::string other = write_config(kChanged);
    EXPECT_THAT(beeline({"plan", other}).out, HasSubstr("~ guest   g77"));
    const Ended changed = beeline({"up", other});
    EXPECT_EQ(changed.status, 0) << changed.err;
    EXPECT_THAT(changed.out, testing::EndsWith(": changed: g77\n"));
    EXPECT_EQ(identities(), before);
    EXPECT_THAT(beeline({"guest", "show", "g77"}).out, HasSubstr("in tcp dport 999 -> pass"));
    EXPECT_THAT(beeline({"guest", "show", "g78"}).out, HasSubstr("in tcp dport 1078 -> pass"));
    EXPECT_THAT(beeline({"plan", other}).out, HasSubstr("no difference"));
    EXPECT_THAT(beeline({"status"}).out, testing::AllOf(HasSubstr("500 guests from"), HasSubstr("g499")));
    EXPECT_THAT(beeline({"guest", "list"}).out, testing::AllOf(HasSubstr("g0 "), HasSubstr("g499 ")));

    for (int number : {SIGKILL, SIGTERM}) {
        cli_test::Background daemon({"run", "-c", other}, here());
        ASSERT_TRUE(daemon.logged("control socket")) << daemon.log();
        EXPECT_THAT(daemon.log(), HasSubstr("no change"));
        daemon.signal(number);
        EXPECT_EQ(daemon.wait(), number == SIGKILL ? 128 + SIGKILL : 0);
    }
    EXPECT_EQ(identities(), before);
    expect_talk();

    const Ended down = beeline({"down"});
    EXPECT_EQ(down.status, 0) << down.err;
    for (const edge::World *world : {&host, &last}) {
        ASSERT_VALUE(const auto changes, world->changes_since());
        EXPECT_THAT(changes, testing::IsEmpty()) << edge::lines(changes);
    }
}

} // namespace
} // namespace beeline::guest
