// SPDX-License-Identifier: Apache-2.0
//
// Warnings about rules that can never match, held against all packets of a small world: every kind of packet that
// docs/edge.md distinguishes, with the few values that the rules here can tell apart. The reference model says which
// rule takes a packet.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <beeline/edge.h>
#include <harness/model.hpp>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

using edge::Family;
using model::Fields;

struct Packet {
    Fields fields;
    std::string device;
};

using World = std::vector<Packet>;

/// Conditions by the field they are about; two of one field never stand in one rule.
const std::map<std::string, std::vector<std::string>> kConditions{
    {"src",
     {"src 10.0.0.0/30", "src 10.0.0.0/31", "src 10.0.0.1", "src !10.0.0.0/31", "src {10.0.0.0, 10.0.0.3}",
      "src fd00::/127", "src {10.0.0.0/31, fd00::1}", "src !{10.0.0.0, 10.0.0.3}", "src !{10.0.0.1, fd00::1}",
      "src !fd00::1", "src @block", "src !@block", "src {0.0.0.0/0, ::/0}"}},
    {"dport", {"dport 1", "dport 1-2", "dport !2", "dport {1, 3}", "dport 2-3", "dport !{1, 3}", "dport 0-65535"}},
    {"proto",
     {"tcp", "udp", "icmp", "icmpv6", "proto {tcp, udp}", "proto !tcp", "gre", "proto {tcp, udp, sctp, 33, 136}"}},
    {"flags", {"flags syn", "flags syn/syn", "flags !syn", "flags ack/ack"}},
    {"type", {"icmp type 8", "icmp type !8", "icmp type {0, 8}", "icmpv6 type 128"}},
    {"family", {"ip", "ipv6"}},
    {"ethertype", {"arp", "ethertype ip", "ethertype !arp", "ethertype {ip, ipv6}"}},
    {"vlan", {"vlan any", "vlan none", "vlan 1", "vlan !1", "vlan {1, 2}"}},
    {"ttl", {"ttl 1-2", "ttl <2", "ttl !2"}},
    {"length", {"length <100", "length 60", "length !60"}},
    {"fragment", {"fragment", "fragment first", "fragment later", "fragment none"}},
    {"options", {"options", "options none"}},
    {"malformed", {"malformed", "malformed none"}},
    {"device", {"device a", "device {a, b}", "device !a"}},
};

/// Every packet of the world so far with every change.
template <class T, class Change>
World times(const World &world, const std::vector<T> &values, Change change) {
    World result;
    for (const Packet &packet : world)
        for (const T &value : values) {
            Packet copy = packet;
            change(copy, value);
            result.push_back(std::move(copy));
        }
    return result;
}

Packet ip(Family family, std::uint8_t proto) {
    Packet packet;
    packet.device = "a";
    packet.fields.length = 60;
    packet.fields.ethertype = family == Family::v4 ? 0x0800 : 0x86dd;
    packet.fields.src_mac = packet.fields.dst_mac = edge::Mac{};
    packet.fields.ip = Fields::Ip{.family = family, .proto = proto, .ttl = 1};
    return packet;
}

/// IP packets with whole and broken L4 headers, in whole packets and fragments; frames that are not IP.
World kinds() {
    World world;
    for (const Family family : {Family::v4, Family::v6})
        for (const int proto : {6, 17, 33, 132, 136, 1, 58, 47, 99}) {
            Packet packet = ip(family, static_cast<std::uint8_t>(proto));
            packet.fields.ip->fragment = packet.fields.ip->later = true;
            world.push_back(packet);
            packet.fields.ip->later = false;
            for (const bool fragment : {false, true}) {
                packet.fields.ip->fragment = fragment;
                const bool icmp = proto == (family == Family::v4 ? 1 : 58);
                const bool ports = proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
                if (icmp || ports) { // broken: no L4 field
                    packet.fields.reason = BL_R_SHORT_L4;
                    world.push_back(packet);
                    packet.fields.reason = BL_R_NONE;
                }
                Packet whole = packet;
                if (ports)
                    whole.fields.ports = Fields::Ports{7, 1};
                if (proto == 6)
                    whole.fields.tcp_flags = 2;
                if (icmp)
                    whole.fields.icmp = Fields::Icmp{8, 0};
                world.push_back(whole);
            }
        }
    for (const int ethertype : {0x0800, 0x86dd, 0x0806, 0x9000, 0}) {
        Packet packet = ip(Family::v4, 6);
        packet.fields.ip.reset();
        packet.fields.ethertype = static_cast<std::uint16_t>(ethertype);
        packet.fields.reason = ethertype == 0x0806 || ethertype == 0x9000 ? BL_R_NONE : BL_R_SHORT_IP;
        if (ethertype == 0) {
            packet.fields.ethertype.reset();
            packet.fields.src_mac.reset();
            packet.fields.dst_mac.reset();
        }
        world.push_back(packet);
    }
    return world;
}

std::array<std::uint8_t, 16> address(Family family, int last) {
    std::array<std::uint8_t, 16> result{};
    result[0] = family == Family::v4 ? 10 : 0xfd;
    result[family == Family::v4 ? 3 : 15] = static_cast<std::uint8_t>(last);
    return result;
}

/// The kinds of packets with all values of the fields that are asked for.
World world_for(const std::vector<std::string> &fields) {
    World world = kinds();
    const std::vector<int> numbers{0, 1, 2, 3, 4};
    for (const std::string &field : fields) {
        if (field == "src")
            world = times(world, numbers, [](Packet &p, int n) {
                if (p.fields.ip)
                    p.fields.ip->src = address(p.fields.ip->family, n);
            });
        if (field == "dport")
            world = times(world, numbers, [](Packet &p, int n) {
                if (p.fields.ports)
                    p.fields.ports->dst = static_cast<std::uint16_t>(n);
            });
        if (field == "flags")
            world = times(world, std::vector<int>{0, 2, 16, 18, 1, 3, 17, 19}, [](Packet &p, int n) {
                if (p.fields.tcp_flags)
                    p.fields.tcp_flags = static_cast<std::uint8_t>(n);
            });
        if (field == "type")
            world = times(world, std::vector<int>{0, 8, 3, 128}, [](Packet &p, int n) {
                if (p.fields.icmp)
                    p.fields.icmp->type = static_cast<std::uint8_t>(n);
            });
        if (field == "vlan")
            world = times(world, std::vector<int>{-1, 0, 1, 2, 3}, [](Packet &p, int n) {
                p.fields.tagged = n >= 0;
                if (n > 0)
                    p.fields.vlan = static_cast<std::uint16_t>(n);
                if (n == 0) { // a tag that is cut: nothing behind it
                    p.fields.ip.reset();
                    p.fields.ports.reset();
                    p.fields.tcp_flags.reset();
                    p.fields.icmp.reset();
                    p.fields.ethertype = 0x8100;
                    p.fields.reason = BL_R_SHORT_VLAN;
                }
            });
        if (field == "ttl")
            world = times(world, numbers, [](Packet &p, int n) {
                if (p.fields.ip)
                    p.fields.ip->ttl = static_cast<std::uint8_t>(n);
            });
        if (field == "length")
            world = times(world, std::vector<std::size_t>{60, 80, 1500},
                          [](Packet &p, std::size_t n) { p.fields.length = n; });
        if (field == "options")
            world = times(world, std::vector<int>{0, 1}, [](Packet &p, int n) {
                if (p.fields.ip)
                    p.fields.ip->options = n != 0;
            });
        if (field == "device")
            world = times(world, std::vector<std::string>{"a", "b", "c"},
                          [](Packet &p, const std::string &name) { p.device = name; });
    }
    return world;
}

struct Case {
    std::string text; ///< Of the conditions.
    std::vector<std::string> fields;
};

Case random_case(std::mt19937 &random, std::size_t most) {
    Case result;
    const std::size_t count = 1 + random() % most;
    while (result.fields.size() < count) {
        const auto field = std::next(kConditions.begin(), static_cast<std::ptrdiff_t>(random() % kConditions.size()));
        if (std::find(result.fields.begin(), result.fields.end(), field->first) != result.fields.end())
            continue;
        result.fields.push_back(field->first);
        result.text += field->second[random() % field->second.size()] + " ";
    }
    return result;
}

/// Fields whose values the warnings take as independent, while the wire makes them depend on each other.
bool exact(const std::vector<std::string> &fields) {
    return std::none_of(fields.begin(), fields.end(), [](const std::string &field) {
        return field == "malformed" || field == "vlan" || field == "ethertype";
    });
}

TEST(Unreachable, AgreesWithAllPacketsOfASmallWorld) {
    std::mt19937 random(7);
    std::size_t checked = 0, taken = 0, never = 0;
    while (checked < 1200) {
        const Case earlier = random_case(random, 2), later = random_case(random, 3);
        const auto [result, diagnostics] = test::parse({earlier.text + "-> drop", later.text + "-> pass"});
        if (rules::has_errors(diagnostics) || result.rules.size() != 3)
            continue;
        ++checked;
        edge::Policy policy{.devices = {}, .sets = test::named_sets(), .rules = result.rules};
        // What may be in a set changes: what holds for the empty one and this one is not all, but tells mistakes.
        policy.sets[0].prefixes = {{Family::v4, 32, address(Family::v4, 1)}, {Family::v6, 128, address(Family::v6, 1)}};
        policy.sets.insert(policy.sets.end(), result.sets.begin(), result.sets.end());

        std::vector<std::string> fields = earlier.fields;
        fields.insert(fields.end(), later.fields.begin(), later.fields.end());
        const bool is_exact = exact(fields) && (earlier.text + later.text).find('@') == std::string::npos;
        std::sort(fields.begin(), fields.end());
        fields.erase(std::unique(fields.begin(), fields.end()), fields.end());

        bool matches = false, reached = false;
        for (const Packet &packet : world_for(fields)) {
            if (!model::matches(policy.rules[1].match, policy.sets, packet.fields, packet.device))
                continue;
            matches = true;
            reached = reached || !model::matches(policy.rules[0].match, policy.sets, packet.fields, packet.device);
        }
        const auto said = [&](std::string_view what) {
            return std::any_of(diagnostics.begin(), diagnostics.end(),
                               [&](const auto &d) { return d.message.starts_with(what); });
        };
        const bool said_never = said("rule 2 can never match") && !said("rule 2 can never match:");
        const bool said_taken = said("rule 2 can never match: rule 1 takes");
        const std::string both = earlier.text + "/ " + later.text;
        EXPECT_FALSE(said_never && matches) << both;
        EXPECT_FALSE(said_taken && reached) << both;
        if (is_exact) {
            EXPECT_EQ(said_never, !matches) << both;
            EXPECT_EQ(said_taken, matches && !reached) << both;
        }
        taken += said_taken ? 1 : 0;
        never += said_never ? 1 : 0;
    }
    // The cases are no good if there is nothing to warn of.
    EXPECT_GT(taken, 30u);
    EXPECT_GT(never, 5u);
}

} // namespace
} // namespace beeline
