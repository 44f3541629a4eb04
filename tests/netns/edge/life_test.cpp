// SPDX-License-Identifier: Apache-2.0
//
// An edge's life: up, reload, confirm, rollback, down.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host.hpp"
#include "wire.hpp"
#include "world.hpp"

namespace beeline::edge {
namespace {

using harness::Eth, harness::Ip4, harness::Udp, harness::Payload;
using testing::ElementsAre, testing::IsEmpty, testing::UnorderedElementsAre;

Bytes udp_to(std::uint16_t port) {
    return (Eth{} / Ip4{} / Udp{.dport = port} / Payload("to a port of its own")).bytes();
}

/// Both ends silent, so that a counter shows what the test sent and nothing else.
class EdgeLife : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        ASSERT_VALUE(host_, pair_->host_b());
        ASSERT_VALUE(from_, Wire::open(*pair_->a, "va"));
        ASSERT_VALUE(to_, Wire::open(*pair_->b, "vb"));
    }
    /// Sends to a port and says whether it came through.
    bool passes(std::uint16_t port, const Wire &from, const Wire &to) {
        to.forget();
        if (const auto sent = from.send(udp_to(port)); !sent)
            ADD_FAILURE() << sent.error().message();
        // What must not come can only be told from what comes after it.
        if (const auto sent = from.send(udp_to(kMark)); !sent)
            ADD_FAILURE() << sent.error().message();
        unsigned came = 0;
        for (auto frame = to.receive(); frame; frame = to.receive()) {
            if (frame->bytes == udp_to(kMark))
                return came == 1;
            came += frame->bytes == udp_to(port) ? 1 : 0;
        }
        ADD_FAILURE() << "not even the marker came through";
        return false;
    }
    bool passes(std::uint16_t port) { return passes(port, *from_, *to_); }
    std::optional<std::uint64_t> hits(std::string_view rule) { return host_->packets(rule); }

    static constexpr std::uint16_t kMark = 4711; ///< No test drops it.
    std::unique_ptr<Pair> pair_;
    std::optional<Host> host_;
    std::optional<Wire> from_, to_;
};

TEST_F(EdgeLife, the_first_up_judges_from_its_first_packet_on) {
    EXPECT_TRUE(passes(7));
    ASSERT_VALUE(const UpReport report, host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    EXPECT_TRUE(report.first);
    EXPECT_EQ(report.generation, 1U);
    EXPECT_FALSE(passes(7));
    EXPECT_TRUE(passes(8));
    ASSERT_VALUE(const Status status, host_->status());
    EXPECT_EQ(status.generation, 1U);
    EXPECT_EQ(status.file, "edge.toml");
    EXPECT_EQ(status.rollback_in, std::nullopt);
    ASSERT_EQ(status.devices.size(), 1U);
    EXPECT_EQ(status.devices[0].name, "vb");
    EXPECT_EQ(status.devices[0].mode, Mode::native);
    EXPECT_EQ(status.devices[0].why, "");
    EXPECT_TRUE(status.devices[0].attached);
    ASSERT_EQ(status.rules.size(), 2U);
    EXPECT_EQ(status.rules[0].text, "udp dport 7 -> drop");
    EXPECT_EQ(status.rules[0].packets, 1U);
    EXPECT_EQ(status.rules[0].bytes, udp_to(7).size());
    EXPECT_EQ(status.rules[1].packets, 3U);
    ASSERT_EQ(status.hooks.size(), 1U);
    EXPECT_EQ(status.hooks[0].hook, "xdp native");
    EXPECT_TRUE(status.hooks[0].ours);
    EXPECT_EQ(host_->odd("no_policy"), 0U);
}

TEST_F(EdgeLife, a_reload_keeps_the_counters_of_rules_that_stay_and_begins_new_ones_at_0) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop", "udp dport 8 -> drop"}}));
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(passes(7));
    EXPECT_FALSE(passes(8));
    // 8 goes, 9 comes, 7 moves behind it.
    ASSERT_VALUE(const UpReport report,
                 host_->up({.devices = {"vb"}, .rules = {"udp dport 9 -> drop", "udp dport 7 -> drop"}}));
    EXPECT_FALSE(report.first);
    EXPECT_EQ(report.generation, 2U);
    EXPECT_EQ(hits("udp dport 7 -> drop"), 3U);
    EXPECT_EQ(hits("udp dport 9 -> drop"), 0U);
    EXPECT_EQ(hits("udp dport 8 -> drop"), std::nullopt);
    EXPECT_TRUE(passes(8));
    EXPECT_FALSE(passes(9));
    EXPECT_FALSE(passes(7));
    EXPECT_EQ(hits("udp dport 7 -> drop"), 4U);
    // And a rule that was away is a new one, also when it gets the slot that it once had.
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop", "udp dport 7 -> drop"}}));
    EXPECT_EQ(hits("udp dport 8 -> drop"), 0U);
    EXPECT_EQ(hits("udp dport 7 -> drop"), 4U);
}

TEST_F(EdgeLife, the_same_rule_twice_has_two_counters) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop", "udp dport 7 -> drop"}}));
    EXPECT_FALSE(passes(7));
    ASSERT_OK(
        host_->up({.devices = {"vb"}, .rules = {"udp dport 9 -> drop", "udp dport 7 -> drop", "udp dport 7 -> drop"}}));
    ASSERT_VALUE(const Status status, host_->status());
    EXPECT_EQ(status.rules[1].packets, 1U);
    EXPECT_EQ(status.rules[2].packets, 0U);
}

TEST_F(EdgeLife, plan_tells_the_difference_and_changes_nothing) {
    const Text first{.devices = {"vb"},
                     .rules = {"udp dport 7 -> drop", "udp dport 8 -> drop"},
                     .sets = "[sets.bad]\ntype = \"prefix\"\nentries = [\"192.0.2.0/24\"]\n"};
    ASSERT_VALUE(const Plan before, host_->plan(first));
    EXPECT_FALSE(before.live);
    EXPECT_THAT(before.devices_added, ElementsAre("vb"));
    EXPECT_FALSE(before.empty());
    ASSERT_OK(host_->up(first));
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    ASSERT_VALUE(const Plan same, host_->plan(first));
    EXPECT_TRUE(same.empty());
    ASSERT_VALUE(const Plan other, host_->plan({.devices = {"lo"},
                                                .rules = {"udp dport 8 -> drop", "udp dport 9 -> drop"},
                                                .sets = "[sets.bad]\ntype = \"prefix\"\nentries = [\"192.0.2.0/25\"]\n"
                                                        "[sets.good]\ntype = \"port\"\nentries = [\"80\"]\n"}));
    EXPECT_TRUE(other.live);
    EXPECT_THAT(other.devices_added, ElementsAre("lo"));
    EXPECT_THAT(other.devices_removed, ElementsAre("vb"));
    EXPECT_THAT(other.rules_added, ElementsAre("udp dport 9 -> drop"));
    EXPECT_THAT(other.rules_removed, ElementsAre("udp dport 7 -> drop"));
    EXPECT_THAT(other.sets_changed, ElementsAre("bad"));
    EXPECT_THAT(other.sets_added, ElementsAre("good"));
    EXPECT_FALSE(other.reordered);
    ASSERT_VALUE(
        const Plan turned,
        host_->plan({.devices = {"vb"}, .rules = {"udp dport 8 -> drop", "udp dport 7 -> drop"}, .sets = first.sets}));
    EXPECT_TRUE(turned.reordered);
    EXPECT_FALSE(turned.empty());
    ASSERT_VALUE(const auto changes, world.changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
}

TEST_F(EdgeLife, down_leaves_nothing) {
    ASSERT_OK(pair_->a->set_offload("va", "gro", true)); // so that vb may be redirected to
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    ASSERT_OK(host_->up(
        {.devices = {"vb", "lo"},
         .rules = {"src @bad -> drop", "udp dport 8 -> log every 1 drop", "device vb udp dport 9 -> cpu 0",
                   "udp dport 10 -> xsk tool", "udp dport 11 -> redirect vb", "tcp rate over 10/s per src -> drop"},
         .sets = "[sets.bad]\ntype = \"prefix\"\nentries = [\"203.0.113.0/24\", \"2001:db8:9::/48\"]\n"}));
    EXPECT_FALSE(passes(8));
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}, std::chrono::seconds(60)));
    ASSERT_OK(host_->confirm());
    ASSERT_OK(host_->up({.devices = {"lo", "vb"}, .rules = {"udp dport 8 -> drop"}}, std::chrono::seconds(60)));
    ASSERT_VALUE(const auto during, world.changes_since());
    EXPECT_THAT(during, testing::Not(IsEmpty())) << "the comparison is blind";
    ASSERT_VALUE(const bool was_up, host_->down());
    EXPECT_TRUE(was_up);
    EXPECT_TRUE(passes(8));
    ASSERT_VALUE(const auto changes, world.changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
    ASSERT_VALUE(const bool again, host_->down());
    EXPECT_FALSE(again) << "there is nothing to take down";
    ASSERT_VALUE(const auto still, world.changes_since());
    EXPECT_THAT(still, IsEmpty()) << lines(still);
}

TEST_F(EdgeLife, up_after_down_begins_anew) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    EXPECT_FALSE(passes(7));
    ASSERT_OK(host_->down());
    ASSERT_VALUE(const UpReport report, host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    EXPECT_TRUE(report.first);
    EXPECT_EQ(hits("udp dport 7 -> drop"), 0U);
}

TEST_F(EdgeLife, status_without_an_edge_says_what_to_do) {
    const auto status = host_->status();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message(), testing::HasSubstr("no edge is up"));
    EXPECT_THAT(status.error().remedy, testing::HasSubstr("beeline up"));
    EXPECT_FALSE(std::filesystem::exists(host_->pins())) << "asking makes nothing";
}

/// One more device on b, whose far end is on a.
class EdgeDevices : public EdgeLife {
protected:
    void SetUp() override {
        EdgeLife::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_OK(pair_->lab.cable({.node = pair_->a, .device = "wa"}, {.node = pair_->b, .device = "wb"}));
        ASSERT_VALUE(from_w_, Wire::open(*pair_->a, "wa"));
        ASSERT_VALUE(to_w_, Wire::open(*pair_->b, "wb"));
    }
    bool passes_w(std::uint16_t port) { return passes(port, *from_w_, *to_w_); }
    std::optional<Wire> from_w_, to_w_;
};

TEST_F(EdgeDevices, a_reload_adds_and_removes_them) {
    const std::vector<std::string> rules = {"udp dport 7 -> drop"};
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = rules}));
    EXPECT_TRUE(passes_w(7));
    ASSERT_VALUE(const UpReport both, host_->up({.devices = {"vb", "wb"}, .rules = rules}));
    EXPECT_EQ(both.devices.size(), 2U);
    EXPECT_FALSE(passes(7));
    EXPECT_FALSE(passes_w(7));
    EXPECT_EQ(hits("udp dport 7 -> drop"), 2U);
    ASSERT_OK(host_->up({.devices = {"wb"}, .rules = rules}));
    EXPECT_TRUE(passes(7));
    EXPECT_FALSE(passes_w(7));
    ASSERT_VALUE(const kernel::Device vb, pair_->b->device("vb"));
    EXPECT_TRUE(vb.xdp.empty()) << "its hook is free again";
    ASSERT_VALUE(const Status status, host_->status());
    ASSERT_EQ(status.devices.size(), 1U);
    EXPECT_EQ(status.devices[0].name, "wb");
}

TEST_F(EdgeDevices, a_rule_can_tell_them_apart) {
    ASSERT_OK(host_->up({.devices = {"vb", "wb"}, .rules = {"device wb udp dport 7 -> drop"}}));
    EXPECT_TRUE(passes(7));
    EXPECT_FALSE(passes_w(7));
}

TEST_F(EdgeLife, confirm_keeps_the_new_policy) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    ASSERT_VALUE(const UpReport report,
                 host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop"}}, std::chrono::seconds(300)));
    ASSERT_VALUE(const Status waiting, host_->status());
    ASSERT_TRUE(waiting.rollback_in);
    EXPECT_LE(*waiting.rollback_in, std::chrono::seconds(300));
    const auto meanwhile = host_->up({.devices = {"vb"}, .rules = {"udp dport 9 -> drop"}});
    ASSERT_FALSE(meanwhile);
    EXPECT_EQ(meanwhile.error().kind, Kind::conflict);
    EXPECT_THAT(meanwhile.error().message(), testing::HasSubstr("waits to be confirmed"));
    ASSERT_OK(host_->confirm());
    ASSERT_VALUE(const Status confirmed, host_->status());
    EXPECT_FALSE(confirmed.rollback_in);
    EXPECT_FALSE(std::filesystem::exists(host_->pins() / "edge_prev"));
    ASSERT_VALUE(const bool rolled, host_->rollback(report.generation));
    EXPECT_FALSE(rolled) << "what is confirmed stays";
    EXPECT_FALSE(passes(8));
    const auto again = host_->confirm();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, Kind::usage);
}

TEST_F(EdgeDevices, rollback_brings_back_the_previous_policy_with_its_counters_and_devices) {
    ASSERT_OK(host_->up({.devices = {"vb", "wb"}, .rules = {"udp dport 7 -> drop"}, .mode = "generic"}));
    EXPECT_FALSE(passes(7));
    ASSERT_VALUE(
        const UpReport trial,
        host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop"}, .mode = "generic"}, std::chrono::seconds(300)));
    EXPECT_TRUE(passes(7));
    EXPECT_FALSE(passes(8));
    EXPECT_TRUE(passes_w(7)) << "wb was let go";
    ASSERT_VALUE(const bool another, host_->rollback(trial.generation + 1));
    EXPECT_FALSE(another) << "only the generation that waits is rolled back";
    ASSERT_VALUE(const bool rolled, host_->rollback(trial.generation));
    EXPECT_TRUE(rolled);
    ASSERT_VALUE(const Status status, host_->status());
    EXPECT_EQ(status.generation, 1U);
    EXPECT_FALSE(status.rollback_in);
    ASSERT_EQ(status.devices.size(), 2U);
    for (const DeviceStatus &device : status.devices) {
        EXPECT_TRUE(device.attached) << device.name;
        EXPECT_EQ(device.mode, Mode::generic) << device.name << " was generic before";
    }
    EXPECT_EQ(hits("udp dport 7 -> drop"), 1U);
    EXPECT_FALSE(passes(7));
    EXPECT_TRUE(passes(8));
    EXPECT_FALSE(passes_w(7));
    EXPECT_FALSE(std::filesystem::exists(host_->pins() / "edge_prev"));
    // Numbers are not given out twice: events of the trial must not be taken for those of the next.
    ASSERT_VALUE(const UpReport next,
                 host_->up({.devices = {"vb"}, .rules = {"udp dport 9 -> drop"}, .mode = "generic"}));
    EXPECT_EQ(next.generation, trial.generation + 1);
}

TEST_F(EdgeDevices, rollback_does_without_a_device_that_has_gone_meanwhile) {
    ASSERT_OK(host_->up({.devices = {"vb", "wb"}, .rules = {"udp dport 7 -> drop"}}));
    ASSERT_VALUE(const UpReport trial,
                 host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop"}}, std::chrono::seconds(300)));
    ASSERT_OK(pair_->b->run({.words = {"ip", "link", "delete", "wb"}}));
    ASSERT_VALUE(const bool rolled, host_->rollback(trial.generation));
    EXPECT_TRUE(rolled);
    EXPECT_FALSE(passes(7));
    EXPECT_TRUE(passes(8));
    ASSERT_VALUE(const Status status, host_->status());
    const auto wb = std::ranges::find(status.devices, "wb", &DeviceStatus::name);
    ASSERT_NE(wb, status.devices.end()) << "it belongs to the policy";
    EXPECT_FALSE(wb->attached);
}

TEST_F(EdgeLife, rollback_of_a_first_policy_takes_everything_down) {
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    ASSERT_VALUE(const UpReport trial,
                 host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}, std::chrono::seconds(300)));
    EXPECT_FALSE(passes(7));
    ASSERT_VALUE(const bool rolled, host_->rollback(trial.generation));
    EXPECT_TRUE(rolled);
    EXPECT_TRUE(passes(7));
    ASSERT_VALUE(const auto changes, world.changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
}

} // namespace
} // namespace beeline::edge
