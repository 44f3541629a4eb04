// SPDX-License-Identifier: Apache-2.0
//
// The daemon comes and goes, by force too, while packets pass: the edge is in the kernel, they do not notice.
#include <csignal>

#include <chrono>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/host.hpp"
#include "load.hpp"
#include "marks.hpp"
#include "netns/cli/program.hpp"

namespace beeline::edge {
namespace {

using cli_test::Background;

constexpr int kKills = 4;
constexpr std::uint64_t kMeanwhile = 300'000; ///< Packets to be judged between one event and the next.

/// a(va) -> b(vb), where the daemon is.
class DaemonUnderLoad : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (cpus_.size() < 2)
            GTEST_SKIP() << "one CPU: the generator would stand still while the daemon starts";
        ASSERT_VALUE(pair_, Pair::make({.gro = true, .silent = true}));
        ASSERT_VALUE(auto behind, MarkCounter::attach(*pair_->b, "vb", MarkCounter::Hook::tcx));
        behind_.emplace(std::move(behind));
        ASSERT_VALUE(host_, Host::on(*pair_->b, pins()));
        const Text text = marking_a({"vb"});
        std::ofstream(config()) << fmt::format("[host]\npins = \"{}\"\nsocket = \"{}\"\n\n[edge]\ndevices = [\"vb\"]\n"
                                               "rules = [\n  \"{}\",\n  \"fallback -> pass\",\n]\n",
                                               pins(), (pair_->lab.folder() / "beeline.sock").string(),
                                               fmt::join(text.rules, "\",\n  \""));
    }
    [[nodiscard]] std::string pins() const { return (pair_->lab.bpffs() / "b").string(); }
    [[nodiscard]] std::string config() const { return (pair_->lab.folder() / "beeline.toml").string(); }
    [[nodiscard]] cli_test::How here() const { return {.netns = pair_->b->netns().fd()}; }

    /// The daemon, up and answering.
    std::unique_ptr<Background> daemon() const {
        auto started = std::make_unique<Background>(std::vector<std::string>{"run", "-c", config()}, here());
        EXPECT_TRUE(started->logged("control socket")) << started->log();
        return started;
    }
    /// Until so many more packets have come out of the edge.
    void let_pass(std::uint64_t packets) const {
        const std::uint64_t wanted = behind_->counts().all() + packets;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (behind_->counts().all() < wanted) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing comes through any more";
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    std::vector<int> cpus_ = usable_cpus();
    std::unique_ptr<Pair> pair_;
    std::optional<MarkCounter> behind_;
    std::optional<Host> host_;
};

TEST_F(DaemonUnderLoad, killed_and_started_again_no_packet_is_treated_differently) {
    // Children inherit the CPU: the daemons stay out of the generator's way.
    ASSERT_VALUE(const auto pinned, lab::PinnedToCpu::pin(cpus_[1]));
    auto running = daemon();
    ASSERT_VALUE(const auto flood, Flood::start(*pair_->a, "va", cpus_[0]));
    ASSERT_NO_FATAL_FAILURE(let_pass(kMeanwhile));
    for (int kill = 0; kill < kKills; ++kill) {
        if (kill % 2 == 1) { // in the middle of something
            running->signal(SIGHUP);
            std::this_thread::sleep_for(std::chrono::milliseconds(3 * kill));
        }
        running->signal(SIGKILL);
        ASSERT_EQ(running->wait(), 128 + SIGKILL);
        ASSERT_NO_FATAL_FAILURE(let_pass(kMeanwhile));
        running = daemon();
        ASSERT_NO_FATAL_FAILURE(let_pass(kMeanwhile));
    }
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0) << running->log();
    ASSERT_NO_FATAL_FAILURE(let_pass(kMeanwhile));
    ASSERT_VALUE(const lab::Sent sent, flood->stop());

    // A frame that finds vb's queue full ends there, before the edge; veth counts it.
    ASSERT_VALUE(const std::uint64_t before, full_queue_drops(*pair_->a, "va"));
    const MarkCounts counted = settled(*behind_, sent.frames - before);
    fmt::print(
        "killed {} times in {:.1f} s under {:.2f} Mpps: {} frames sent, {} by A; queue full: {} before the edge\n",
        kKills, sent.wall_seconds, sent.mpps(), sent.frames, counted.a, before);
    EXPECT_EQ(counted.b + counted.mixed + counted.unmarked + counted.other, 0U);
    EXPECT_EQ(sent.frames, counted.a + before) << statistics(*pair_->a, "va") << "\n" << statistics(*pair_->b, "vb");
    EXPECT_EQ(host_->packets(rule_of_a()), counted.a) << "the daemons that took over went on counting";
    ASSERT_VALUE(const Status status, host_->status());
    ASSERT_EQ(status.devices.size(), 1U);
    EXPECT_TRUE(status.devices.front().attached);
    EXPECT_GT(status.generation, static_cast<std::uint32_t>(kKills)) << "each of them has brought the edge up";

    const cli_test::Ended down = cli_test::run_program({"--pins", pins(), "down"}, here());
    EXPECT_EQ(down.status, 0) << down.err;
    EXPECT_FALSE(std::filesystem::exists(pins()));
    if (sent.mpps() < 0.5)
        GTEST_SKIP() << fmt::format("all that was looked at is right, but {:.2f} Mpps is no load", sent.mpps());
}

} // namespace
} // namespace beeline::edge
