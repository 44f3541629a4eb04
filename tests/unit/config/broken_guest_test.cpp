// SPDX-License-Identifier: Apache-2.0
#include "unit/config/broken.hpp"

namespace beeline::config {
namespace {

/// A good guest with more lines behind its own three.
std::string guest(const std::string &more, const std::string &name = "web",
                  const std::string &address = "10.88.0.2/24") {
    return "[[guest]]\nname = \"" + name + "\"\nnetns = \"" + name + "\"\naddress = \"" + address + "\"\n" + more;
}

const Broken kPlace[] = {
    {"[guest]\nname = \"web\"\n",
     {"c.toml:1:1: error: 'guest' is a table; expected sections that begin with [[guest]]"}},
    {"guest = []\n", {"c.toml:1:9: error: 'guest' is an array; expected sections that begin with [[guest]]"}},
    {"[[guest]]\n",
     {"c.toml:1:1: error: [[guest]] has no name; for example: name = \"web\"",
      "c.toml:1:1: error: [[guest]] does not say where it is; one of netns = \"NAME or path\", container = \"NAME or "
      "id\", "
      "tap = \"DEVICE\"",
      "c.toml:1:1: error: [[guest]] has no address; for example: address = \"10.88.0.2/24\""}},
    {guest("naem = 1\n"), {"c.toml:5:1: error: unknown key 'naem' in [[guest]]; did you mean 'name'?"}},
    {guest("", "we/b"),
     {"c.toml:2:9: error: 'we/b' cannot be the name of a guest; letters, digits, '-', '_' and '.', a letter or digit "
      "first, at most 63",
      "c.toml:3:10: error: 'we/b' is neither a name nor a whole path; names have no '/', paths begin with one"}},
    {guest("container = \"x\"\n"),
     {"c.toml:5:13: error: 'container' beside another place; a guest is one of netns, container, tap"}},
    {"[[guest]]\nname = \"vm\"\ntap = \"tap0\"\naddress = \"10.88.0.3\"\n",
     {"c.toml:3:7: error: a tap without the 'mac' of its machine; frames go to it by that address; for example mac = "
      "\"52:54:00:12:34:56\""}},
    {guest("tap = \"tap0\"\nmac = \"52:54:00:12:34:56\"\nmode = \"veth\"\nscrub = true\n"),
     {"c.toml:5:7: error: 'tap' beside another place; a guest is one of netns, container, tap",
      "c.toml:7:8: error: 'mode' is not for a tap, which is there already; leave it out",
      "c.toml:8:9: error: 'scrub' is not for a tap, which is there already; leave it out"}},
    {guest("device = \"a/b\"\n"), {"c.toml:5:11: error: 'a/b' cannot be a device; no '/', ':' or blank in names"}},
    {guest("host_device = \"a-name-of-sixteen\"\n"),
     {"c.toml:5:16: error: 'a-name-of-sixteen' cannot be a device; names have 1 to 15 bytes"}},
};

const Broken kAddresses[] = {
    {guest("", "web", "10.88.0.0/24"),
     {"c.toml:4:12: error: '10.88.0.0/24' is the address of its network; write the guest's own address with the "
      "length, for example 10.88.0.2/24"}},
    {guest("", "web", "web.example"),
     {"c.toml:4:12: error: 'web.example' is not an address; for example 10.88.0.1 or 2001:db8::1"}},
    {"[[guest]]\nname = \"web\"\nnetns = \"web\"\naddress = []\n",
     {"c.toml:4:11: error: [[guest]] has no address; for example: address = \"10.88.0.2/24\""}},
    {"[[guest]]\nname = \"web\"\nnetns = \"web\"\naddress = 5\n",
     {"c.toml:4:11: error: 'address' in [[guest]] is an integer; expected a string or an array of strings"}},
    {"[[guest]]\nname = \"web\"\nnetns = \"web\"\naddress = [\"10.88.0.2\", \"2001:db8::1\", \"10.88.0.3\"]\n",
     {"c.toml:4:41: error: a second IPv4 address; a guest has at most one of each family"}},
    {guest("gateway = \"2001:db8::1\"\n"), {"c.toml:5:12: error: an IPv6 gateway without an IPv6 address"}},
    {guest("gateway = \"10.88.0.2\"\n"), {"c.toml:5:12: error: the gateway is the guest itself"}},
    {guest("gateway = \"10.88.0.1/24\"\n"),
     {"c.toml:5:12: error: '10.88.0.1/24' is a prefix, not an address; write it without the '/'"}},
    {guest("gateway = [\"10.88.0.1\", \"10.88.0.3\"]\n"),
     {"c.toml:5:26: error: a second IPv4 gateway; there is one for each address"}},
};

const Broken kLink[] = {
    {guest("mode = \"netkit\"\n"),
     {"c.toml:5:9: error: unknown mode 'netkit'; expected auto, netkit-l3, netkit-l2, veth; did you mean "
      "'netkit-l3'?"}},
    {guest("mtu = 67\nheadroom = 65536\ntailroom = -1\n"),
     {"c.toml:5:7: error: 'mtu' in [[guest]] is 67; expected 68 to 65535",
      "c.toml:6:12: error: 'headroom' in [[guest]] is 65536; expected 0 to 65535",
      "c.toml:7:12: error: 'tailroom' in [[guest]] is -1; expected 0 to 65535"}},
    {guest("mtu = \"1500\"\n"), {"c.toml:5:7: error: 'mtu' in [[guest]] is a string; expected an integer"}},
    {guest("mac = \"02:00:00:00:00:01\"\n"),
     {"c.toml:5:8: error: a MAC address, but netkit in L3 mode has none; write mode = \"netkit-l2\" or \"veth\""}},
    {guest("mac = \"02:00:00:00:00:01\"\nmode = \"netkit-l3\"\n"),
     {"c.toml:5:8: error: a MAC address, but netkit in L3 mode has none; write mode = \"netkit-l2\" or \"veth\""}},
    {guest("mac = \"03:00:00:00:00:01\"\nmode = \"veth\"\n"),
     {"c.toml:5:8: error: '03:00:00:00:00:01' is a multicast address; a device has one of its own, for example "
      "02:00:5e:10:00:01"}},
    {guest("mac = \"00:00:00:00:00:00\"\nmode = \"veth\"\n"),
     {"c.toml:5:8: error: '00:00:00:00:00:00' is no address; a device has one of its own, for example "
      "02:00:5e:10:00:01"}},
    {guest("mac = \"02:00\"\nmode = \"veth\"\n"),
     {"c.toml:5:8: error: '02:00' is not a MAC address; expected six bytes such as 02:00:5e:10:00:01"}},
    {guest("mode = \"veth\"\nheadroom = 5\nscrub = false\n"),
     {"c.toml:6:12: error: 'headroom' is for netkit, not for veth; leave it out",
      "c.toml:7:9: error: 'scrub' is for netkit, not for veth; leave it out"}},
    {guest("masquerade = \"yes\"\n"),
     {"c.toml:5:14: error: 'masquerade' in [[guest]] is a string; expected true or false"}},
};

const Broken kPublish[] = {
    {guest("publish = \"8080:80\"\n"),
     {"c.toml:5:11: error: 'publish' in [[guest]] is a string; expected an array of strings"}},
    {guest("publish = [\"8080\", \"8080:0\", \"x:1:1\", \"1:1/sctp\"]\n"),
     {"c.toml:5:13: error: '8080' is no published port; expected [address:]port:port[/tcp or /udp], for example "
      "8080:80 or [2001:db8::1]:53:53/udp",
      "c.toml:5:21: error: the guest's port '0' is out of range; expected [address:]port:port[/tcp or /udp], for "
      "example 8080:80 or [2001:db8::1]:53:53/udp",
      "c.toml:5:31: error: 'x' is not an address; expected [address:]port:port[/tcp or /udp], for example 8080:80 or "
      "[2001:db8::1]:53:53/udp",
      "c.toml:5:40: error: 'sctp' is no protocol that can be published; expected tcp or udp"}},
    {guest("publish = [\"[2001:db8::1]:80:80\"]\n"),
     {"c.toml:5:13: error: 2001:db8::1 is published, but the guest has no IPv6 address"}},
    {guest("publish = [\"61000:80\"]\n"),
     {"c.toml:5:13: error: the host's port 61000 is one of masquerade_ports; these are 61000-65535; change them in "
      "[guests]"}},
    {"[guests]\nmasquerade_ports = \"8000-8999\"\n" + guest("publish = [\"61000:80\", \"8080:80\"]\n"),
     {"c.toml:7:25: error: the host's port 8080 is one of masquerade_ports; these are 8000-8999; change them in "
      "[guests]"}},
    {guest("publish = [\"8080:80\", \"192.0.2.1:8080:81\"]\n"),
     {"c.toml:5:24: error: guest 'web' has published '8080:80/tcp'; one port of the host leads to one guest"}},
};

const Broken kRules[] = {
    {guest("rules = [\"in tcp dport 80 ttl 5 -> pass\", \"in out -> drop\", \"src @peers -> drop\"]\n"),
     {"c.toml:5:27: error: 'ttl' is not in guest rules; a rule judges the packet that begins a flow and all of the "
      "flow follows, so it asks only what is the same in all packets of a flow",
      "c.toml:5:47: error: 'in' and 'out' in one rule; a rule without either is for both directions",
      "c.toml:5:66: error: unknown set '@peers'; define it in [sets.peers]"}},
    {guest("rules = \"in -> drop\"\n"),
     {"c.toml:5:9: error: 'rules' in [[guest]] is a string; expected an array of strings"}},
};

const Broken kTogether[] = {
    {guest("") + guest("", "web", "10.88.0.3"),
     {"c.toml:6:9: error: a second guest 'web'",
      "c.toml:7:9: error: guest 'web' is there under the device 'eth0', too; give one of them another device"}},
    {guest("") + guest("", "db"), {"c.toml:8:12: error: 10.88.0.2 is the address of guest 'web', too"}},
    {guest("", "a-long-name-of-one") + guest("", "a-long-name-of-two", "10.88.0.3"),
     {"c.toml:5:1: error: the host's device 'bla-long-name-o' is that of guest 'a-long-name-of-one', too; write "
      "another name: host_device = \"...\""}},
    {guest("") + "[[guest]]\nname = \"db\"\nnetns = \"/var/run/netns/web\"\naddress = \"10.88.0.3\"\n",
     {"c.toml:7:9: error: guest 'web' is there under the device 'eth0', too; give one of them another device"}},
    {guest("host_device = \"tap0\"\n") + "[[guest]]\nname = \"vm\"\ntap = \"tap0\"\naddress = \"10.88.0.3\"\n"
                                         "mac = \"52:54:00:12:34:56\"\n",
     {"c.toml:8:7: error: the host's device 'tap0' is that of guest 'web', too"}},
    {guest("publish = [\"53:53/udp\"]\n") + guest("publish = [\"10.0.0.1:53:5353/udp\"]\n", "db", "10.88.0.3"),
     {"c.toml:10:13: error: guest 'web' has published '53:53/udp'; one port of the host leads to one guest"}},
};

const Broken kGuests[] = {
    {"[[guests]]\n", {"c.toml:1:1: error: 'guests' is an array; expected a table"}},
    {"[guests]\nuplink = [\"eth0\"]\n",
     {"c.toml:2:1: error: unknown key 'uplink' in [guests]; did you mean 'uplinks'?"}},
    {"[guests]\nuplinks = []\n",
     {"c.toml:2:11: error: 'uplinks' is empty; expected \"auto\" or devices, for example [\"eth0\"]"}},
    {"[guests]\nuplinks = 5\n",
     {"c.toml:2:11: error: 'uplinks' in [guests] is an integer; expected a string or an array of strings"}},
    {"[guests]\nuplinks = [\"eth0\", \"eth0\", \"a/b\"]\n",
     {"c.toml:2:21: error: 'eth0' twice in 'uplinks'",
      "c.toml:2:29: error: 'a/b' cannot be a device; no '/', ':' or blank in names"}},
    {"[guests]\nmasquerade_ports = \"5000-4000\"\n",
     {"c.toml:2:21: error: empty range '5000-4000'; the smaller number comes first: 4000-5000; for example "
      "masquerade_ports = \"61000-65535\""}},
    {"[guests]\nmasquerade_ports = \"http\"\n",
     {"c.toml:2:21: error: 'http' is not a number; for example masquerade_ports = \"61000-65535\""}},
    {"[guests]\nmasquerade_ports = 5000\n",
     {"c.toml:2:20: error: 'masquerade_ports' in [guests] is an integer; expected a string"}},
    {"[guests]\nflows = 1023\n", {"c.toml:2:9: error: 'flows' in [guests] is 1023; expected 1024 to 1048576"}},
    {"[guests]\nflows = 1048577\n", {"c.toml:2:9: error: 'flows' in [guests] is 1048577; expected 1024 to 1048576"}},
};

TEST(BrokenGuest, Place) {
    for (const Broken &broken : kPlace)
        check(broken);
}

TEST(BrokenGuest, Addresses) {
    for (const Broken &broken : kAddresses)
        check(broken);
}

TEST(BrokenGuest, Link) {
    for (const Broken &broken : kLink)
        check(broken);
}

TEST(BrokenGuest, PublishedPorts) {
    for (const Broken &broken : kPublish)
        check(broken);
}

TEST(BrokenGuest, Rules) {
    for (const Broken &broken : kRules)
        check(broken);
}

TEST(BrokenGuest, WhatTwoCannotShare) {
    for (const Broken &broken : kTogether)
        check(broken);
}

TEST(BrokenGuest, Settings) {
    for (const Broken &broken : kGuests)
        check(broken);
}

TEST(BrokenGuest, MoreThanThereAreSlots) {
    std::string text;
    for (int i = 0; i < 1025; ++i) {
        const std::string number = std::to_string(i);
        text += guest("", "g" + number, "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1/32");
    }
    check({text, {"c.toml:4097:1: error: more than 1024 guests"}});
}

} // namespace
} // namespace beeline::config
