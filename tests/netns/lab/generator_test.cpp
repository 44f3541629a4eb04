// SPDX-License-Identifier: Apache-2.0
#include "lab/generator.hpp"

#include <ostream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/bare.hpp"
#include "lab/capture.hpp"
#include "lab/frames.hpp"
#include "lab/host.hpp"
#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

/// a(va) sends to b(vb); nothing but our frames, the stack's own IPv6 chatter is off.
struct Range {
    Lab lab;
    const Node *a, *b;
    kernel::Mac to;
    Bare programs;

    static Result<Range> make(const std::string &name) {
        BL_TRY(Lab lab, Lab::create(name));
        BL_TRY(const Node *a, lab.add("a"));
        BL_TRY(const Node *b, lab.add("b"));
        for (const Node *node : {a, b})
            BL_CHECK(node->set_sysctl("ipv6/conf/default/disable_ipv6", "1"));
        BL_CHECK(lab.cable({.node = a, .device = "va"}, {.node = b, .device = "vb"}));
        BL_TRY(const auto vb, b->device("vb"));
        BL_TRY(Bare programs, Bare::load());
        return Range{std::move(lab), a, b, vb.mac, std::move(programs)};
    }
    [[nodiscard]] Place far_end() const { return {.node = b, .device = "vb"}; }
};

TEST(LabGenerator, EveryFrameArrivesAndIsCounted) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Range range, Range::make("genall"));
    ASSERT_VALUE(const auto link, range.programs.attach(Bare::Program::count, range.far_end()));
    ASSERT_VALUE(const auto frame, build({.to = range.to}));
    ASSERT_VALUE(const Generator generator, Generator::open({.node = range.a, .device = "va", .frame = frame}));
    ASSERT_VALUE(const auto pinned, PinnedToCpu::pin(0));
    ASSERT_VALUE(const Sent sent, generator.run(100'001, 50'000));
    EXPECT_EQ(sent.frames, 100'001U);
    EXPECT_GT(sent.cpu_seconds, 0);
    ASSERT_VALUE(const auto counted, range.programs.counted());
    ASSERT_VALUE(const auto arrived, range.b->within([] { return received_frames("vb"); }));
    EXPECT_EQ(counted, 100'001U);
    EXPECT_EQ(arrived, 100'001U);
}

TEST(LabGenerator, AloneSendsNothing) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Range range, Range::make("genalone"));
    ASSERT_VALUE(const auto link, range.programs.attach(Bare::Program::count, range.far_end()));
    ASSERT_VALUE(const auto frame, build({.to = range.to}));
    ASSERT_VALUE(const Generator generator,
                 Generator::open({.node = range.a, .device = "va", .frame = frame, .transmit = false}));
    ASSERT_VALUE(const Sent sent, generator.run(1000));
    EXPECT_EQ(sent.frames, 1000U);
    ASSERT_VALUE(const auto counted, range.programs.counted());
    EXPECT_EQ(counted, 0U);
}

/// A receiver that changes the pages is met with whole frames again: here it spoils the last of 64 bytes.
TEST(LabGenerator, PutsHeadersBackWhenAsked) {
    BL_NEED_ROOT();
    for (const bool restore : {false, true}) {
        ASSERT_VALUE(const Range range, Range::make("genrestore"));
        ASSERT_VALUE(const auto link, range.programs.attach(Bare::Program::spoil, range.far_end()));
        ASSERT_VALUE(const auto capture, Capture::start(*range.b, "vb"));
        ASSERT_VALUE(const auto frame, build({.to = range.to}));
        ASSERT_VALUE(const Generator generator,
                     Generator::open({.node = range.a, .device = "va", .frame = frame, .restore = restore}));
        ASSERT_OK(generator.run(50'000)); // More than the socket holds: the pages come round.
        const Captured found = capture->stop();
        EXPECT_GT(found.sums.frames, 1000U);
        if (restore)
            EXPECT_EQ(found.sums.bad, found.sums.frames) << "spoiled once, every one of them";
        else
            EXPECT_LT(found.sums.bad, found.sums.frames) << "spoiled twice is as it was";
    }
}

TEST(LabGenerator, CannotPutBackMoreThanThereIs) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Range range, Range::make("genshort"));
    ASSERT_VALUE(const auto frame, build({.to = range.to, .bytes = 60}));
    EXPECT_FALSE(Generator::open({.node = range.a, .device = "va", .frame = frame, .restore = true}));
}

struct Variant {
    const char *name;
    bool v6;
    bl_lab_flows (*flows)(std::uint32_t, bool);
    bool udp_checksum;
};

/// Without it CTest's name of the test would be the bytes of the struct.
void PrintTo(const Variant &value, std::ostream *out) {
    *out << value.name;
}

class LabGeneratorFlows : public testing::TestWithParam<Variant> {};

/// The pages of the frames are used again and again: changes must not add up, and the checksums stay right.
TEST_P(LabGeneratorFlows, KeepTheirChecksums) {
    BL_NEED_ROOT();
    const Variant &variant = GetParam();
    ASSERT_VALUE(const Range range, Range::make("genflows"));
    ASSERT_VALUE(const auto link, range.programs.attach(Bare::Program::pass, range.far_end()));
    ASSERT_VALUE(const auto capture, Capture::start(*range.b, "vb"));
    ASSERT_VALUE(const auto frame, build({.to = range.to,
                                          .source = variant.v6 ? "fd09::1" : "10.9.0.1",
                                          .destination = variant.v6 ? "fd09::2" : "10.9.0.2",
                                          .bytes = 90,
                                          .udp_checksum = variant.udp_checksum}));
    ASSERT_VALUE(
        const Generator generator,
        Generator::open({.node = range.a, .device = "va", .frame = frame, .flows = variant.flows(37, variant.v6)}));
    for (int i = 0; i < 20; ++i) // Fewer than veth's ring and the socket's buffer hold.
        ASSERT_OK(generator.run(100));
    const Captured found = capture->stop();
    EXPECT_EQ(found.sums.frames, 2000U);
    EXPECT_EQ(found.sums.udp, variant.udp_checksum ? 2000U : 0U);
    EXPECT_TRUE(found.sums.clean()) << found.sums.text();
}

INSTANTIATE_TEST_SUITE_P(All, LabGeneratorFlows,
                         testing::Values(Variant{"ports4", false, source_ports, true},
                                         Variant{"ports6", true, source_ports, true},
                                         Variant{"sources4", false, sources, false},
                                         Variant{"sources6", true, sources, true}),
                         [](const auto &instance) { return instance.param.name; });

} // namespace
} // namespace beeline::lab
