// SPDX-License-Identifier: Apache-2.0
//
// Real traffic between two hosts, or on one, through the edge: what is dropped, passed and rewritten, and that every
// checksum stays right, complete or partial.
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/kernel/features.hpp>

#include "host.hpp"
#include "lab/capture.hpp"
#include "talk.hpp"
#include "ways.hpp"

namespace beeline::edge {
namespace {

/// "lo": one host talks to itself, generic as lo has nothing else.
constexpr OffloadWay kOffloadWays[] = {
    {{"native", false}, true},  {{"native", false}, false},  {{"native", true}, true},  {{"native", true}, false},
    {{"generic", false}, true}, {{"generic", false}, false}, {{"generic", true}, true}, {{"generic", true}, false},
    {{"lo", false}, true},      {{"lo", true}, true},
};

class EdgeTraffic : public testing::TestWithParam<OffloadWay> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.tx_checksum = GetParam().offload}));
        ASSERT_VALUE(near_, pair_->host_a());
        ASSERT_VALUE(far_, pair_->host_b());
        if (lo()) {
            ASSERT_OK(pair_->a->run({.words = {"ip", "-6", "address", "add", "fd09::2/128", "dev", "lo", "nodad"}}));
        }
    }
    void small_mtu_on_lo() {
        if (lo()) {
            ASSERT_OK(pair_->a->run({.words = {"ip", "link", "set", "dev", "lo", "mtu", "1500"}}));
        }
    }
    /// The client finds a way to the mapped address, and does not use it as its own.
    void map_address() {
        if (!lo()) {
            ASSERT_VALUE(const kernel::Device vb, pair_->b->device("vb"));
            ASSERT_OK(pair_->a->run({.words = {"ip", "neighbour", "add", mapped(), "lladdr", kernel::to_string(vb.mac),
                                               "dev", "va", "nud", "permanent"}}));
        } else if (GetParam().v6) {
            ASSERT_OK(pair_->a->run(
                {.words = {"ip", "-6", "route", "add", "local", mapped(), "dev", "lo", "src", "fd09::1"}}));
        }
    }
    [[nodiscard]] bool lo() const { return std::string_view(GetParam().mode) == "lo"; }
    [[nodiscard]] const lab::Node &client() const { return *pair_->a; }
    [[nodiscard]] const lab::Node &server() const { return lo() ? *pair_->a : *pair_->b; }
    /// Of the server, of nobody, of the client.
    [[nodiscard]] std::string real() const { return GetParam().v6 ? "fd09::2" : lo() ? "127.0.0.2" : "10.9.0.2"; }
    [[nodiscard]] std::string mapped() const { return GetParam().v6 ? "fd09::99" : lo() ? "127.0.0.99" : "10.9.0.99"; }

    /// requests is for what the server receives, answers for what the client does; on lo that is one device.
    void up(std::vector<std::string> requests, const std::vector<std::string> &answers) {
        if (lo()) {
            requests.insert(requests.end(), answers.begin(), answers.end());
            ASSERT_OK(near_->up({.devices = {"lo"}, .rules = requests, .mode = "generic"}));
            return;
        }
        ASSERT_OK(far_->up({.devices = {"vb"}, .rules = requests, .mode = GetParam().mode}));
        ASSERT_OK(near_->up({.devices = {"va"}, .rules = answers, .mode = GetParam().mode}));
    }
    [[nodiscard]] const Host &at_server() const { return lo() ? *near_ : *far_; }
    [[nodiscard]] Talk talk() const { return {.client = &client(), .server = &server(), .to = real()}; }
    /// Datagrams of two fragments at least, to a server on this very port.
    [[nodiscard]] static Talk fragmented(Talk talk, std::uint16_t port) {
        talk.port = talk.listen_port = port;
        talk.transports = {lab::Transport::udp};
        talk.udp_min = 2000;
        talk.udp_max = 9000;
        return talk;
    }
    [[nodiscard]] Talk mapped_talk() const {
        return {.client = &client(), .server = &server(), .to = mapped(), .listen = real()};
    }

    std::unique_ptr<Pair> pair_;
    std::optional<Host> near_, far_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeTraffic, testing::ValuesIn(kOffloadWays), kNameOf);

TEST_P(EdgeTraffic, to_7999_reaches_a_server_on_7998_and_back_by_the_reverse_rule) {
    up({"udp dport 7999 -> rewrite dport 7998", "tcp dport 7999 -> rewrite dport 7998"},
       {"udp sport 7998 -> rewrite sport 7999", "tcp sport 7998 -> rewrite sport 7999"});
    expect_good(talk());
    EXPECT_GE(at_server().packets("udp dport 7999 -> rewrite dport 7998"), 60U);
    EXPECT_GE(at_server().packets("tcp dport 7999 -> rewrite dport 7998"), 60U);
    for (const char *trouble : {"rewrite_short", "csum_failed", "bad_length", "short_l4", "no_rule"})
        EXPECT_EQ(at_server().odd(trouble), 0U) << trouble;
}

TEST_P(EdgeTraffic, to_a_mapped_address_reaches_the_real_one_and_back) {
    map_address();
    up({"dst " + mapped() + " -> rewrite dst " + real()}, {"src " + real() + " -> rewrite src " + mapped()});
    Talk talk = mapped_talk();
    talk.port = talk.listen_port;
    expect_good(talk);
}

TEST_P(EdgeTraffic, has_address_port_ttl_and_dscp_rewritten_together) {
    map_address();
    up({fmt::format("dst {} udp dport 7999 -> rewrite dst {} dport 7998 ttl 9 dscp ef", mapped(), real()),
        fmt::format("dst {} tcp dport 7999 -> rewrite dst {} dport 7998 ttl 9 dscp ef", mapped(), real())},
       {fmt::format("src {} udp sport 7998 -> rewrite src {} sport 7999 ttl 9 dscp af11", real(), mapped()),
        fmt::format("src {} tcp sport 7998 -> rewrite src {} sport 7999 ttl 9 dscp af11", real(), mapped())});
    expect_good(mapped_talk());
}

TEST_P(EdgeTraffic, that_a_rule_drops_is_not_answered_and_the_rest_is) {
    up({"udp dport 7998 -> drop", "tcp dport 7998 -> drop"}, {});
    Talk dropped = talk();
    dropped.port = 7998;
    expect_silence(dropped);
    EXPECT_GE(at_server().packets("udp dport 7998 -> drop"), 1U);
    EXPECT_GE(at_server().packets("tcp dport 7998 -> drop"), 1U);
    Talk passed = talk();
    passed.port = passed.listen_port = 7997;
    expect_good(passed);
}

TEST_P(EdgeTraffic, of_large_datagrams_passes_a_rule_that_rewrites_ports) {
    // The ports are in the first fragment only: such a rule lets fragments alone, and they arrive where they were sent.
    small_mtu_on_lo();
    up({"udp dport 7999 -> rewrite dport 7998"}, {"udp sport 7999 -> rewrite sport 7998"});
    const Talk large = fragmented(talk(), 7999);
    expect_good(large);
    EXPECT_EQ(at_server().packets("udp dport 7999 -> rewrite dport 7998"), 0U);
    EXPECT_GE(at_server().packets("fallback -> pass"), 120U) << "two fragments at least";
}

TEST_P(EdgeTraffic, of_large_datagrams_is_stopped_by_a_rule_that_drops_the_first_fragment) {
    small_mtu_on_lo();
    up({"udp dport 7999 -> drop"}, {});
    const Talk large = fragmented(talk(), 7999);
    expect_silence(large);
    EXPECT_EQ(at_server().packets("udp dport 7999 -> drop"), 3U);
}

TEST_P(EdgeTraffic, of_large_datagrams_is_mapped_whole_by_a_rule_on_addresses) {
    small_mtu_on_lo();
    map_address();
    up({"dst " + mapped() + " -> rewrite dst " + real()}, {"src " + real() + " -> rewrite src " + mapped()});
    const Talk large = fragmented(mapped_talk(), 7998);
    expect_good(large);
    EXPECT_GE(at_server().packets("dst " + mapped() + " -> rewrite dst " + real()), 120U) << "two fragments at least";
}

/// UDP over IPv6 has a checksum always (RFC 8200 8.1).
class EdgeTraffic4 : public EdgeTraffic {};

INSTANTIATE_TEST_SUITE_P(By, EdgeTraffic4,
                         testing::Values(kOffloadWays[0], kOffloadWays[1], kOffloadWays[4], kOffloadWays[5],
                                         kOffloadWays[8]),
                         kNameOf);

TEST_P(EdgeTraffic4, of_UDP_without_a_checksum_stays_without) {
    up({"udp dport 7999 -> rewrite dport 7998 ttl 33"}, {"udp sport 7998 -> rewrite sport 7999"});
    ASSERT_VALUE(const auto capture, lab::Capture::start(server(), lo() ? "lo" : "vb"));
    Talk plain = talk();
    plain.transports = {lab::Transport::udp};
    plain.udp_checksum = false;
    expect_good(plain);
    const lab::Captured found = capture->stop();
    EXPECT_EQ(found.sums.bad, 0U) << found.sums.text();
    EXPECT_GE(found.sums.frames, 60U);
    if (!lo()) { // there the server's answers, which have one, are in the capture as well
        EXPECT_EQ(found.sums.udp, 0U) << "somebody put a checksum in";
    }
}

TEST_P(EdgeTraffic, handed_to_another_CPU_arrives) {
    const unsigned cpu = std::thread::hardware_concurrency() > 1 ? 1 : 0;
    const std::string udp = fmt::format("udp dport 7998 -> cpu {}", cpu);
    const std::string tcp = fmt::format("tcp dport 7998 -> cpu {}", cpu);
    if (std::string_view(GetParam().mode) != "native" && !kernel::version_less(kernel::kernel_version(), "6.9")) {
        const auto report = near_->up({.devices = {lo() ? "lo" : "va"}, .rules = {udp}, .mode = "generic"});
        ASSERT_FALSE(report) << "this kernel loses the packets";
        EXPECT_EQ(report.error().kind, Kind::unsupported);
        EXPECT_THAT(report.error().message(), testing::HasSubstr("native"));
        return;
    }
    up({udp, tcp}, {});
    Talk handed = talk();
    handed.port = 7998;
    expect_good(handed);
    EXPECT_GE(at_server().packets(udp), 60U);
    EXPECT_GE(at_server().packets(tcp), 60U);
    EXPECT_EQ(at_server().odd("cpu_failed"), 0U);
    if (std::string_view(GetParam().mode) == "native") {
        EXPECT_EQ(at_server().odd("csum_completed") > 0, GetParam().offload) << "the queue of a CPU loses the mark";
    }
}

} // namespace
} // namespace beeline::edge
