// SPDX-License-Identifier: Apache-2.0
//
// replay, and that it says what the live device does.
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include <harness/assert.hpp>

#include "netns/cli/host.hpp"
#include "netns/cli/zoo.hpp"

namespace beeline::cli_test {
namespace {

using namespace harness;
using testing::HasSubstr;

class Replay : public Host {};

TEST_F(Replay, CountsVerdictsPerRule) {
    const std::string pcap = capture({udp(7), udp(7), udp(8), udp(9), Bytes(10), Bytes(4000)});
    const std::string file = config({"udp dport 7 -> drop", "udp dport 8 -> tx", "fallback -> pass"});
    const Ended ended = beeline({"replay", pcap, file});
    ASSERT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, testing::ContainsRegex("1 +2 +120 +drop +udp dport 7 -> drop"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("2 +1 +60 +tx +udp dport 8 -> tx"));
    EXPECT_THAT(ended.out, HasSubstr("6 packets, 4 judged"));
    EXPECT_THAT(ended.out, HasSubstr("1 shorter than an Ethernet header: not judged"));
    EXPECT_THAT(ended.out, HasSubstr("1 longer than 3400 bytes: not judged"));
    EXPECT_FALSE(std::filesystem::exists(pins())) << "nothing is attached";
    const Json json = Json::parse(beeline({"replay", pcap, file, "--json"}).out);
    EXPECT_EQ(json.at("rules").at(0).at("packets"), 2);
    EXPECT_EQ(json.at("rules").at(0).at("xdp"), (Json{{"XDP_DROP", 2}}));
    EXPECT_EQ(json.at("too_long"), 1);
}

TEST_F(Replay, JudgesCutPacketsByTheirHeaders) {
    const Bytes large = (Eth{} / Ip4{} / Udp{.dport = 7} / Payload(1000)).bytes();
    const std::string pcap = capture({large, udp(7)}, 60);
    const Ended ended = beeline({"replay", pcap, config({"malformed -> abort", "udp dport 7 -> drop"})});
    ASSERT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, testing::ContainsRegex("2 +2 +[0-9,]+ +drop +udp dport 7 -> drop"));
    EXPECT_THAT(ended.out, HasSubstr("1 cut by the capture"));
}

TEST_F(Replay, ShowsEachPacket) {
    const std::string pcap = capture({udp(7), (Eth{} / Arp{}).bytes()});
    const std::string file = config({"udp dport 7 -> drop", "fallback -> pass"});
    const Ended ended = beeline({"replay", pcap, file, "--packets"});
    EXPECT_THAT(ended.out, testing::ContainsRegex("1  #1 +drop +udp 192\\.0\\.2\\.1:40000 > 198\\.51\\.100\\.2:7"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("2  #2 +pass +arp"));
    std::istringstream lines(beeline({"replay", pcap, file, "--packets", "--json"}).out);
    std::vector<Json> objects;
    for (std::string line; std::getline(lines, line);)
        objects.push_back(Json::parse(line));
    ASSERT_EQ(objects.size(), 3U);
    EXPECT_EQ(objects[0].at("rule"), 1);
    EXPECT_EQ(objects[2].at("packets"), 2) << "the sum comes last";
}

/// Each kind of packet is sent through the live device; the rule whose counter moved must be the one that replay
/// names, of the live program and of the one loaded aside.
class Agreement : public Replay {
protected:
    /// Packets per rule, without the first rule: that is the kernel's own chatter.
    std::vector<std::uint64_t> hits() {
        std::vector<std::uint64_t> counts;
        const Json rules = status().at("rules");
        for (std::size_t i = 1; i < rules.size(); ++i)
            counts.push_back(rules[i].at("packets"));
        return counts;
    }
    std::vector<Json> replayed(const std::string &pcap, const std::vector<std::string> &more) {
        std::vector<std::string> arguments = {"replay", pcap, "--packets", "--json", "--in", "va"};
        arguments.insert(arguments.begin() + 2, more.begin(), more.end());
        std::istringstream lines(beeline(arguments).out);
        std::vector<Json> objects;
        for (std::string line; std::getline(lines, line);)
            objects.push_back(Json::parse(line, nullptr, false));
        return objects;
    }
    /// Sends a packet three times; the number of the rule that took all three, 0 when there is none.
    std::size_t deciding_rule(const Bytes &frame) {
        const auto sum = [](const std::vector<std::uint64_t> &counts) {
            return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
        };
        const std::vector<std::uint64_t> before = hits();
        std::vector<std::uint64_t> after;
        send(frame, 3);
        EXPECT_TRUE(eventually([&] {
            after = hits();
            return sum(after) >= sum(before) + 3;
        })) << "three packets are three hits";
        for (std::size_t i = 0; i < after.size(); ++i)
            if (after[i] == before[i] + 3)
                return i + 2;
        return 0;
    }
    void expect_same_verdicts(const std::vector<Kind> &zoo, const std::string &pcap, std::size_t rules) {
        const std::string file = config(zoo_rules());
        expect(0, {"up", file});
        const std::vector<Json> live = replayed(pcap, {}), aside = replayed(pcap, {file});
        ASSERT_EQ(live.size(), zoo.size() + 1);
        ASSERT_EQ(aside.size(), zoo.size() + 1);
        std::set<std::size_t> used;
        for (std::size_t i = 0; i < zoo.size(); ++i) {
            SCOPED_TRACE(zoo[i].name);
            const std::size_t rule = deciding_rule(zoo[i].frame);
            ASSERT_NE(rule, 0U) << "one rule decides all three";
            EXPECT_EQ(live[i].at("rule"), rule);
            EXPECT_EQ(aside[i].at("rule"), rule);
            EXPECT_EQ(live[i].at("xdp"), aside[i].at("xdp"));
            EXPECT_EQ(live[i].at("odd"), aside[i].at("odd"));
            used.insert(rule);
        }
        EXPECT_GE(used.size(), rules) << "the rules tell the kinds apart; met: " << testing::PrintToString(used);
    }
};

TEST_F(Agreement, OfReplayAndLiveDevice) {
    const std::vector<Kind> zoo = packet_zoo();
    ASSERT_GE(zoo.size(), 40U);
    std::vector<Bytes> frames;
    for (const Kind &kind : zoo)
        frames.push_back(kind.frame);
    expect_same_verdicts(zoo, capture(frames), zoo_rules().size() - 1);
}

/// Packets that somebody else's code has made.
TEST_F(Agreement, OfReplayAndLiveDeviceOnScapysPackets) {
    const std::string pcap = path("scapy.pcap");
    const std::vector<Kind> zoo = scapy_zoo(pcap);
    if (zoo.empty())
        GTEST_SKIP() << "no scapy: apt-get install python3-scapy";
    ASSERT_GE(zoo.size(), 70U);
    expect_same_verdicts(zoo, pcap, 20);
}

/// explain, asked for the bytes of a packet, names the rule that takes the packet on the live device.
TEST_F(Agreement, OfExplainAndLiveDevice) {
    expect(0, {"up", config(zoo_rules())});
    for (const Kind &kind : packet_zoo()) {
        SCOPED_TRACE(kind.name);
        if (kind.frame.size() > 200) // keeps the command line short
            continue;
        const Ended ended = beeline({"explain", "--json", "--in", "va", "--hex", hex(kind.frame)});
        ASSERT_EQ(ended.status, 0) << ended.err;
        EXPECT_EQ(Json::parse(ended.out).at("rule").at("number"), deciding_rule(kind.frame));
    }
}

TEST_F(Replay, BrokenFilesAreStatus3) {
    const std::string file = config({"udp dport 7 -> drop"});
    const std::vector<std::pair<std::string, std::string>> broken = {
        {write("empty.pcap", ""), "the file is empty"},
        {write("text.pcap", "hello\n"), "unknown file format"},
        {write("long.pcap", std::string(100, 'x')), "unknown file format"},
        {path("missing.pcap"), "No such file"},
        {directory_.string(), "Is a directory"}};
    for (const auto &[name, text] : broken) {
        const Ended ended = beeline({"replay", name, file});
        EXPECT_EQ(ended.status, 3) << name;
        EXPECT_THAT(ended.err, HasSubstr(text));
        EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    }
    const std::string pcap = capture({udp(7), udp(7)});
    std::filesystem::resize_file(pcap, std::filesystem::file_size(pcap) - 3);
    const Ended ended = beeline({"replay", pcap, file});
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.err, HasSubstr("packet 2: truncated"));
}

} // namespace
} // namespace beeline::cli_test
