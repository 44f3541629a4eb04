// SPDX-License-Identifier: Apache-2.0
//
// A thousand reloads under load: each packet is judged by one policy or the other, and none is lost.
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lab/host.hpp"
#include "load.hpp"
#include "marks.hpp"

namespace beeline::edge {
namespace {

/// How the packets go on that a policy has marked.
struct Way {
    const char *sentence;
    std::string mode;
    bool redirected; ///< Into another cable, instead of up the stack.
    int reloads;
    double mpps; ///< What "under load" means; less than that shows nothing, and the test is skipped.
};

void PrintTo(const Way &way, std::ostream *out) {
    *out << way.sentence;
}

std::string on_its_way(const Way &way, const std::string &rule) {
    return way.redirected ? rule + " redirect wb" : rule;
}

/// Each policy ends with the other's rule, behind its own drop, where it never matches: so it keeps its counter from
/// generation to generation, and status shows both.
Text make(const Way &way, Text text, const std::string &own, const std::string &of_the_other) {
    text.mode = way.mode;
    std::ranges::replace(text.rules, own, on_its_way(way, own));
    text.rules.push_back(on_its_way(way, of_the_other));
    return text;
}

/// Packets that the edge says its rules have had, by what should have happened to them.
struct Ruled {
    std::uint64_t a = 0, b = 0;
    std::uint64_t others = 0; ///< Any other rule: markers that a rule next to the right one has taken.
    std::string odd;          ///< Counters of what should not happen.
};

Result<Ruled> ruled(const Host &host, const Way &way) {
    BL_TRY(const Status status, host.status());
    const std::string of_a = on_its_way(way, rule_of_a()), of_b = on_its_way(way, rule_of_b());
    Ruled sums;
    for (const RuleStatus &rule : status.rules)
        (rule.text == of_a ? sums.a : rule.text == of_b ? sums.b : sums.others) += rule.packets;
    for (const auto &[name, count] : status.odd)
        if (count != 0)
            sums.odd += fmt::format("{} {} ", name, count);
    return sums;
}

/// a(va) -> b(vb), where the edge is; and b(wb) -> c(wc) for what it redirects.
class EdgeUnderLoad : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (cpus_.size() < 2)
            GTEST_SKIP() << "one CPU: the generator would stand still while the edge reloads";
        ASSERT_VALUE(pair_, Pair::make({.gro = true, .silent = true}));
        ASSERT_VALUE(c_, pair_->lab.add("c"));
        ASSERT_OK(silence(*c_));
        ASSERT_OK(pair_->lab.cable({.node = pair_->b, .device = "wb"}, {.node = c_, .device = "wc"}));
        ASSERT_VALUE(host_, pair_->host_b());
        const bool far = GetParam().redirected;
        ASSERT_VALUE(auto behind, far ? MarkCounter::attach(*c_, "wc", MarkCounter::Hook::xdp)
                                      : MarkCounter::attach(*pair_->b, "vb", MarkCounter::Hook::tcx));
        behind_.emplace(std::move(behind));
    }

    std::vector<int> cpus_ = usable_cpus();
    std::unique_ptr<Pair> pair_;
    const lab::Node *c_ = nullptr;
    std::optional<Host> host_;
    std::optional<MarkCounter> behind_;
};

TEST_P(EdgeUnderLoad, reloads_over_and_over_judge_no_packet_by_a_mixture_and_lose_none) {
    const Way &way = GetParam();
    const Text a = make(way, marking_a({"vb"}), rule_of_a(), rule_of_b());
    const Text b = make(way, marking_b({"vb"}), rule_of_b(), rule_of_a());
    ASSERT_OK(host_->up(a));
    ASSERT_VALUE(const auto pinned, lab::PinnedToCpu::pin(cpus_[1]));
    ASSERT_VALUE(const auto flood, Flood::start(*pair_->a, "va", cpus_[0]));
    for (int i = 0; i < way.reloads; ++i)
        ASSERT_OK(host_->up(i % 2 == 0 ? b : a)) << "reload " << i;
    ASSERT_VALUE(const lab::Sent sent, flood->stop());

    // Sent is what the kernel's test run has put on va. A frame that finds the queue at the far end of a cable full
    // ends there, counted by veth: at vb before the edge, at wc behind it. Every other must have come through, whatever
    // was being exchanged meanwhile.
    ASSERT_VALUE(const std::uint64_t before, full_queue_drops(*pair_->a, "va"));
    ASSERT_VALUE(const std::uint64_t after, full_queue_drops(*pair_->b, "wb"));
    const MarkCounts counted = settled(*behind_, sent.frames - before - after);
    ASSERT_VALUE(const Ruled rules, ruled(*host_, way));
    fmt::print("{} reloads in {:.1f} s under {:.2f} Mpps: {} frames sent, {} by A, {} by B; queue full: {} before the "
               "edge, {} behind it\n",
               way.reloads, sent.wall_seconds, sent.mpps(), sent.frames, counted.a, counted.b, before, after);
    EXPECT_EQ(counted.mixed, 0U);
    EXPECT_EQ(counted.unmarked, 0U);
    EXPECT_EQ(counted.other, 0U);
    EXPECT_GT(counted.a, 0U);
    EXPECT_GT(counted.b, 0U);
    EXPECT_EQ(sent.frames, counted.judged() + before + after) << statistics(*pair_->a, "va") << "\n"
                                                              << statistics(*pair_->b, "vb") << "\n"
                                                              << statistics(*pair_->b, "wb");
    // The edge's own counters.
    EXPECT_EQ(rules.a + rules.b, sent.frames - before);
    EXPECT_GE(rules.a, counted.a);
    EXPECT_GE(rules.b, counted.b);
    EXPECT_EQ(rules.others, 0U);
    EXPECT_EQ(rules.odd, "");
    ASSERT_OK(host_->down());
    if (sent.mpps() < way.mpps)
        GTEST_SKIP() << fmt::format("all that was looked at is right, but {:.2f} Mpps is no load (less than {}); the "
                                    "generator had a CPU for {:.0f} % of the time",
                                    sent.mpps(), way.mpps, 100 * sent.cpu_seconds / sent.wall_seconds);
}

INSTANTIATE_TEST_SUITE_P(At, EdgeUnderLoad,
                         testing::Values(Way{"native_redirecting", "native", true, 1000, 1.0},
                                         Way{"native_passing", "native", false, 300, 0.5},
                                         Way{"generic_passing", "generic", false, 200, 0.5}),
                         [](const auto &instance) { return instance.param.sentence; });

} // namespace
} // namespace beeline::edge
