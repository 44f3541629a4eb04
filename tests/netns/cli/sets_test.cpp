// SPDX-License-Identifier: Apache-2.0
#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;

class Sets : public Host {
protected:
    void SetUp() override {
        Host::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        expect(0, {"up", config({"src @blocklist -> drop", "udp dport @ports -> drop", "fallback -> pass"},
                                "[sets.blocklist]\ntype = \"prefix\"\nentries = [\"203.0.113.0/24\"]\n"
                                "[sets.ports]\ntype = \"port\"\n")});
    }
    std::string list(const std::string &set) { return beeline({"set", "list", set}).out; }
};

TEST_F(Sets, TakeAndGiveEntries) {
    send(udp(7), 2);
    EXPECT_EQ(packets("src @blocklist -> drop"), 0U);
    EXPECT_EQ(beeline({"set", "add", "blocklist", "192.0.2.1"}).status, 0);
    send(udp(7), 3);
    EXPECT_EQ(packets("src @blocklist -> drop"), 3U);
    EXPECT_THAT(list("blocklist"), testing::ContainsRegex("192\\.0\\.2\\.1(/32)? +set add +never"));
    EXPECT_THAT(list("blocklist"), testing::ContainsRegex("203\\.0\\.113\\.0/24 +file +never"));
    EXPECT_THAT(beeline({"set", "del", "blocklist", "192.0.2.1"}).out, HasSubstr("is no longer in blocklist"));
    EXPECT_THAT(beeline({"set", "del", "blocklist", "192.0.2.1"}).out, HasSubstr("was not in blocklist"));
    send(udp(7), 4);
    EXPECT_EQ(packets("src @blocklist -> drop"), 3U);
}

TEST_F(Sets, EntriesExpireAndAreGone) {
    expect(0, {"set", "add", "ports", "7", "--for", "2s"});
    expect(0, {"set", "add", "ports", "9", "--for", "1h"});
    send(udp(7), 1);
    EXPECT_EQ(packets("udp dport @ports -> drop"), 1U);
    EXPECT_THAT(list("ports"), testing::ContainsRegex("9 +set add +in (1 h|59 min)"));
    EXPECT_TRUE(eventually([&] { return list("ports").find("\n7 ") == std::string::npos; }));
    send(udp(7), 5);
    EXPECT_EQ(packets("udp dport @ports -> drop"), 1U) << "a packet after the time does not match";
    const Json json = Json::parse(beeline({"set", "list", "ports", "--json"}).out);
    ASSERT_EQ(json.at("entries").size(), 1U);
    EXPECT_EQ(json.at("entries").at(0).at("entry"), "9");
    EXPECT_EQ(json.at("entries").at(0).at("runtime"), true);
    EXPECT_GT(json.at("entries").at(0).at("expires_in_seconds"), 3000);
}

TEST_F(Sets, ReloadKeepsWhatWasAdded) {
    expect(0, {"set", "add", "blocklist", "192.0.2.1"});
    expect(0, {"reload"});
    send(udp(7), 2);
    EXPECT_EQ(packets("src @blocklist -> drop"), 2U);
}

TEST_F(Sets, WrongEntriesAreTold) {
    const std::vector<std::vector<std::string>> wrong = {{"set", "add", "blocklist", "not-an-address"},
                                                         {"set", "add", "blocklist", "10.0.0.0/33"},
                                                         {"set", "add", "ports", "70000"},
                                                         {"set", "del", "ports", "x"},
                                                         {"set", "add", "nosuchset", "7"},
                                                         {"set", "list", "nosuchset"},
                                                         {"set", "add", "ports", "7", "--for", "soon"},
                                                         {"set", "add", "ports", "7", "--for", "0s"}};
    for (const auto &arguments : wrong) {
        const Ended ended = beeline(arguments);
        EXPECT_THAT(ended.status, testing::AnyOf(2, 3)) << arguments[2] << " " << arguments.back() << ended.err;
        EXPECT_THAT(ended.err, testing::StartsWith("beeline: "));
        EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    }
    EXPECT_THAT(beeline({"set", "list", "nosuchset"}).err, HasSubstr("blocklist, ports"));
}

} // namespace
} // namespace beeline::cli_test
