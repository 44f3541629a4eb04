// SPDX-License-Identifier: Apache-2.0
//
// Sets at run time that guests' rules name, alone and together with the edge's.
#include <fstream>

#include "netns/cli/guest_host.hpp"

namespace beeline::cli_test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char *kDrop = "src @blocklist -> drop";

class GuestSets : public GuestHost {
protected:
    /// file: the entries of the set in the file.
    [[nodiscard]] std::string guests(const std::string &file = "\"203.0.113.0/24\"") const {
        return "[sets.blocklist]\ntype = \"prefix\"\nentries = [" + file +
               "]\n[sets.ports]\ntype = \"port\"\n[guests]\nuplinks = \"va\"\n[[guest]]\nname = \"web\"\nnetns = \"" +
               web_->netns().name() +
               "\"\naddress = \"10.88.0.2/24\"\nmode = \"veth\"\nhost_device = \"blsets0\"\n"
               "rules = [\"in src @blocklist -> drop\", \"in udp dport @ports -> drop\", \"fallback -> pass\"]\n";
    }
    [[nodiscard]] std::string alone(const std::string &file = "\"203.0.113.0/24\"") const {
        return write("guests.toml",
                     "[host]\npins = \"" + pins() + "\"\nsocket = \"" + socket() + "\"\n" + guests(file));
    }
    /// How the loaded program would judge a packet into the guest.
    [[nodiscard]] std::string into(const std::string &packet) const {
        const Ended ended = beeline({"explain", "--guest", "web", "--into", packet, "--json"});
        const Json json = Json::parse(ended.out, nullptr, false);
        return json.is_object() ? json.value("outcome", ended.out) : ended.err;
    }
    [[nodiscard]] std::string list(const std::string &set) const { return beeline({"set", "list", set}).out; }
};

TEST_F(GuestSets, OfGuestsAloneTakeAndGiveEntries) {
    expect(0, {"up", alone()});
    const std::string packet = "udp 192.0.2.7:4000 > 10.88.0.2:53";
    EXPECT_EQ(into(packet), "into the guest");
    EXPECT_EQ(into("udp 203.0.113.9:4000 > 10.88.0.2:53"), "dropped");
    expect(0, {"set", "add", "blocklist", "192.0.2.0/24"});
    EXPECT_EQ(into(packet), "dropped");
    EXPECT_THAT(list("blocklist"), AllOf(ContainsRegex("192\\.0\\.2\\.0/24 +set add +never"),
                                         ContainsRegex("203\\.0\\.113\\.0/24 +file +never")));
    expect(0, {"set", "add", "ports", "53"});
    EXPECT_THAT(beeline({"set", "del", "blocklist", "192.0.2.0/24"}).out, HasSubstr("is no longer in blocklist"));
    EXPECT_EQ(into(packet), "dropped") << "by its port";
    expect(0, {"set", "del", "ports", "53"});
    EXPECT_EQ(into(packet), "into the guest");
    EXPECT_THAT(beeline({"set", "del", "blocklist", "192.0.2.0/24"}).out, HasSubstr("was not in blocklist"));
    EXPECT_THAT(beeline({"set", "list", "nosuchset"}).err, HasSubstr("there are: blocklist, ports"));
    EXPECT_EQ(beeline({"set", "add", "blocklist", "10.0.0.0/33"}).status, 3);
}

TEST_F(GuestSets, StayOverAReloadThatChangesTheFile) {
    expect(0, {"up", alone()});
    expect(0, {"set", "add", "blocklist", "192.0.2.7"});
    expect(0, {"up", alone("\"203.0.113.0/24\", \"100.64.0.0/10\"")});
    EXPECT_EQ(into("udp 192.0.2.7:4000 > 10.88.0.2:53"), "dropped");
    EXPECT_EQ(into("udp 100.64.0.1:4000 > 10.88.0.2:53"), "dropped");
    EXPECT_THAT(list("blocklist"), ContainsRegex("192\\.0\\.2\\.7(/32)? +set add"));
}

TEST_F(GuestSets, ExpireAndTheDaemonSweepsThem) {
    const std::string file = alone();
    expect(0, {"up", file});
    const auto running = daemon(file);
    expect(0, {"set", "add", "blocklist", "192.0.2.7", "--for", "2s"});
    expect(0, {"set", "add", "blocklist", "192.0.2.8", "--for", "1h"});
    EXPECT_EQ(into("udp 192.0.2.7:4000 > 10.88.0.2:53"), "dropped");
    EXPECT_TRUE(eventually([&] { return into("udp 192.0.2.7:4000 > 10.88.0.2:53") == "into the guest"; }));
    EXPECT_EQ(into("udp 192.0.2.8:4000 > 10.88.0.2:53"), "dropped");
    EXPECT_TRUE(eventually([&] { return list("blocklist").find("192.0.2.7") == std::string::npos; }));
}

TEST_F(GuestSets, OfEdgeAndGuestsChangeTogether) {
    const std::string file = config({kDrop}, "", "both.toml");
    std::ofstream(file, std::ios::app) << guests();
    expect(0, {"up", file});
    expect(0, {"set", "add", "blocklist", "192.0.2.1"});
    send(udp(7), 3);
    EXPECT_EQ(packets(kDrop), 3U) << "at the edge";
    EXPECT_EQ(into("udp 192.0.2.1:4000 > 10.88.0.2:53"), "dropped");
    expect(0, {"set", "del", "blocklist", "192.0.2.1"});
    send(udp(7), 3);
    EXPECT_EQ(packets(kDrop), 3U);
    EXPECT_EQ(into("udp 192.0.2.1:4000 > 10.88.0.2:53"), "into the guest");
}

TEST_F(GuestSets, WhenTheGuestsFailTheEdgeIsAsBefore) {
    const std::string file = config({kDrop}, "", "both.toml");
    std::ofstream(file, std::ios::app) << guests();
    expect(0, {"up", file});
    expect(0, {"set", "add", "blocklist", "192.0.2.9"});
    const std::filesystem::path pin = std::filesystem::path(pins()) / "guest/guest_sets4", aside = pin.string() + "_x";
    std::filesystem::rename(pin, aside); // the guests' state is damaged...
    EXPECT_EQ(beeline({"set", "add", "blocklist", "192.0.2.1"}).status, 7);
    EXPECT_EQ(beeline({"set", "del", "blocklist", "192.0.2.9"}).status, 7);
    std::filesystem::rename(aside, pin); // ...and whole again
    send(udp(7), 3);
    EXPECT_EQ(packets(kDrop), 0U) << "192.0.2.1 must not be in the edge's set";
    EXPECT_THAT(list("blocklist"), HasSubstr("192.0.2.9"));
}

} // namespace
} // namespace beeline::cli_test
