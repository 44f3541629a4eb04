// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <fstream>

#include <beeline/edge/capture.hpp>

#include <harness/assert.hpp>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;

class Top : public Host {
protected:
    void SetUp() override {
        Host::SetUp();
        if (!IsSkipped() && !HasFatalFailure())
            expect(0, {"up", config({"udp dport 7 -> log drop", "fallback -> pass"})});
    }
    std::unique_ptr<Background> screen(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--pins", pins(), "top"});
        return std::make_unique<Background>(more,
                                            How{.netns = net_->netns().fd(), .terminal = true, .env = {"TERM=xterm"}});
    }
};

TEST_F(Top, OnceIsATableOnAnyOutput) {
    send(udp(7), 20);
    const Ended ended = beeline({"top", "--once"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("generation 1"));
    EXPECT_THAT(ended.out, HasSubstr("va native"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("1 +0 +0 +20  udp dport 7 -> log drop"));
    EXPECT_THAT(ended.out, HasSubstr("va #1 drop udp 192.0.2.1:40000 > 198.51.100.2:7"));
    EXPECT_THAT(beeline({"top"}).out, HasSubstr("generation 1")) << "no terminal: the same";
}

TEST_F(Top, ShowsALiveScreenAndQuits) {
    const auto top = screen();
    ASSERT_TRUE(top->logged("generation 1"));
    send(udp(7), 3);
    EXPECT_TRUE(top->logged("#1 drop udp 192.0.2.1:40000")) << top->log();
    top->type("q");
    EXPECT_EQ(top->wait(), 0);
}

TEST_F(Top, WritesTheLogWithRuleAndVerdict) {
    {
        const auto top = screen({"--write", path("log.pcapng")});
        ASSERT_TRUE(top->logged("log:"));
        send(udp(7), 5);
        ASSERT_TRUE(top->logged("#1 drop udp"));
        top->type("q");
        EXPECT_EQ(top->wait(), 0);
    }
    ASSERT_VALUE(auto capture, edge::CaptureReader::open(path("log.pcapng")));
    unsigned packets = 0;
    for (;;) {
        ASSERT_VALUE(const auto packet, capture.next());
        if (!packet)
            break;
        ++packets;
        EXPECT_EQ(packet->length, udp(7).size());
        EXPECT_TRUE(std::ranges::equal(packet->bytes, udp(7)));
    }
    EXPECT_EQ(packets, 5U);
    EXPECT_THAT(
        [&] {
            std::ifstream file(path("log.pcapng"), std::ios::binary);
            return std::string(std::istreambuf_iterator<char>(file), {});
        }(),
        HasSubstr("rule 1 (udp dport 7 -> log drop): drop"));
}

TEST_F(Top, TwoReadersDoNotFight) {
    const auto first = screen();
    ASSERT_TRUE(first->logged("log:"));
    const Ended second = beeline({"top", "--once"});
    EXPECT_EQ(second.status, 0) << second.err;
    EXPECT_THAT(second.out, HasSubstr("is read by another process"));
    first->type("q");
    EXPECT_EQ(first->wait(), 0);
    EXPECT_THAT(beeline({"top", "--once"}).out, HasSubstr("log:\n"));
}

TEST_F(Top, AKilledReaderLeavesTheLogToTheNext) {
    {
        const auto killed = screen();
        ASSERT_TRUE(killed->logged("log:"));
        killed->signal(SIGKILL);
        EXPECT_EQ(killed->wait(), 128 + SIGKILL);
    }
    EXPECT_THAT(beeline({"top", "--once"}).out, HasSubstr("log:\n"));
}

TEST_F(Top, AnUnknownTerminalIsTold) {
    const Ended ended = beeline({"top"}, {.terminal = true, .env = {"TERM=no-such-terminal"}});
    EXPECT_EQ(ended.status, 2);
    EXPECT_THAT(ended.err, HasSubstr("--once"));
}

} // namespace
} // namespace beeline::cli_test
