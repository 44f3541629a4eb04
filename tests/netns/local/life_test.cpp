// SPDX-License-Identifier: Apache-2.0
//
// [local] comes, changes and goes under connections that live on.
#include <csignal>
#include <cstdlib>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/kernel/typed_map.hpp>
#include <beeline/local.h>
#include <netns/local/life.hpp>

namespace beeline::conformance {
namespace {

using local::State;
using testing::HasSubstr;

constexpr std::uint64_t kMuch = 20'000'000;

class LocalLifeBusy : public LocalLife {
protected:
    /// Connections on the short cut, and those that a row of small messages, as random sizes have it, took back to TCP.
    [[nodiscard]] std::size_t settled() const { return count(State::on) + reason("small"); }
};

TEST_F(LocalLifeBusy, goes_under_load_without_loss) {
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const std::vector<Link> links, connect_here(listener.get(), 8));
    Traffic traffic(links);
    ASSERT_TRUE(until([&] { return settled() == 8; }));
    ASSERT_TRUE(traffic.carries(kMuch));
    EXPECT_GT(redirected(), 0U);
    ASSERT_VALUE(const bool went, local_->down());
    EXPECT_TRUE(went);
    ASSERT_VALUE(const bool there, local_->is_up());
    EXPECT_FALSE(there);
    EXPECT_TRUE(traffic.carries(kMuch)) << "by TCP";
    EXPECT_EQ(traffic.finish(), "");
}

TEST_F(LocalLife, redirects_nothing_while_nobody_tends_it) {
    ASSERT_OK(up());
    ASSERT_VALUE(auto settings, (kernel::Map<std::uint32_t, bl_local_settings>::from_pin(
                                    bpffs_->path() / "beeline/local/local_settings")));
    ASSERT_VALUE(auto now, settings.lookup(0));
    ASSERT_TRUE(now);
    now->patience = 100; // jiffies; 3000 of them would take too long
    ASSERT_OK(settings.update(0, *now));
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link link, connect_here(listener.get()));
    ASSERT_TRUE(takes_the_short_cut(link));
    stop_tending();
    EXPECT_TRUE(until([&] { return exchange(link) && reason("untended") != 0; }));
    const std::uint64_t before = redirected(link);
    EXPECT_TRUE(exchange(link, 20));
    EXPECT_EQ(redirected(link), before);
    EXPECT_EQ(count(State::on), 1U) << "as soon as somebody tends it again it goes on";
    ASSERT_OK(tend());
    EXPECT_TRUE(until([&] { return exchange(link) && redirected(link) > before; }));
}

TEST_F(LocalLife, waits_for_a_reader_before_it_goes) {
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link link, connect_here(listener.get()));
    ASSERT_TRUE(takes_the_short_cut(link));
    ASSERT_EQ(::send(link.client.get(), "by the short cut,", 17, 0), 17);
    const auto early = local_->down(std::chrono::milliseconds(100));
    ASSERT_FALSE(early.has_value());
    EXPECT_EQ(early.error().kind, Kind::conflict);
    EXPECT_THAT(early.error().message(), HasSubstr("1 sockets hold bytes"));
    ASSERT_VALUE(const local::Status status, local_->status());
    EXPECT_TRUE(status.draining);
    const std::uint64_t before = redirected();
    ASSERT_EQ(::send(link.client.get(), "by TCP", 6, 0), 6);
    EXPECT_EQ(redirected(), before);
    std::string all = read_now(link.server.get());
    if (all.size() < 23)
        all += read_now(link.server.get());
    EXPECT_EQ(all, "by the short cut,by TCP");
    ASSERT_VALUE(const bool went, local_->down());
    EXPECT_TRUE(went);
    EXPECT_TRUE(exchange(link, 10));
}

TEST_F(LocalLife, comes_back_after_it_could_not_go) {
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link link, connect_here(listener.get()));
    ASSERT_TRUE(takes_the_short_cut(link));
    ASSERT_EQ(::send(link.client.get(), "unread", 6, 0), 6);
    ASSERT_FALSE(local_->down(std::chrono::milliseconds(1)).has_value());
    ASSERT_OK(up());
    EXPECT_EQ(read_now(link.server.get()), "unread");
    EXPECT_TRUE(exchange(link, 10));
    ASSERT_VALUE(const Link fresh, connect_here(listener.get()));
    EXPECT_TRUE(takes_the_short_cut(fresh));
}

TEST_F(LocalLifeBusy, obeys_other_rules_under_load) {
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    const std::string chosen = "dport " + std::to_string(port_of(listener.get())) + " -> accelerate";
    ASSERT_OK(up({chosen}));
    ASSERT_OK(tend());
    ASSERT_VALUE(const std::vector<Link> links, connect_here(listener.get(), 8));
    Traffic traffic(links);
    ASSERT_TRUE(until([&] { return settled() == 8; }));
    ASSERT_TRUE(traffic.carries(kMuch));
    EXPECT_GT(redirected(), 0U);
    ASSERT_VALUE(const local::UpReport report, up({"fallback -> tcp"}));
    EXPECT_TRUE(report.changed);
    EXPECT_TRUE(until([&] { return filed() == 0; }));
    EXPECT_EQ(count(State::on), 0U);
    EXPECT_EQ(reason("not_chosen") + reason("small"), 8U);
    ASSERT_TRUE(traffic.carries(kMuch)) << "by TCP";
    ASSERT_OK(up({chosen}));
    ASSERT_VALUE(const Link fresh, connect_here(listener.get()));
    EXPECT_TRUE(takes_the_short_cut(fresh));
    EXPECT_EQ(filed(), 2U) << "who has left stays away";
    ASSERT_TRUE(traffic.carries(kMuch));
    EXPECT_EQ(traffic.finish(), "");
}

/// A daemon that can be killed.
Result<pid_t> tending_process(const std::filesystem::path &pins) {
    const pid_t pid = ::fork();
    if (pid < 0)
        return fail_errno(errno, "fork");
    if (pid > 0)
        return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto tender = local::Tender::open(pins);
    while (tender)
        tend_once(*tender);
    ::_exit(1);
}

TEST_F(LocalLifeBusy, needs_no_daemon_for_what_is_on_it) {
    ASSERT_OK(up());
    ASSERT_VALUE(const pid_t daemon, tending_process(pins_));
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const std::vector<Link> links, connect_here(listener.get(), 4));
    ASSERT_VALUE(const Link quiet, connect_here(listener.get()));
    ASSERT_TRUE(takes_the_short_cut(quiet));
    Traffic traffic(links);
    ASSERT_TRUE(until([&] { return settled() == 5; }));
    ASSERT_TRUE(traffic.carries(kMuch));
    ::kill(daemon, SIGKILL);
    ASSERT_EQ(::waitpid(daemon, nullptr, 0), daemon);
    const std::uint64_t before = redirected(quiet);
    EXPECT_TRUE(traffic.carries(kMuch));
    EXPECT_TRUE(exchange(quiet, 10));
    EXPECT_EQ(redirected(quiet), before + 640);
    ASSERT_VALUE(const Link fresh, connect_here(listener.get()));
    EXPECT_TRUE(exchange(fresh, 50));
    EXPECT_LE(count(State::on), 5U) << "nobody lets it in";
    ASSERT_OK(tend());
    EXPECT_TRUE(takes_the_short_cut(fresh));
    EXPECT_TRUE(traffic.carries(kMuch));
    EXPECT_EQ(traffic.finish(), "");
}

} // namespace
} // namespace beeline::conformance
