// SPDX-License-Identifier: Apache-2.0
//
// Guests on the command line: with and without an edge beside them. They are veth, which every kernel with tcx has.
#include "netns/cli/guest_host.hpp"

#include <csignal>
#include <fstream>

#include <harness/assert.hpp>

namespace beeline::cli_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class GuestCommands : public GuestHost {};

TEST_F(GuestCommands, ComeUpWithoutAnEdgeAndGoDown) {
    const std::string file = guests_only();
    EXPECT_THAT(beeline({"plan", file}).out, AllOf(HasSubstr("nothing is up"), HasSubstr("+ guest   web")));
    const Ended up = beeline({"up", file});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_THAT(up.out, HasSubstr("guests are up from " + file + ": new: web"));
    EXPECT_THAT(beeline({"plan", file}).out, HasSubstr("no difference"));
    const Ended shown = beeline({"status"});
    EXPECT_THAT(shown.out, AllOf(HasSubstr("1 guest from " + file), HasSubstr("veth"), HasSubstr("10.88.0.2/24"),
                                 HasSubstr("in tcp dport 80 -> pass"), HasSubstr("198.51.100.1")));
    EXPECT_THAT(shown.out, Not(HasSubstr("nothing is up")));
    EXPECT_EQ(guests().at("guests").at(0).at("wiring"), "veth");
    EXPECT_EQ(status().at("up"), false);
    expect(0, {"reload"});
    const Ended down = beeline({"down"});
    EXPECT_THAT(down.out, AllOf(HasSubstr("the guests are down"), Not(HasSubstr("edge"))));
    EXPECT_EQ(guests().at("up"), false);
}

TEST_F(GuestCommands, AFileWithoutGuestsTakesThemDown) {
    const std::string edge = config({"udp dport 7 -> drop"});
    expect(0, {"up", guests_only()});
    EXPECT_THAT(beeline({"plan", edge}).out, HasSubstr("- all guests: the file has none"));
    EXPECT_THAT(beeline({"up", edge}).out, HasSubstr("the guests are down: " + edge + " has none"));
    EXPECT_EQ(guests().at("up"), false);
    EXPECT_EQ(status().at("up"), true);
    EXPECT_EQ(status().at("rollback_in_seconds"), nullptr) << "the edge is no longer on trial";
    EXPECT_THAT(beeline({"up", guests_only()}).out, HasSubstr("the edge is down"));
    EXPECT_EQ(status().at("up"), false);
    EXPECT_THAT(names(), testing::ElementsAre("web"));
}

TEST_F(GuestCommands, WhenTheyFailTheEdgeIsAsBefore) {
    const std::string before = config({"udp dport 7 -> drop"});
    expect(0, {"up", before});
    const std::string both = config({"udp dport 9 -> drop"}, "", "both.toml");
    std::ofstream(both, std::ios::app) << "[guests]\nuplinks = \"va\"\n"
                                       << "[[guest]]\nname = \"lost\"\nnetns = \"/run/netns/none\"\n"
                                       << "address = \"10.88.0.9/24\"\nmode = \"veth\"\n";
    const Ended up = beeline({"up", both});
    EXPECT_NE(up.status, 0);
    EXPECT_THAT(up.err, HasSubstr("/run/netns/none"));
    EXPECT_EQ(packets("udp dport 9 -> drop"), ~std::uint64_t{0}) << "no such rule";
    EXPECT_NE(packets("udp dport 7 -> drop"), ~std::uint64_t{0});
    EXPECT_EQ(status().at("rollback_in_seconds"), nullptr);
    EXPECT_EQ(guests().at("up"), false);
    expect(0, {"down"});
    EXPECT_NE(beeline({"up", both}).status, 0);
    EXPECT_EQ(status().at("up"), false) << "it was the first edge";
}

TEST_F(GuestCommands, ConfirmIsForTheEdge) {
    const std::string both = config({"udp dport 9 -> drop"}, "", "both.toml");
    std::ofstream(both, std::ios::app) << "[guests]\nuplinks = \"va\"\n" << web_section();
    const Ended up = beeline({"up", both, "--confirm", "60s"});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_THAT(up.out, AllOf(HasSubstr("rolls back in"), HasSubstr("about the edge only")));
    expect(0, {"confirm"});
    const Ended alone = beeline({"up", guests_only(), "--confirm", "60s"});
    EXPECT_EQ(alone.status, 2);
    EXPECT_THAT(alone.err, HasSubstr("--confirm is for the edge"));
}

TEST_F(GuestCommands, ComeAndGoAtRunTime) {
    const std::string file = write("empty.toml", head() + "[guests]\nuplinks = \"va\"\n");
    const std::vector<std::string> add = {"guest",           "add",          "web",        "--netns",   path_of(*web_),
                                          "--address",       "10.88.0.2/24", "--mode",     "veth",      "--rule",
                                          "in icmp -> pass", "--rule",       "in -> drop", "--publish", "8080:80"};
    EXPECT_THAT(beeline(add).err, HasSubstr("no guests are up"));
    expect(0, {"up", file});
    const Ended added = beeline(add);
    ASSERT_EQ(added.status, 0) << added.err;
    EXPECT_THAT(added.out, HasSubstr("guest web is up: veth"));
    EXPECT_EQ(beeline(add).status, 6) << "the name is taken";
    expect(0, {"up", file});
    EXPECT_THAT(beeline({"guest", "list"}).out, AllOf(HasSubstr("web+"), HasSubstr("8080:80")));
    const Ended shown = beeline({"guest", "show", "web"});
    EXPECT_THAT(shown.out, AllOf(HasSubstr("run time"), HasSubstr("in icmp -> pass"), HasSubstr("tcx ingress")));
    EXPECT_EQ(Json::parse(beeline({"guest", "show", "web", "--json"}).out).at("runtime"), true);
    EXPECT_THAT(beeline({"guest", "show", "db"}).err, HasSubstr("no guest db is up"));
    EXPECT_THAT(beeline({"guest", "del", "web"}).out, HasSubstr("is gone"));
    EXPECT_THAT(beeline({"guest", "list"}).out, HasSubstr("no guest is up"));
    const Ended wrong =
        beeline({"guest", "add", "web", "--netns", "web", "--address", "10.88.0.2/24", "--rule", "in tpc"});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, HasSubstr("guest web is not added"));
}

TEST_F(GuestCommands, AreExplainedBothWays) {
    expect(0, {"up", guests_only()});
    const auto ask = [&](const std::string &way, const std::string &packet) {
        return Json::parse(beeline({"explain", "--guest", "web", way, packet, "--json"}).out, nullptr, false);
    };
    const Json in = ask("--into", "tcp 198.51.100.1:4000 > 10.88.0.2:80");
    ASSERT_TRUE(in.is_object());
    EXPECT_EQ(in.at("rules").at(0).at("text"), "in tcp dport 80 -> pass");
    EXPECT_EQ(in.at("rules").at(0).at("guest"), "web");
    EXPECT_EQ(in.at("outcome"), "into the guest");
    EXPECT_EQ(ask("--into", "tcp 198.51.100.1:4000 > 10.88.0.2:81").at("outcome"), "dropped");
    const Json out = ask("--out", "udp 10.88.0.2:53 > 198.51.100.1:53");
    EXPECT_EQ(out.at("rules").at(0).at("text"), "fallback -> pass");
    const Ended spoofed = beeline({"explain", "--guest", "web", "--out", "udp 10.88.0.77:53 > 198.51.100.1:53"});
    EXPECT_THAT(spoofed.out, AllOf(HasSubstr("outcome  dropped"), HasSubstr("spoofed")));
    const Ended wire = beeline({"explain", "tcp 198.51.100.2:4000 > 10.88.0.2:81 in va"});
    EXPECT_THAT(wire.out, AllOf(HasSubstr("in by uplink va"), HasSubstr("of guest web: in -> drop")));
    EXPECT_EQ(beeline({"explain", "--guest", "web", "udp 10.88.0.2:53 > 198.51.100.1:53"}).status, 2);
}

TEST_F(GuestCommands, TheDaemonNoticesADeletedNamespace) {
    const std::string file = guests_only();
    const auto running = daemon(file);
    ASSERT_TRUE(running->logged("guests are up")) << running->log();
    EXPECT_THAT(names(), testing::ElementsAre("web"));
    web_.reset();
    EXPECT_TRUE(running->logged("guest web: its device or namespace is gone")) << running->log();
    EXPECT_TRUE(eventually([&] { return names().empty(); }));
    EXPECT_EQ(guests().at("up"), true);
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
}

} // namespace
} // namespace beeline::cli_test
