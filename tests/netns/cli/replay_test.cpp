// SPDX-License-Identifier: Apache-2.0
//
// replay, and that it says what the live device does.
#include <map>

#include <harness/assert.hpp>

#include "netns/cli/host.hpp"
#include "netns/cli/zoo.hpp"

namespace beeline::cli_test {
namespace {

using namespace harness;
using testing::HasSubstr;

class Replay : public Host {
protected:
    /// The frames as a pcap file.
    std::string capture(const std::vector<Bytes> &frames, std::size_t snap = 65535) const {
        const auto word = [](std::size_t value) {
            std::string bytes;
            for (int shift = 0; shift < 32; shift += 8)
                bytes += static_cast<char>(value >> shift & 0xff);
            return bytes;
        };
        std::string text = word(0xa1b2c3d4) + std::string("\x02\0\x04\0", 4) + word(0) + word(0) + word(snap) + word(1);
        for (const Bytes &frame : frames) {
            const std::size_t kept = std::min(snap, frame.size());
            text += word(1) + word(0) + word(kept) + word(frame.size());
            text.append(reinterpret_cast<const char *>(frame.data()), kept);
        }
        return write("capture.pcap", text);
    }
};

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

/// Each kind of packet is sent through the live device; the rule whose counter moved must be the one that replay and
/// explain name, of the live program and of the one loaded aside.
TEST_F(Replay, SaysWhatTheLiveDeviceDoes) {
    const std::vector<Kind> zoo = packet_zoo();
    ASSERT_GE(zoo.size(), 40U);
    std::vector<Bytes> frames;
    for (const Kind &kind : zoo)
        frames.push_back(kind.frame);
    const std::string pcap = capture(frames);
    const std::string file = config(zoo_rules());
    expect(0, {"up", file});
    const auto hits = [&] {
        std::vector<std::uint64_t> counts;
        for (const Json &rule : status().at("rules"))
            counts.push_back(rule.at("packets"));
        return counts;
    };
    const auto replayed = [&](const std::vector<std::string> &more) {
        std::vector<std::string> arguments = {"replay", pcap, "--packets", "--json", "--in", "va"};
        arguments.insert(arguments.begin() + 2, more.begin(), more.end());
        std::istringstream lines(beeline(arguments).out);
        std::vector<Json> objects;
        for (std::string line; std::getline(lines, line);)
            objects.push_back(Json::parse(line, nullptr, false));
        return objects;
    };
    const std::vector<Json> live = replayed({}), aside = replayed({file});
    ASSERT_EQ(live.size(), zoo.size() + 1);
    ASSERT_EQ(aside.size(), zoo.size() + 1);
    std::set<std::size_t> used;
    std::vector<std::uint64_t> before = hits();
    for (std::size_t i = 0; i < zoo.size(); ++i) {
        SCOPED_TRACE(zoo[i].name);
        send(zoo[i].frame, 3);
        const std::vector<std::uint64_t> after = hits();
        std::vector<std::size_t> moved;
        for (std::size_t rule = 0; rule < after.size(); ++rule)
            if (after[rule] != before[rule])
                moved.push_back(rule + 1);
        ASSERT_EQ(moved.size(), 1U) << "of three packets, one rule decided all";
        EXPECT_EQ(after[moved[0] - 1] - before[moved[0] - 1], 3U);
        EXPECT_EQ(live[i].at("rule"), moved[0]);
        EXPECT_EQ(aside[i].at("rule"), moved[0]);
        EXPECT_EQ(live[i].at("xdp"), aside[i].at("xdp"));
        EXPECT_EQ(live[i].at("odd"), aside[i].at("odd"));
        used.insert(moved[0]);
        before = after;
    }
    EXPECT_GE(used.size(), zoo_rules().size() - 1) << "the rules tell the kinds apart";
}

TEST_F(Replay, BrokenFilesAreStatus3) {
    const std::string file = config({"udp dport 7 -> drop"});
    const std::vector<std::pair<std::string, std::string>> broken = {
        {write("empty.pcap", ""), "the file is empty"},
        {write("text.pcap", "hello\n"), "truncated"},
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
