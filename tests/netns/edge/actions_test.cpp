// SPDX-License-Identifier: Apache-2.0
//
// abort, rates and sets whose entries expire, with frames on a live device.
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/bpf.h>
#include <unistd.h>

#include <harness/packet_sum.hpp>

#include "exceptions.hpp"
#include "host.hpp"
#include "ways.hpp"
#include "wire.hpp"

namespace beeline::edge {
namespace {

using namespace harness;
using Clock = std::chrono::steady_clock;

constexpr auto kSilence = std::chrono::milliseconds(100);

class EdgeActions : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        // A name of its own: the tracepoint is the whole host's.
        device_ = fmt::format("vb{}", ::getpid());
        ASSERT_OK(pair_->b->run({.words = {"ip", "link", "set", "vb", "down"}}));
        ASSERT_OK(pair_->b->run({.words = {"ip", "link", "set", "vb", "name", device_}}));
        ASSERT_OK(pair_->b->run({.words = {"ip", "link", "set", device_, "up"}}));
        ASSERT_VALUE(auto host, pair_->host_b());
        host_.emplace(std::move(host));
        ASSERT_VALUE(auto from, Wire::open(*pair_->a, "va"));
        from_.emplace(std::move(from));
        ASSERT_VALUE(auto stack, Wire::open(*pair_->b, device_));
        stack_.emplace(std::move(stack));
    }
    void up(const std::vector<std::string> &rules, const std::string &sets = {}) {
        ASSERT_OK(host_->up({.devices = {device_}, .rules = rules, .mode = GetParam().mode, .sets = sets}));
    }
    [[nodiscard]] static std::string source(unsigned last) {
        return fmt::format("{}{}", GetParam().v6 ? "2001:db8::" : "192.0.2.", last);
    }
    [[nodiscard]] static Bytes udp(std::uint16_t dport, unsigned from = 1, std::uint8_t dscp = 0) {
        const Packet head = GetParam().v6 ? Eth{} / Ip6{.src = source(from).c_str(), .dscp = dscp}
                                          : Eth{} / Ip4{.src = source(from).c_str(), .dscp = dscp};
        return (head / Udp{.dport = dport} / Payload(33)).bytes();
    }
    /// Frames that reached the stack within a silence.
    [[nodiscard]] std::vector<Bytes> arrived() const {
        std::vector<Bytes> all;
        while (auto frame = stack_->receive(kSilence))
            all.push_back(std::move(frame->bytes));
        return all;
    }
    /// Sends the frame: does it reach the stack? What does not is counted by the rule.
    [[nodiscard]] bool passes(const Bytes &frame, const std::string &rule) const {
        const auto before = host_->packets(rule);
        if (!from_->send(frame))
            return false;
        for (const auto end = Clock::now() + std::chrono::seconds(5); Clock::now() < end;) {
            if (stack_->receive(std::chrono::milliseconds(5)))
                return true;
            if (host_->packets(rule) != before)
                return false;
        }
        ADD_FAILURE() << "neither passed nor counted";
        return false;
    }

    std::unique_ptr<Pair> pair_;
    std::string device_;
    std::optional<Host> host_;
    std::optional<Wire> from_, stack_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeActions, testing::ValuesIn(kWays), kNameOf);

TEST_P(EdgeActions, abort_drops_and_is_seen_at_the_tracepoint) {
    ASSERT_VALUE(const Exceptions exceptions, Exceptions::watch());
    const std::string abort = "udp dport 7 -> abort", drop = "udp dport 8 -> drop";
    up({abort, drop});
    for (const std::uint16_t port : {7, 8, 9})
        for (int i = 0; i < 5; ++i)
            ASSERT_OK(from_->send(udp(port)));
    EXPECT_THAT(arrived(), testing::ElementsAreArray(std::vector<Bytes>(5, udp(9))));
    EXPECT_EQ(host_->packets(abort), 5U);
    EXPECT_EQ(host_->packets(drop), 5U);
    ASSERT_VALUE(const std::uint64_t aborted, exceptions.seen(device_, XDP_ABORTED));
    EXPECT_EQ(aborted, 5U);
    ASSERT_VALUE(const std::uint64_t dropped, exceptions.seen(device_, XDP_DROP));
    EXPECT_EQ(dropped, 0U) << "a drop is no exception";
}

/// Packets that a bucket of so many a minute may have let through since then: what it held, and what has flown in.
std::size_t at_most(std::size_t burst, std::size_t per_minute, Clock::time_point since) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - since).count() + 1;
    return burst + static_cast<std::size_t>(seconds) * per_minute / 60 + 1;
}

TEST_P(EdgeActions, rate_drops_what_is_over_it) {
    const std::string rule = "udp dport 7 rate over 6/m burst 4 -> drop";
    const auto start = Clock::now();
    up({rule});
    for (unsigned i = 0; i < 40; ++i)
        ASSERT_OK(from_->send(udp(7, 1 + i % 5)));
    ASSERT_OK(from_->send(udp(8)));
    const auto passed = static_cast<std::size_t>(std::ranges::count_if(
        arrived(), [](const Bytes &frame) { return hex(frame).find("9c400007") != std::string::npos; }));
    EXPECT_GE(passed, 4U) << "the burst";
    EXPECT_LE(passed, at_most(4, 6, start));
    EXPECT_EQ(host_->packets(rule), 40 - passed);
}

TEST_P(EdgeActions, rate_per_source_has_a_bucket_for_each_and_its_own_action) {
    const std::string rule = "udp dport 7 rate over 6/m burst 3 per src -> rewrite dscp ef";
    const auto start = Clock::now();
    up({rule});
    for (const unsigned who : {1U, 2U}) {
        for (int i = 0; i < 20; ++i)
            ASSERT_OK(from_->send(udp(7, who)));
        const std::vector<Bytes> all = arrived();
        ASSERT_EQ(all.size(), 20U);
        const auto within = static_cast<std::size_t>(std::ranges::count(all, udp(7, who)));
        EXPECT_GE(within, 3U) << "source " << who;
        EXPECT_LE(within, at_most(3, 6, start)) << "source " << who;
        EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(all, udp(7, who, 46))), 20 - within);
    }
}

TEST_P(EdgeActions, rate_lets_pass_again_when_time_has_passed) {
    const std::string rule = "udp dport 7 rate over 2/s burst 2 per src -> drop";
    up({rule});
    unsigned sent = 0;
    while (passes(udp(7), rule)) // 2 and what has flown in meanwhile; a machine that slow never ends it
        if (++sent == 1000)
            GTEST_SKIP() << "this machine sends fewer than two frames a second";
    EXPECT_GE(sent, 2U);
    bool again = false;
    for (int i = 0; i < 200 && !again; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        again = passes(udp(7), rule);
    }
    EXPECT_TRUE(again);
}

/// What expires, by set type: nobody sweeps.
struct Expiring {
    const char *name, *type, *match;
    std::function<std::string()> entry;
};

TEST_P(EdgeActions, set_entries_expire_by_themselves) {
    constexpr auto kLifetime = std::chrono::seconds(2);
    const std::vector<Expiring> all = {
        {"hosts", "prefix", "src", [] { return source(1); }},
        {"services", "port", "dport", [] { return std::string("7"); }},
        {"cards", "mac", "mac src", [] { return std::string("02:00:00:00:00:01"); }},
    };
    for (const Expiring &what : all) {
        const std::string rule = fmt::format("udp {} @{} -> drop", what.match, what.name);
        up({rule}, fmt::format("[sets.{}]\ntype = \"{}\"\n", what.name, what.type));
        EXPECT_TRUE(passes(udp(7), rule)) << what.name;
        const auto added = Clock::now();
        ASSERT_OK(pair_->b->within([&] { return host_->edge().set_add(what.name, what.entry(), kLifetime); }));
        EXPECT_FALSE(passes(udp(7), rule)) << what.name;
        bool expired = false;
        for (const auto end = Clock::now() + std::chrono::seconds(30); Clock::now() < end && !expired;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            expired = passes(udp(7), rule);
        }
        ASSERT_TRUE(expired) << what.name;
        EXPECT_GE(Clock::now() - added, kLifetime) << what.name << ": too early";
        ASSERT_VALUE(const auto listed, pair_->b->within([&] { return host_->edge().set_list(what.name); }));
        EXPECT_TRUE(listed.empty()) << what.name;
        ASSERT_VALUE(const std::uint64_t swept, host_->sweep());
        EXPECT_EQ(swept, 1U) << what.name;
        EXPECT_TRUE(passes(udp(7), rule)) << what.name;
    }
}

TEST_P(EdgeActions, set_entry_that_expired_gives_way_to_the_shorter_prefix) {
    const std::string around = GetParam().v6 ? "2001:db8::/64" : "192.0.2.0/24", rule = "src @bad -> drop";
    up({rule}, fmt::format("[sets.bad]\ntype = \"prefix\"\nentries = [\"{}\"]\n", around));
    ASSERT_OK(pair_->b->within([&] { return host_->edge().set_add("bad", source(1), std::chrono::seconds(1)); }));
    const auto end = Clock::now() + std::chrono::seconds(30);
    std::size_t left = 2;
    while (left == 2 && Clock::now() < end) { // a packet in between may not slip through
        EXPECT_FALSE(passes(udp(7), rule));
        ASSERT_VALUE(const auto listed, pair_->b->within([&] { return host_->edge().set_list("bad"); }));
        left = listed.size();
    }
    EXPECT_EQ(left, 1U);
    EXPECT_FALSE(passes(udp(7), rule)) << "the shorter one holds it";
    EXPECT_FALSE(passes(udp(7, 2), rule));
}

} // namespace
} // namespace beeline::edge
