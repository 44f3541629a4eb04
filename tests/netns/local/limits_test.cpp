// SPDX-License-Identifier: Apache-2.0
//
// What does not get onto the short cut: it stays on TCP, and is told.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/kernel/map.hpp>
#include <beeline/kernel/text_map.hpp>
#include <beeline/kernel/typed_map.hpp>

#include "local/objects.hpp"
#include "local/tend.hpp"

#include <netns/local/life.hpp>
#include <netns/local/naive.hpp>

namespace beeline::conformance {
namespace {

using local::State;
using testing::HasSubstr;

constexpr std::size_t kRoom = local::kMinConnections;

TEST_F(LocalLife, leaves_more_than_it_has_room_for_on_tcp) {
    const rlimit files{.rlim_cur = 8192, .rlim_max = 8192};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    room_ = kRoom;
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(std::vector<Link> links, connect_here(listener.get(), kRoom + 100));
    EXPECT_EQ(reason("full"), 100U);
    EXPECT_EQ(connections().size(), kRoom);
    EXPECT_TRUE(takes_the_short_cut(links.front()));
    EXPECT_TRUE(exchange(links.back(), 50));
    EXPECT_EQ(redirected(links.back()), 0U);
    links.clear();
    EXPECT_TRUE(until([&] { return connections().empty(); }));
    ASSERT_VALUE(const Link fresh, connect_here(listener.get()));
    EXPECT_TRUE(takes_the_short_cut(fresh));
}

/// As when there was no memory for it.
void take_storage_away(const std::filesystem::path &pins, const Link &link) {
    using FlowMap = kernel::Map<int, bl_local_flow>;
    ASSERT_VALUE(auto flows, FlowMap::from_pin(pins / local::kLive / "local_flows"));
    for (const kernel::UniqueFd *fd : {&link.client, &link.server}) {
        ASSERT_VALUE(const bool there, flows.erase(fd->get()));
        EXPECT_TRUE(there);
    }
}

TEST_F(LocalLife, forgets_pairs_that_no_socket_has) {
    ASSERT_OK(up());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link living, connect_here(listener.get()));
    {
        ASSERT_VALUE(const Link lost, connect_here(listener.get()));
        take_storage_away(pins_, lost);
    }
    EXPECT_EQ(connections().size(), 2U) << "nobody has noticed";
    ASSERT_VALUE(const auto objects, local::open_pinned(pins_ / local::kLive));
    for (int i = 0; i < BL_LOCAL_SWEEP_EVERY; ++i)
        ASSERT_OK(local::run_tend(objects, pins_ / local::kLive));
    EXPECT_EQ(connections().size(), 1U);
    EXPECT_EQ(reason("swept"), 1U);
    ASSERT_OK(tend());
    EXPECT_TRUE(takes_the_short_cut(living));
}

TEST_F(LocalLife, knows_a_process_whatever_its_threads_are_called) {
    ASSERT_OK(up({"process netns_local_lif -> accelerate"})); // 15 letters of it
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link link, connect_here(listener.get()));
    std::jthread([&] {
        ::prctl(PR_SET_NAME, "worker");
        EXPECT_TRUE(takes_the_short_cut(link));
    }).join();
}

/// A connection of a process in the cgroup is chosen.
bool is_chosen(kernel::Cgroup &service, kernel::Cgroup &home, int listener, const local::Local &local) {
    if (!service.add(0))
        return false;
    const auto link = connect_here(listener);
    const bool moved = home.add(0).has_value(); // sockets stay where they were made
    const auto status = local.status();
    return moved && link && status && !status->connections.empty() && status->connections.front().state != State::tcp;
}

TEST_F(LocalLife, follows_a_service_that_starts_again) {
    ASSERT_VALUE(const auto mount, kernel::cgroup2_mount());
    const std::string path = "/" + cgroup_->directory().lexically_relative(mount).string() + "/service";
    ASSERT_VALUE(kernel::Cgroup first, kernel::Cgroup::create(path));
    const harness::OnExit cleanup(harness::Leftover::cgroup, first.directory());
    ASSERT_OK(up({"cgroup " + path + " -> accelerate"}));
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    EXPECT_TRUE(is_chosen(first, *cgroup_, listener.get(), *local_));
    ASSERT_TRUE(until([&] { return connections().empty(); }));
    ASSERT_OK(first.remove());
    ASSERT_VALUE(kernel::Cgroup second, kernel::Cgroup::create(path));
    EXPECT_TRUE(until([&] { return connections().empty() && is_chosen(second, *cgroup_, listener.get(), *local_); }));
    ASSERT_OK(up({"cgroup " + path + " -> accelerate"}));
}

TEST_F(LocalLife, leaves_sockets_of_somebody_else_s_sockmap_alone) {
    ASSERT_VALUE(const auto naive, start_naive(*cgroup_));
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    ASSERT_VALUE(const Link link, connect_here(listener.get()));
    ASSERT_TRUE(naive->on_short_cut(link.client.get()));
    EXPECT_TRUE(exchange(link, 50));
    EXPECT_TRUE(until([&] { return exchange(link) && reason("foreign") == 1; }));
    ASSERT_EQ(connections().size(), 1U);
    EXPECT_EQ(connections().front().state, State::tcp);
    EXPECT_EQ(connections().front().reason, "foreign");
    EXPECT_EQ(filed(), 0U);
    EXPECT_EQ(redirected(link), 0U);
}

/// The record says so, as one of another version would.
Result<> claim_another_version(const std::filesystem::path &directory) {
    BL_TRY(std::string text, kernel::pinned_text(local::kRecordPin, directory / local::kRecordPin));
    const std::string ours = "\"abi\":" + std::to_string(BL_ABI_VERSION);
    const std::size_t at = text.find(ours);
    if (at == std::string::npos)
        return fail(Kind::state, 0, "the record has no version");
    text.replace(at, ours.size(), "\"abi\":99");
    return kernel::repin_text(local::kRecordPin, text, directory / local::kRecordPin);
}

TEST_F(LocalLife, refuses_state_of_another_version) {
    ASSERT_OK(up());
    ASSERT_OK(claim_another_version(pins_ / local::kLive));
    const std::string refused = "is of ABI version 99, this program speaks";
    const auto again = up();
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, Kind::state);
    EXPECT_THAT(again.error().message(), HasSubstr(refused));
    const auto status = local_->status();
    ASSERT_FALSE(status.has_value());
    EXPECT_THAT(status.error().message(), HasSubstr(refused));
    const auto tender = local::Tender::open(pins_);
    ASSERT_FALSE(tender.has_value());
    EXPECT_THAT(tender.error().message(), HasSubstr(refused));
    ASSERT_VALUE(const bool went, local_->down()); // nothing is on the short cut: nothing can be lost
    EXPECT_TRUE(went);
    ASSERT_OK(up());
}

TEST_F(LocalLife, does_not_tear_down_what_it_does_not_understand_under_sockets) {
    ASSERT_OK(up());
    ASSERT_OK(tend());
    ASSERT_VALUE(const kernel::UniqueFd listener, listen_here());
    {
        ASSERT_VALUE(const Link link, connect_here(listener.get()));
        ASSERT_TRUE(takes_the_short_cut(link));
        stop_tending();
        ASSERT_OK(claim_another_version(pins_ / local::kLive));
        const auto down = local_->down();
        ASSERT_FALSE(down.has_value());
        EXPECT_EQ(down.error().kind, Kind::state);
        EXPECT_THAT(down.error().message(), HasSubstr("2 sockets are on the short cut"));
        EXPECT_TRUE(exchange(link, 10));
    }
    EXPECT_TRUE(until([&] { return local_->down().value_or(false); })) << "when they have closed";
}

} // namespace
} // namespace beeline::conformance
