// SPDX-License-Identifier: Apache-2.0
//
// up, plan, reload, status, down: the plain way through.
#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Commands : public Host {};

TEST_F(Commands, UpCountsAndDownEnds) {
    const std::string file = config({"udp dport 7 -> drop", "fallback -> pass"});
    const Ended up = beeline({"up", file});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_THAT(up.out, HasSubstr("generation 1 is live from " + file));
    EXPECT_THAT(up.out, HasSubstr("va: native"));
    send(udp(7), 3);
    send(udp(8), 2);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 3U);
    EXPECT_GE(packets("fallback -> pass"), 2U) << "IPv6 of the kernel's own may come on top";
    const Json edge = status();
    EXPECT_EQ(edge.at("up"), true);
    EXPECT_EQ(edge.at("generation"), 1);
    EXPECT_EQ(edge.at("devices").at(0).at("name"), "va");
    EXPECT_EQ(edge.at("rules").at(0).at("line"), 8);
    const Ended down = beeline({"down"});
    EXPECT_EQ(down.status, 0) << down.err;
    EXPECT_THAT(down.out, HasSubstr("the edge is down"));
    EXPECT_EQ(status().at("up"), false);
    EXPECT_THAT(beeline({"down"}).out, HasSubstr("nothing was up"));
    expect(0, {"down"});
}

TEST_F(Commands, StatusIsForPeople) {
    const std::string file = config({"udp dport 7 -> drop", "fallback -> pass"});
    EXPECT_THAT(beeline({"status"}).out, HasSubstr("nothing is up"));
    expect(0, {"up", file});
    send(udp(7), 1234);
    const Ended shown = beeline({"status"});
    EXPECT_EQ(shown.status, 0);
    EXPECT_THAT(shown.out, HasSubstr("generation 1 from " + file));
    EXPECT_THAT(shown.out, HasSubstr("1,234"));
    EXPECT_THAT(shown.out, HasSubstr("udp dport 7 -> drop"));
    EXPECT_THAT(shown.out, HasSubstr("xdp native"));
    EXPECT_THAT(shown.out, Not(HasSubstr("\033"))) << "no colour when nobody sees it";
    EXPECT_THAT(shown.out, Not(HasSubstr("short_ip"))) << "no counters that are zero";
    EXPECT_THAT(beeline({"status", "--all"}).out, HasSubstr("short_ip"));
}

TEST_F(Commands, StatusFitsATerminal) {
    expect(0, {"up", config({"src {192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4} udp dport {7, 9, 11, 13, 17} ttl 1-40 "
                             "-> drop"})});
    const Ended shown = beeline({"status"}, {.terminal = true, .env = {"NO_COLOR=1", "TERM=xterm"}});
    EXPECT_EQ(shown.status, 0) << shown.err;
    std::istringstream lines(shown.out);
    for (std::string line; std::getline(lines, line, '\n');) {
        if (line.ends_with('\r'))
            line.pop_back();
        EXPECT_LE(line.size(), 80U) << line;
    }
    EXPECT_THAT(shown.out, Not(HasSubstr("\033")));
    EXPECT_THAT(beeline({"status"}, {.terminal = true, .env = {"TERM=xterm"}}).out, HasSubstr("\033[1m"));
    EXPECT_THAT(beeline({"status"}, {.terminal = true, .env = {"TERM=dumb"}}).out, Not(HasSubstr("\033")));
}

TEST_F(Commands, PlanShowsTheDifference) {
    const std::string file = config({"udp dport 7 -> drop", "tcp dport 80 -> drop"});
    EXPECT_THAT(beeline({"plan", file}).out, HasSubstr("nothing is up"));
    expect(0, {"up", file});
    EXPECT_THAT(beeline({"plan", file}).out, HasSubstr("no difference"));
    const std::string other = config({"udp dport 9 -> drop", "tcp dport 80 -> drop"}, "", "other.toml");
    const Ended plan = beeline({"plan", other});
    EXPECT_EQ(plan.status, 0);
    EXPECT_THAT(plan.out, HasSubstr("- rule    udp dport 7 -> drop\n"));
    EXPECT_THAT(plan.out, HasSubstr("+ rule    udp dport 9 -> drop\n"));
    EXPECT_THAT(plan.out, Not(HasSubstr("dport 80")));
    const Json json = Json::parse(beeline({"plan", other, "--json"}).out);
    EXPECT_EQ(json.at("empty"), false);
    EXPECT_EQ(json.at("rules_added"), Json::array({"udp dport 9 -> drop"}));
}

TEST_F(Commands, ReloadReadsTheFileThatIsLive) {
    const std::string file = config({"udp dport 7 -> drop", "fallback -> pass"});
    expect(0, {"up", file});
    send(udp(7), 5);
    (void)config({"udp dport 8 -> drop", "udp dport 7 -> drop", "fallback -> pass"});
    const Ended reload = beeline({"reload"});
    ASSERT_EQ(reload.status, 0) << reload.err;
    EXPECT_THAT(reload.out, HasSubstr("generation 2"));
    EXPECT_EQ(packets("udp dport 7 -> drop"), 5U) << "a rule that stays keeps its counters";
    send(udp(8), 2);
    EXPECT_EQ(packets("udp dport 8 -> drop"), 2U);
}

TEST_F(Commands, CheckTouchesNothing) {
    const Ended good = beeline({"check", config({"udp dport 7 -> drop"})});
    EXPECT_EQ(good.status, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("good: 2 rules, devices va"));
    const Ended bad = beeline({"check", config({"udp dpotr 7 -> drop"})});
    EXPECT_EQ(bad.status, 3);
    EXPECT_THAT(bad.err, HasSubstr("beeline.toml:8:"));
    EXPECT_THAT(bad.err, HasSubstr("did you mean 'dport'"));
    EXPECT_THAT(bad.err, HasSubstr("beeline: " + path("beeline.toml") + ": 1 error\n"));
    EXPECT_EQ(status().at("up"), false);
}

TEST_F(Commands, TheConfigOfTheCommandLineSaysWhereThePinsAre) {
    const std::string file = config({"udp dport 7 -> drop"});
    const How here{.netns = net_->netns().fd()};
    EXPECT_EQ(run_program({"up", file}, here).status, 0);
    EXPECT_THAT(run_program({"-c", file, "status"}, here).out, HasSubstr("udp dport 7 -> drop"));
    EXPECT_THAT(run_program({"status", "-c", file}, here).out, HasSubstr("udp dport 7 -> drop")) << "anywhere";
    EXPECT_EQ(run_program({"down", "--config", file}, here).status, 0);
    EXPECT_EQ(status().at("up"), false);
}

TEST_F(Commands, DoctorKnowsTheDevices) {
    const Ended ended = beeline({"doctor"});
    EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("kernel        Linux "));
    EXPECT_THAT(ended.out, HasSubstr("CAP_BPF"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("va +veth +yes"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("edge +full"));
    EXPECT_THAT(ended.out, testing::ContainsRegex("proxy +not in this version"));
    expect(0, {"up", config({"udp dport 7 -> drop"})});
    const Json json = Json::parse(beeline({"doctor", "--json"}).out);
    bool found = false;
    for (const Json &device : json.at("devices"))
        if (device.at("name") == "va") {
            found = true;
            EXPECT_THAT(device.at("holder").get<std::string>(), HasSubstr("edge_policy"));
        }
    EXPECT_TRUE(found);
}

} // namespace
} // namespace beeline::cli_test
