// SPDX-License-Identifier: Apache-2.0
#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using namespace harness;
using testing::HasSubstr;
using testing::Not;

class Explain : public Host {
protected:
    const std::vector<std::string> rules_ = {"udp dport 7999 -> rewrite dport 7998 ttl 9 pass",
                                             "device va tcp flags syn -> drop", "vlan 7 -> drop",
                                             "udp dport 12 -> xsk capture", "fallback -> pass"};
    Json asked(const std::vector<std::string> &arguments) {
        std::vector<std::string> all = {"explain", "--json"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const Ended ended = beeline(all);
        EXPECT_EQ(ended.status, 0) << ended.err;
        return Json::parse(ended.out, nullptr, false);
    }
};

TEST_F(Explain, AsksTheLiveProgram) {
    expect(0, {"up", config(rules_)});
    const Ended ended = beeline({"explain", "udp 192.0.2.1:4000 > 198.51.100.7:7999 in va"});
    ASSERT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("packet   udp 192.0.2.1:4000 > 198.51.100.7:7999, 42 bytes, in va\n"));
    EXPECT_THAT(ended.out, HasSubstr("rule     1: udp dport 7999 -> rewrite dport 7998 ttl 9 pass\n"));
    EXPECT_THAT(ended.out, HasSubstr("place    " + path("beeline.toml") + ":8\n"));
    EXPECT_THAT(ended.out, HasSubstr("verdict  pass\n"));
    EXPECT_THAT(ended.out, HasSubstr("rewrite  dport: 7999 -> 7998\n"));
    EXPECT_THAT(ended.out, HasSubstr("rewrite  ttl: 64 -> 9\n"));
    EXPECT_THAT(ended.out, HasSubstr("rewrite  checksum: 0x"));
    EXPECT_THAT(ended.out, HasSubstr("asked    the live program, generation 1\n"));
    EXPECT_EQ(packets(rules_[0]), 0U) << "asking is not counted";
}

TEST_F(Explain, TakesThePacketInManyWords) {
    expect(0, {"up", config(rules_)});
    const Json json = asked({"tcp", "192.0.2.1:1", ">", "192.0.2.2:2", "in", "va"});
    EXPECT_EQ(json.at("rule").at("number"), 2);
    EXPECT_EQ(json.at("verdict"), "drop");
    EXPECT_EQ(json.at("xdp"), "XDP_DROP");
    EXPECT_EQ(json.at("device"), "va");
    EXPECT_EQ(json.at("changes"), Json::array());
    EXPECT_EQ(json.at("odd"), nullptr);
    EXPECT_EQ(asked({"tcp 192.0.2.1:1 > 192.0.2.2:2 flags ack in va"}).at("rule").at("number"), 5);
    EXPECT_EQ(asked({"tcp 192.0.2.1:1 > 192.0.2.2:2 in lo"}).at("rule").at("number"), 5) << "another device";
    EXPECT_EQ(asked({"tcp 192.0.2.1:1 > 192.0.2.2:2 vlan 7"}).at("rule").at("number"), 3);
}

TEST_F(Explain, TakesBytesAndCaptures) {
    expect(0, {"up", config(rules_)});
    const Bytes frame = (Eth{} / Vlan{.id = 7} / Ip6{} / Udp{}).bytes();
    EXPECT_EQ(asked({"--hex", hex(frame)}).at("rule").at("number"), 3);
    const Json cut = asked({"--hex", hex(truncate(frame, 30))});
    EXPECT_EQ(cut.at("odd"), "short_ip");
    EXPECT_THAT(beeline({"explain", "--hex", hex(truncate(frame, 30))}).out,
                HasSubstr("odd      short_ip: IP header cut short"));
    std::string capture = std::string("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0", 24);
    for (const Bytes &one : {udp(7999), frame}) {
        const auto size = static_cast<char>(one.size());
        capture += std::string("\0\0\0\0\0\0\0\0", 8) + std::string({size, 0, 0, 0, size, 0, 0, 0});
        capture.append(reinterpret_cast<const char *>(one.data()), one.size());
    }
    const std::string file = write("two.pcap", capture);
    EXPECT_EQ(asked({"--pcap", file}).at("rule").at("number"), 1);
    EXPECT_EQ(asked({"--pcap", file, "--packet", "2", "--in", "va"}).at("rule").at("number"), 3);
    EXPECT_EQ(beeline({"explain", "--pcap", file, "--packet", "3"}).status, 2);
}

TEST_F(Explain, AFileNeedsNothingLiveAndNoDevice) {
    const std::string file = write("other.toml", "[edge]\ndevices = [\"eth99\", \"wan0\"]\nrules = [\n"
                                                 "  \"device eth99 udp dport 53 -> drop\",\n"
                                                 "  \"udp dport 54 -> redirect wan0\",\n  \"fallback -> abort\",\n]\n");
    EXPECT_EQ(asked({"--file", file, "udp 192.0.2.1:1 > 192.0.2.2:53 in eth99"}).at("outcome"), "drop");
    EXPECT_EQ(asked({"--file", file, "udp 192.0.2.1:1 > 192.0.2.2:53 in wan0"}).at("outcome"), "abort");
    EXPECT_EQ(asked({"--file", file, "udp 192.0.2.1:1 > 192.0.2.2:54"}).at("xdp"), "XDP_REDIRECT");
    EXPECT_THAT(beeline({"explain", "--file", file, "icmp 192.0.2.1 > 192.0.2.2"}).out,
                HasSubstr("place    " + file + ":6\n"));
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(Explain, SaysWhyAVerdictIsNotActedOut) {
    expect(0, {"up", config(rules_)});
    EXPECT_EQ(asked({"udp 192.0.2.1:1 > 192.0.2.2:12 in va"}).at("outcome"), "pass (xsk: nobody listens on queue 0)");
}

TEST_F(Explain, WrongQuestionsAreTold) {
    expect(0, {"up", config(rules_)});
    const std::vector<std::vector<std::string>> wrong = {{"explain"},
                                                         {"explain", "tpc 192.0.2.1:1 > 192.0.2.2:2"},
                                                         {"explain", "--hex", "00"},
                                                         {"explain", "--hex", "zz"},
                                                         {"explain", "--hex", std::string(7000, 'a')},
                                                         {"explain", "tcp 192.0.2.1:1 > 192.0.2.2:2", "--hex", "00"},
                                                         {"explain", "tcp 192.0.2.1:1 > 192.0.2.2:2 length 20"}};
    for (const auto &arguments : wrong) {
        const Ended ended = beeline(arguments);
        EXPECT_EQ(ended.status, 2) << ended.out << ended.err;
        EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    }
    const Ended device = beeline({"explain", "tcp 192.0.2.1:1 > 192.0.2.2:2 in eth99"});
    EXPECT_EQ(device.status, 1);
    EXPECT_THAT(device.err, HasSubstr("eth99"));
}

} // namespace
} // namespace beeline::cli_test
