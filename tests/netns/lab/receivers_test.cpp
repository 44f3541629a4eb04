// SPDX-License-Identifier: Apache-2.0
//
// Everything the bench compares drops each frame of the generator and counts it, and is gone afterwards.
#include "lab/receivers.hpp"

#include <ostream>

#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/bench_edge.hpp"
#include "lab/host.hpp"

namespace beeline::lab {
namespace {

struct Candidate {
    const char *name;
    const char *needs; ///< A program that must be installed; null: none.
    MadeReceiver (*make)(const Place &place, const Lab &lab);
};

/// Without it CTest's name of the test would be the bytes of the struct.
void PrintTo(const Candidate &value, std::ostream *out) {
    *out << value.name;
}

class LabReceivers : public testing::TestWithParam<Candidate> {};

TEST_P(LabReceivers, DropAndCountEveryFrame) {
    BL_NEED_ROOT();
    const Candidate &candidate = GetParam();
    if (candidate.needs != nullptr && !find_program(candidate.needs))
        GTEST_SKIP() << candidate.needs << " is not installed";
    ASSERT_VALUE(Lab lab, Lab::create("receivers"));
    ASSERT_VALUE(const auto drop_lab, DropLab::create(lab));
    ASSERT_VALUE(const auto pinned, PinnedToCpu::pin(0));
    const Subject subject{.name = "test",
                          .subject = "test",
                          .label = candidate.name,
                          .make = [&] { return candidate.make(drop_lab->receiver(), lab); },
                          .frames = 50'000};
    for (int turn = 0; turn < 2; ++turn) { // What the first one leaves behind is in the second one's way.
        ASSERT_VALUE(const DropLab::Run run, drop_lab->measure(subject));
        EXPECT_EQ(run.sent.frames, 50'000U);
        EXPECT_EQ(run.arrived, 50'000U);
        EXPECT_EQ(run.dropped, 50'000U);
        EXPECT_TRUE(run.agrees());
    }
    ASSERT_VALUE(const auto device, drop_lab->receiver().node->device(drop_lab->receiver().device));
    EXPECT_TRUE(device.xdp.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, LabReceivers,
    testing::Values(
        Candidate{"bare", nullptr, [](const Place &place, const Lab &) { return bare_drop(place); }},
        Candidate{
            "beeline1", nullptr,
            [](const Place &place, const Lab &lab) { return beeline_edge(place, lab.bpffs() / "b", one_rule()); }},
        Candidate{
            "beeline10", nullptr,
            [](const Place &place, const Lab &lab) { return beeline_edge(place, lab.bpffs() / "b", ten_rules()); }},
        Candidate{"generic", nullptr,
                  [](const Place &place, const Lab &lab) {
                      return beeline_edge(place, lab.bpffs() / "b", ten_rules(), "generic");
                  }},
        Candidate{"nft", "nft", [](const Place &place, const Lab &) { return nft_ingress(place, ten_nft_rules()); }},
        Candidate{"filter", "xdp-filter", [](const Place &place, const Lab &) { return xdp_filter(place, 7999); }}),
    [](const auto &instance) { return instance.param.name; });

/// A count that does not agree is noticed: here the receiver's rule matches other frames.
TEST(LabReceiversAlone, ARunThatDropsNothingDoesNotAgree) {
    BL_NEED_ROOT();
    if (!find_program("nft"))
        GTEST_SKIP() << "nft is not installed";
    ASSERT_VALUE(Lab lab, Lab::create("disagree"));
    ASSERT_VALUE(const auto drop_lab, DropLab::create(lab));
    ASSERT_VALUE(
        const DropLab::Run run,
        drop_lab->measure({.name = "test",
                           .subject = "test",
                           .label = "nft",
                           .make = [&] { return nft_ingress(drop_lab->receiver(), {"udp dport 1 counter drop"}); },
                           .frames = 1000}));
    EXPECT_EQ(run.dropped, 0U);
    EXPECT_FALSE(run.agrees());
}

} // namespace
} // namespace beeline::lab
