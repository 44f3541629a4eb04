// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/config/config.hpp>
#include <beeline/guest/parse.hpp>
#include <beeline/guest/tables.hpp>

namespace beeline::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Config good(const std::string &text) {
    auto [config, diagnostics] = parse(text, "c.toml");
    for (const rules::Diagnostic &diagnostic : diagnostics)
        ADD_FAILURE() << diagnostic.one_line();
    return config.value_or(Config{});
}

TEST(GuestConfig, TakesEveryKey) {
    const Config config = good(R"(
[sets.peers]
type = "prefix"
entries = ["198.51.100.0/24"]
[sets.web]
type = "port"
entries = ["http"]
[sets.unused]
type = "prefix"

[guests]
uplinks = ["eth0", "eth1"]
masquerade_ports = "50000-50999"
flows = 1048576

[[guest]]
name = "web"
netns = "/run/netns/web"
device = "net0"
host_device = "web0"
address = ["10.88.0.2/24", "2001:db8::2/64"]
gateway = ["10.88.0.1", "2001:db8::1"]
mode = "netkit-l2"
mtu = 9000
mac = "02:00:5e:10:00:01"
headroom = 64
tailroom = 16
scrub = true
masquerade = true
publish = ["8080:80", "[2001:db8:1::1]:53:53/udp"]
rules = [
  "in tcp src @peers dport @web -> pass",
  "out dst !{10.0.0.0/8, 172.16.0.0/12} -> log every 5 drop",
]
)");
    EXPECT_THAT(config.guest_settings.uplinks, ElementsAre("eth0", "eth1"));
    EXPECT_EQ(config.guest_settings.masquerade_ports, (policy::Range<std::uint16_t>{50000, 50999}));
    EXPECT_EQ(config.guest_settings.flows, 1048576u);
    ASSERT_EQ(config.guests.size(), 1u);
    const guest::Policy &web = config.guests[0];
    EXPECT_EQ(web.name, "web");
    EXPECT_EQ(web.where.line, 17u);
    EXPECT_EQ(web.place, (guest::Place{guest::Place::By::netns, "/run/netns/web"}));
    EXPECT_EQ(web.device, "net0");
    EXPECT_EQ(web.host_device, "web0");
    EXPECT_EQ(kernel::to_string(web.address4.value()), "10.88.0.2/24");
    EXPECT_EQ(kernel::to_string(web.address6.value()), "2001:db8::2/64");
    EXPECT_EQ(kernel::to_string(web.gateway4.value()), "10.88.0.1");
    EXPECT_EQ(kernel::to_string(web.gateway6.value()), "2001:db8::1");
    EXPECT_EQ(web.mode, guest::Mode::netkit_l2);
    EXPECT_EQ(web.mtu, 9000u);
    EXPECT_EQ(kernel::to_string(web.mac.value()), "02:00:5e:10:00:01");
    EXPECT_EQ(web.headroom, 64);
    EXPECT_EQ(web.tailroom, 16);
    EXPECT_TRUE(web.scrub);
    EXPECT_TRUE(web.masquerade);
    std::vector<std::string> ports, sets, rules;
    for (const guest::Publish &publish : web.publish)
        ports.push_back(guest::to_text(publish));
    for (const policy::Set &set : web.sets)
        sets.push_back(set.name);
    for (const policy::Rule &rule : web.rules)
        rules.push_back(std::to_string(rule.where.line) + " " + policy::to_text(rule, web.sets));
    EXPECT_THAT(ports, ElementsAre("8080:80/tcp", "[2001:db8:1::1]:53:53/udp"));
    EXPECT_THAT(sets, ElementsAre("peers", "web", "$1")) << "those that the rules name";
    EXPECT_THAT(rules,
                ElementsAre("32 in tcp src @peers dport @web -> pass",
                            "33 out ip dst !{10.0.0.0/8, 172.16.0.0/12} -> log every 5 drop", "0 fallback -> pass"));
    EXPECT_TRUE(guest::compile(web));
}

TEST(GuestConfig, HasDefaults) {
    const Config config =
        good("[[guest]]\nname = \"a-long-name-of-one\"\ncontainer = \"shop_web_1\"\naddress = \"10.88.0.2\"\n");
    EXPECT_THAT(config.guest_settings.uplinks, IsEmpty()) << "those of the default routes";
    EXPECT_EQ(config.guest_settings.masquerade_ports, (policy::Range<std::uint16_t>{61000, 65535}));
    EXPECT_EQ(config.guest_settings.flows, 65536u);
    ASSERT_EQ(config.guests.size(), 1u);
    const guest::Policy &one = config.guests[0];
    EXPECT_EQ(one.place, (guest::Place{guest::Place::By::container, "shop_web_1"}));
    EXPECT_EQ(one.device, "eth0");
    EXPECT_EQ(one.host_device, "bla-long-name-o");
    EXPECT_EQ(kernel::to_string(one.address4.value()), "10.88.0.2/32");
    EXPECT_FALSE(one.address6 || one.gateway4 || one.gateway6 || one.mtu || one.mac || one.headroom || one.tailroom);
    EXPECT_EQ(one.mode, guest::Mode::automatic);
    EXPECT_FALSE(one.scrub || one.masquerade);
    ASSERT_EQ(one.rules.size(), 1u);
    EXPECT_EQ(one.rules[0].text, "fallback -> pass");
    EXPECT_TRUE(good("").guests.empty());
    EXPECT_TRUE(good("[guests]\nuplinks = \"auto\"\n").guest_settings.uplinks.empty());
}

TEST(GuestConfig, ExampleOfTheDocsIsOne) {
    std::ifstream file(BEELINE_DOCS "/config.md");
    ASSERT_TRUE(file);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::size_t start = page.find("```toml\n", page.find("## [[guest]]")) + 8;
    const Config config = good(page.substr(start, page.find("```", start) - start));
    ASSERT_EQ(config.guests.size(), 2u);
    EXPECT_EQ(config.guests[0].rules.size(), 4u);
}

TEST(GuestConfig, TakesATapAsItIs) {
    const Config config = good("[[guest]]\nname = \"vm\"\ntap = \"tap0\"\naddress = \"10.88.0.3/24\"\n"
                               "mac = \"52:54:00:12:34:56\"\nmtu = 1400\n");
    ASSERT_EQ(config.guests.size(), 1u);
    EXPECT_EQ(config.guests[0].place, (guest::Place{guest::Place::By::tap, "tap0"}));
    EXPECT_EQ(config.guests[0].host_device, "tap0");
    EXPECT_EQ(config.guests[0].device, "");
    EXPECT_EQ(kernel::to_string(config.guests[0].mac.value()), "52:54:00:12:34:56");
}

TEST(GuestConfig, KeepsGuestsApartThatShareNothing) {
    const Config config =
        good("[[guest]]\nname = \"a\"\nnetns = \"one\"\naddress = \"10.88.0.2\"\n"
             "publish = [\"10.0.0.1:80:80\", \"53:53/udp\"]\nrules = [\"src {10.0.0.1, 10.0.0.2, 10.0.0.3, "
             "10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9} -> drop\"]\n"
             "[[guest]]\nname = \"b\"\nnetns = \"one\"\ndevice = \"eth1\"\naddress = \"10.88.0.3\"\n"
             "publish = [\"10.0.0.2:80:80\", \"53:53/tcp\"]\nrules = [\"out -> drop\"]\n");
    ASSERT_EQ(config.guests.size(), 2u);
    EXPECT_EQ(config.guests[0].sets.size(), 1u);
    EXPECT_EQ(config.guests[1].sets.size(), 0u);
    EXPECT_EQ(config.guests[1].rules[0].text, "out -> drop");
}

TEST(GuestConfig, StandsBesideTheEdge) {
    const Config config =
        good("[sets.s]\ntype = \"prefix\"\n[edge]\ndevices = [\"eth0\"]\nrules = [\"src @s -> drop\"]\n"
             "[[guest]]\nname = \"a\"\nnetns = \"a\"\naddress = \"10.88.0.2\"\nrules = [\"dst @s -> drop\"]\n");
    ASSERT_TRUE(config.edge);
    EXPECT_EQ(config.edge->sets.size(), 1u);
    ASSERT_EQ(config.guests.size(), 1u);
    EXPECT_EQ(config.guests[0].sets.size(), 1u);
}

} // namespace
} // namespace beeline::config
