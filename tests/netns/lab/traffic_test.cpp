// SPDX-License-Identifier: Apache-2.0
//
// The lab's checks find what they are there for: a test that relies on them can fail.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/bare.hpp"
#include "lab/capture.hpp"
#include "lab/echo.hpp"
#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

/// a(va) - b(vb) with a server on b's address and port 7998.
struct Pair {
    Lab lab;
    const Node *a, *b;
    std::unique_ptr<EchoServer> server;
    std::string address;

    static Result<Pair> make(const std::string &name, bool v6, bool tx_checksum) {
        BL_TRY(Lab lab, Lab::create(name));
        BL_TRY(const Node *a, lab.add("a"));
        BL_TRY(const Node *b, lab.add("b"));
        BL_CHECK(lab.cable({.node = a, .device = "va", .addresses = {"10.9.0.1/24", "fd09::1/64"}},
                           {.node = b, .device = "vb", .addresses = {"10.9.0.2/24", "fd09::2/64"}},
                           {.tx_checksum = tx_checksum}));
        const std::string address = v6 ? "fd09::2" : "10.9.0.2";
        BL_TRY(auto server, EchoServer::start(*b, {.address = address, .port = 7998}));
        return Pair{std::move(lab), a, b, std::move(server), address};
    }

    [[nodiscard]] Result<Outcome> ask(Transport transport, unsigned messages) const {
        return exchange(*a, {.address = address,
                             .port = 7998,
                             .transport = transport,
                             .messages = messages,
                             .max_bytes = transport == Transport::udp ? 3000U : 20000U,
                             .timeout = std::chrono::milliseconds(300)});
    }
    [[nodiscard]] std::int64_t errors_of_b() const {
        const auto counters = b->within(read_stack_counters);
        return counters ? checksum_errors(*counters) : -1;
    }
};

class LabTraffic : public testing::TestWithParam<std::tuple<bool, bool>> {
protected:
    [[nodiscard]] static Result<Pair> pair(const std::string &name) {
        return Pair::make(name, std::get<0>(GetParam()), std::get<1>(GetParam()));
    }
};

INSTANTIATE_TEST_SUITE_P(All, LabTraffic, testing::Combine(testing::Bool(), testing::Bool()), [](const auto &instance) {
    return fmt::format("{}{}", std::get<0>(instance.param) ? "v6" : "v4",
                       std::get<1>(instance.param) ? "Offload" : "NoOffload");
});

TEST_P(LabTraffic, ComesBackAsItWasSent) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Pair pair, pair("traffic"));
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        ASSERT_VALUE(const Outcome outcome, pair.ask(transport, 100));
        EXPECT_TRUE(outcome.all_good(100)) << outcome.answered << " answered";
        EXPECT_EQ(outcome.round_trip_us.size(), 100U);
    }
    EXPECT_EQ(pair.server->udp().messages, 100U);
    EXPECT_EQ(pair.server->tcp().messages, 100U);
    EXPECT_EQ(pair.server->udp().damaged + pair.server->tcp().damaged, 0U);
    EXPECT_EQ(pair.errors_of_b(), 0);
}

/// One bit of every frame is flipped on its way. With complete checksums the kernel finds it; with partial ones, which
/// count as verified, only the hash of the payload does.
TEST_P(LabTraffic, DamageIsFound) {
    BL_NEED_ROOT();
    const bool offload = std::get<1>(GetParam());
    ASSERT_VALUE(const Pair pair, pair("damage"));
    ASSERT_OK(pair.ask(Transport::udp, 1)); // Both ends know each other's MAC address: that is not to be damaged.
    ASSERT_VALUE(const Bare programs, Bare::load());
    ASSERT_VALUE(const auto link, programs.attach(Bare::Program::spoil, {.node = pair.b, .device = "vb"}));
    ASSERT_VALUE(const Outcome outcome, pair.ask(Transport::udp, 20));
    EXPECT_EQ(outcome.answered, 0U);
    if (offload) {
        EXPECT_GT(pair.server->udp().damaged, 0U);
        EXPECT_GT(outcome.damaged, 0U);
    } else {
        EXPECT_EQ(pair.server->udp().messages, 1U);
        EXPECT_GT(pair.errors_of_b(), 0);
    }
}

TEST_P(LabTraffic, CaptureJudgesEveryChecksum) {
    BL_NEED_ROOT();
    const bool offload = std::get<1>(GetParam());
    ASSERT_VALUE(const Pair pair, pair("capture"));
    ASSERT_VALUE(const auto capture, Capture::start(*pair.b, "vb"));
    ASSERT_OK(pair.ask(Transport::udp, 50));
    ASSERT_OK(pair.ask(Transport::tcp, 50));
    const Captured found = capture->stop();
    EXPECT_GE(found.sums.tcp, 50U);
    EXPECT_GT(found.sums.frames, 100U);
    EXPECT_EQ(found.lost, 0U);
    EXPECT_EQ(found.sums.malformed, 0U);
    EXPECT_EQ(found.sums.bad, 0U);
    EXPECT_EQ(found.sums.partial > 0, offload) << found.sums.partial;
    EXPECT_EQ(found.unfinished > 0, offload) << found.unfinished;
}

TEST_P(LabTraffic, CaptureFindsABadChecksum) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Pair pair, pair("badsum"));
    ASSERT_VALUE(const Bare programs, Bare::load());
    ASSERT_VALUE(const auto link, programs.attach(Bare::Program::spoil, {.node = pair.b, .device = "vb"}));
    ASSERT_VALUE(const auto capture, Capture::start(*pair.b, "vb"));
    ASSERT_OK(pair.ask(Transport::tcp, 1));
    const Captured found = capture->stop();
    EXPECT_FALSE(found.sums.clean()) << found.sums.text();
}

TEST(LabTrafficAlone, NobodyAtThePortIsNoAnswer) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Pair pair, Pair::make("nobody", false, true));
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        ASSERT_VALUE(const Outcome outcome,
                     exchange(*pair.a, {.address = pair.address, .port = 7999, .transport = transport, .messages = 5}));
        EXPECT_EQ(outcome.answered, 0U);
        EXPECT_FALSE(outcome.all_good(5));
    }
}

TEST(LabTrafficAlone, UdpWithoutAChecksumIsSentWithout) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const Pair pair, Pair::make("nosum", false, false));
    ASSERT_VALUE(const auto capture, Capture::start(*pair.b, "vb"));
    ASSERT_VALUE(const Outcome outcome,
                 exchange(*pair.a, {.address = pair.address, .port = 7998, .messages = 10, .udp_checksum = false}));
    EXPECT_TRUE(outcome.all_good(10));
    EXPECT_EQ(capture->stop().sums.udp, 0U);
}

} // namespace
} // namespace beeline::lab
