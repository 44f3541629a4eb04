// SPDX-License-Identifier: Apache-2.0
//
// The edge in the middle, redirecting between two devices, and at an end, answering from the driver: what leaves
// through a driver leaves with a complete checksum, whatever it came with. Judged by a capture at the far device.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host.hpp"
#include "lab/bare.hpp"
#include "lab/capture.hpp"
#include "lab/stack_counters.hpp"
#include "talk.hpp"
#include "ways.hpp"

namespace beeline::edge {
namespace {

constexpr OffloadWay kOffloadWays[] = {
    {{"native", false}, true},  {{"native", false}, false},  {{"native", true}, true},  {{"native", true}, false},
    {{"generic", false}, true}, {{"generic", false}, false}, {{"generic", true}, true}, {{"generic", true}, false},
};

/// a(va) - (ma) m (mb) - b(vb); m has no addresses, only the edge.
class EdgeMiddle : public testing::TestWithParam<OffloadWay> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(auto made, test_lab());
        lab_.emplace(std::move(made));
        ASSERT_VALUE(a_, lab_->add("a"));
        ASSERT_VALUE(m_, lab_->add("m"));
        ASSERT_VALUE(b_, lab_->add("b"));
        const lab::CableOptions options{.tx_checksum = GetParam().offload};
        ASSERT_OK(lab_->cable({.node = a_, .device = "va", .addresses = {"10.9.0.1/24", "fd09::1/64"}},
                              {.node = m_, .device = "ma"}, options));
        ASSERT_OK(lab_->cable({.node = m_, .device = "mb"},
                              {.node = b_, .device = "vb", .addresses = {"10.9.0.2/24", "fd09::2/64"}}, options));
        // Generic XDP redirects nothing larger than the MTU; up() warns of that.
        ASSERT_OK(a_->set_offload("va", "tso", false));
        ASSERT_OK(b_->set_offload("vb", "tso", false));
        // The far ends take redirected frames when they have a program. GRO would do, but a capture then sees TCP
        // segments put together, whose checksum field holds what a device would want there.
        ASSERT_VALUE(auto programs, lab::Bare::load());
        programs_.emplace(std::move(programs));
        for (const lab::Place &place : {lab::Place{a_, "va"}, lab::Place{b_, "vb"}}) {
            ASSERT_VALUE(auto link, programs_->attach(lab::Bare::Program::pass, place));
            links_.push_back(std::move(link));
        }
        ASSERT_VALUE(auto host, Host::on(*m_, lab_->bpffs() / "m"));
        host_.emplace(std::move(host));
    }
    void up(std::vector<std::string> rules) {
        rules.emplace_back("device ma -> redirect mb");
        rules.emplace_back("device mb -> redirect ma");
        ASSERT_VALUE(const UpReport report,
                     host_->up({.devices = {"ma", "mb"}, .rules = rules, .mode = GetParam().mode}));
        if (GetParam().native())
            EXPECT_THAT(report.warnings, testing::IsEmpty());
        else
            EXPECT_THAT(report.warnings,
                        testing::ElementsAre(testing::AllOf(testing::HasSubstr("redirect on ma"),
                                                            testing::HasSubstr("ethtool -K PEER tso off")),
                                             testing::HasSubstr("redirect on mb")));
    }
    [[nodiscard]] Talk talk() const {
        return {.client = a_, .server = b_, .to = GetParam().v6 ? "fd09::2" : "10.9.0.2"};
    }
    /// Talks while both far devices are captured.
    void expect_good_on_the_wire(const Talk &talk) {
        ASSERT_VALUE(const auto at_a, lab::Capture::start(*a_, "va"));
        ASSERT_VALUE(const auto at_b, lab::Capture::start(*b_, "vb"));
        expect_good(talk);
        for (const lab::Captured &found : {at_a->stop(), at_b->stop()}) {
            EXPECT_EQ(found.lost, 0U);
            EXPECT_GE(found.sums.udp, talk.udp_checksum ? talk.messages : 0U);
            EXPECT_EQ(found.sums.bad, 0U) << found.sums.text();
            EXPECT_EQ(found.sums.malformed, 0U) << found.sums.text();
            if (GetParam().native() || !GetParam().offload) {
                EXPECT_TRUE(found.sums.clean()) << found.sums.text();
            } else { // The skb goes along, and says of itself that its checksum is partial.
                EXPECT_LE(found.sums.partial, found.unfinished);
                // One in 65,536 holds by chance what a complete packet would, and is taken for one.
                EXPECT_LE(found.unfinished - found.sums.partial, 3U);
            }
        }
        EXPECT_EQ(host_->odd("csum_completed") > 0, GetParam().native() && GetParam().offload);
        for (const char *trouble : {"rewrite_short", "csum_failed", "redirect_failed", "no_rule"})
            EXPECT_EQ(host_->odd(trouble), 0U) << trouble;
    }

    std::optional<lab::Lab> lab_;
    const lab::Node *a_ = nullptr, *m_ = nullptr, *b_ = nullptr;
    std::optional<lab::Bare> programs_;
    std::vector<kernel::Link> links_;
    std::optional<Host> host_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeMiddle, testing::ValuesIn(kOffloadWays), kNameOf);

TEST_P(EdgeMiddle, redirects_without_a_change_what_then_has_complete_checksums) {
    up({});
    Talk plain = talk();
    plain.port = plain.listen_port;
    expect_good_on_the_wire(plain);
}

TEST_P(EdgeMiddle, redirects_7999_to_7998_and_back) {
    up({"device ma udp dport 7999 -> rewrite dport 7998 redirect mb",
        "device ma tcp dport 7999 -> rewrite dport 7998 redirect mb",
        "device mb udp sport 7998 -> rewrite sport 7999 redirect ma",
        "device mb tcp sport 7998 -> rewrite sport 7999 redirect ma"});
    expect_good_on_the_wire(talk());
}

TEST_P(EdgeMiddle, translates_addresses_and_MACs_both_ways) {
    const std::string real = talk().to, mapped = GetParam().v6 ? "fd09::99" : "10.9.0.99";
    const std::string gateway = "02:00:00:00:00:99"; // Nobody's; m answers for it.
    ASSERT_VALUE(const kernel::Device va, a_->device("va"));
    ASSERT_VALUE(const kernel::Device vb, b_->device("vb"));
    ASSERT_OK(
        a_->run({.words = {"ip", "neighbour", "add", mapped, "lladdr", gateway, "dev", "va", "nud", "permanent"}}));
    const std::string to = fmt::format("device ma dst {} -> rewrite dst {} mac dst {} ttl 7 redirect mb", mapped, real,
                                       kernel::to_string(vb.mac));
    const std::string from =
        fmt::format("device mb src {} -> rewrite src {} mac src {} dscp ef redirect ma", real, mapped, gateway);
    up({to, from});
    // What the server sends while it looks for its client must keep its real address.
    ASSERT_OK(b_->run({.words = {"ip", "neighbour", "add", GetParam().v6 ? "fd09::1" : "10.9.0.1", "lladdr",
                                 kernel::to_string(va.mac), "dev", "vb", "nud", "permanent"}}));
    Talk translated = talk();
    translated.to = mapped;
    translated.listen = real;
    translated.port = translated.listen_port;
    expect_good_on_the_wire(translated);
    EXPECT_GE(host_->packets(to), 120U);
    EXPECT_GE(host_->packets(from), 120U);
}

TEST_P(EdgeMiddle, redirects_fragments_with_the_addresses_of_all_rewritten) {
    const std::string real = talk().to, mapped = GetParam().v6 ? "fd09::99" : "10.9.0.99";
    ASSERT_VALUE(const kernel::Device vb, b_->device("vb"));
    ASSERT_OK(a_->run({.words = {"ip", "neighbour", "add", mapped, "lladdr", kernel::to_string(vb.mac), "dev", "va",
                                 "nud", "permanent"}}));
    up({fmt::format("device ma dst {} -> rewrite dst {} redirect mb", mapped, real),
        fmt::format("device mb src {} -> rewrite src {} redirect ma", real, mapped)});
    Talk large = talk();
    large.to = mapped;
    large.listen = real;
    large.port = large.listen_port;
    large.transports = {lab::Transport::udp};
    large.udp_min = 2000;
    large.udp_max = 9000;
    expect_good(large);
}

/// b answers from the driver.
class EdgeAnswers : public testing::TestWithParam<OffloadWay> {};

INSTANTIATE_TEST_SUITE_P(By, EdgeAnswers, testing::ValuesIn(kOffloadWays), kNameOf);

TEST_P(EdgeAnswers, with_addresses_and_ports_swapped_and_a_complete_checksum) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const auto pair, Pair::make({.tx_checksum = GetParam().offload}));
    // The peer of a veth takes what XDP sends when it has a program itself.
    ASSERT_VALUE(const lab::Bare programs, lab::Bare::load());
    ASSERT_VALUE(const auto peer, programs.attach(lab::Bare::Program::pass, {.node = pair->a, .device = "va"}));
    ASSERT_VALUE(Host host, pair->host_b());
    ASSERT_OK(host.up({.devices = {"vb"}, .rules = {"udp dport 7 -> tx"}, .mode = GetParam().mode}));
    ASSERT_VALUE(const auto capture, lab::Capture::start(*pair->a, "va"));
    ASSERT_VALUE(const auto before, pair->a->within(lab::read_stack_counters));
    ASSERT_VALUE(const lab::Outcome outcome, lab::exchange(*pair->a, {.address = GetParam().v6 ? "fd09::2" : "10.9.0.2",
                                                                      .port = 7,
                                                                      .messages = 100,
                                                                      .timeout = std::chrono::seconds(10)}));
    EXPECT_TRUE(outcome.all_good(100)) << outcome.answered;
    EXPECT_EQ(host.packets("udp dport 7 -> tx"), 100U);
    ASSERT_VALUE(const auto after, pair->a->within(lab::read_stack_counters));
    EXPECT_EQ(lab::checksum_errors(after), lab::checksum_errors(before));
    const lab::Captured found = capture->stop();
    EXPECT_EQ(found.sums.udp, 100U);
    EXPECT_EQ(found.sums.bad, 0U) << found.sums.text();
    if (GetParam().native() || !GetParam().offload) {
        EXPECT_TRUE(found.sums.clean()) << found.sums.text();
    }
    EXPECT_EQ(host.odd("csum_completed") > 0, GetParam().native() && GetParam().offload);
}

TEST_P(EdgeAnswers, with_what_it_has_rewritten) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const auto pair, Pair::make({.tx_checksum = GetParam().offload}));
    ASSERT_VALUE(const lab::Bare programs, lab::Bare::load());
    ASSERT_VALUE(const auto peer, programs.attach(lab::Bare::Program::pass, {.node = pair->a, .device = "va"}));
    ASSERT_VALUE(Host host, pair->host_b());
    ASSERT_OK(
        host.up({.devices = {"vb"}, .rules = {"udp dport 7 -> rewrite ttl 3 dscp ef tx"}, .mode = GetParam().mode}));
    ASSERT_VALUE(const lab::Outcome outcome, lab::exchange(*pair->a, {.address = GetParam().v6 ? "fd09::2" : "10.9.0.2",
                                                                      .port = 7,
                                                                      .messages = 30,
                                                                      .timeout = std::chrono::seconds(10)}));
    EXPECT_TRUE(outcome.all_good(30)) << outcome.answered;
}

TEST(EdgeAnswersAlone, warn_when_the_peer_takes_none) {
    BL_NEED_ROOT();
    ASSERT_VALUE(const auto pair, Pair::make());
    ASSERT_VALUE(Host host, pair->host_b());
    ASSERT_VALUE(const UpReport report, host.up({.devices = {"vb"}, .rules = {"udp dport 7 -> tx"}}));
    ASSERT_EQ(report.warnings.size(), 1U);
    EXPECT_THAT(report.warnings[0], testing::HasSubstr("tx on vb"));
    EXPECT_THAT(report.warnings[0], testing::HasSubstr("XDP program"));
}

} // namespace
} // namespace beeline::edge
