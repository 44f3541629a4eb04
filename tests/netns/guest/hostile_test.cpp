// SPDX-License-Identifier: Apache-2.0
//
// A guest that has all of root's power inside its namespace and does not want to keep its rules.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <beeline/guest/parse.hpp>

#include "../edge/wire.hpp"
#include "guest_test.hpp"
#include "hostile_frames.hpp"
#include "lab/socket.hpp"

namespace beeline::guest {
namespace {

using edge::Wire;
using harness::Bytes, harness::Eth, harness::Icmp6, harness::Ip4, harness::Ip6, harness::Payload, harness::Udp;
using std::literals::operator""sv;

bool holds(const Bytes &frame, std::string_view word) {
    const auto same = [](std::byte a, char b) { return a == static_cast<std::byte>(b); };
    return std::search(frame.begin(), frame.end(), word.begin(), word.end(), same) != frame.end();
}

class Hostile : public OnScene<testing::TestWithParam<Mode>> {
protected:
    void SetUp() override {
        if (!has_scene(GetParam()))
            return;
        for (const char *name : {"a", "b"})
            ASSERT_OK(scene_->add_node(name));
        // A host that would forward whatever its stack gets, and a second machine in the world.
        ASSERT_OK(scene_->host->set_sysctl("ipv4/ip_forward", "1"));
        ASSERT_OK(scene_->host->set_sysctl("ipv6/conf/all/forwarding", "1"));
        for (const char *address : {"10.9.0.3/24", "fd09::3/64"})
            ASSERT_OK(scene_->world->run({.words = {"ip", "address", "add", address, "dev", "w0", "nodad"}}));
        ASSERT_OK(scene_->up({a(), b()}));
        for (const char *address : {"10.9.0.2", "10.9.0.3", "fd09::2", "fd09::3"})
            ASSERT_TRUE(pings(*scene_->host, address)) << address; // from now on the host knows these neighbours
        ASSERT_TRUE(pings(inside(), "10.88.0.3"));
        ASSERT_VALUE(wire_, Wire::open(*scene_->world, "w0"));
        ASSERT_VALUE(b_wire_, Wire::open(scene_->node("b"), "eth0"));
        ASSERT_VALUE(own_wire_, Wire::open(inside(), "eth0"));
        ASSERT_VALUE(const kernel::Device own, inside().device("eth0"));
        ASSERT_VALUE(const kernel::Device host, scene_->host->device(host_device_of("a")));
        macs_ = {.own = own.mac, .host = host.mac};
    }

    static Text a() {
        return {.name = "a",
                .address4 = "10.88.0.2/24",
                .address6 = "fd88::2/64",
                .rules = {"out udp dport 9 -> drop", "out tcp dport 9 -> drop", "out dst 10.9.0.3 -> drop",
                          "out dst fd09::3 -> drop", "fallback -> pass"}};
    }
    static Text b() {
        return {.name = "b", .address4 = "10.88.0.3/24", .address6 = "fd88::3/64", .rules = {"fallback -> pass"}};
    }
    [[nodiscard]] const lab::Node &inside() const { return scene_->node("a"); }
    [[nodiscard]] bool inside(std::vector<std::string> words) const {
        return inside().run({.words = std::move(words)}).has_value();
    }

    /// Frames up to one that holds `last`: every other one is allowed but what must not have come.
    void expect_only_allowed(const Wire &wire, std::string_view last, const std::string &where) const {
        for (int i = 0; i < 2000; ++i) {
            const auto frame = wire.receive();
            ASSERT_TRUE(frame) << where << ": what is allowed did not come";
            EXPECT_FALSE(holds(frame->bytes, kSmuggled)) << where << " got " << harness::hex(frame->bytes);
            if (holds(frame->bytes, last))
                return;
        }
        FAIL() << where << ": too many frames";
    }
    /// Nothing that was smuggled so far has come to the world or to b; what is allowed comes after it.
    void expect_nothing_came() {
        const std::string last = "allowed " + std::to_string(++count_);
        const Eth eth{.dst = macs_.host, .src = macs_.own};
        for (const char *to : {"10.9.0.2", "10.88.0.3"})
            ASSERT_OK(own_wire_->send(
                (eth / Ip4{.src = "10.88.0.2", .dst = to} / Udp{.sport = 4001, .dport = 4000} / Payload(last))
                    .bytes()));
        expect_only_allowed(*wire_, last, "the world");
        expect_only_allowed(*b_wire_, last, "guest b");
    }
    void smuggle(const std::vector<Smuggled> &frames) {
        for (const Smuggled &one : frames) {
            SCOPED_TRACE(one.how);
            (void)own_wire_->send(one.frame); // what a device refuses has not got through either
            expect_nothing_came();
            if (HasFatalFailure())
                return;
        }
    }
    /// A datagram from a's namespace by its own stack; whether it could be sent is its own affair.
    void send(const std::string &to, std::uint16_t port, const std::string &from = {}, std::uint32_t mark = 0,
              std::size_t bytes = 0) const {
        std::string text(kSmuggled);
        text.resize(std::max(bytes, text.size()), '.');
        ASSERT_OK(inside().within([&]() -> Result<> {
            BL_TRY(const lab::SocketAddress at, lab::SocketAddress::make(to, port));
            BL_TRY(const auto socket, lab::open_socket(at.family(), lab::Transport::udp, std::chrono::seconds(1)));
            if (mark != 0 && ::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
                return fail_errno(errno, "set a mark");
            if (!from.empty()) {
                BL_TRY(const lab::SocketAddress own, lab::SocketAddress::make(from, 4002));
                if (::bind(socket.get(), own.get(), own.length) != 0)
                    return fail_errno(errno, "bind to " + from);
            }
            (void)::sendto(socket.get(), text.data(), text.size(), 0, at.get(), at.length);
            return {};
        }));
    }
    [[nodiscard]] std::map<std::string, std::uint64_t> odd() const {
        const auto status = scene_->status();
        if (!status)
            return {};
        return {status->odd.begin(), status->odd.end()};
    }

    std::optional<Wire> wire_, b_wire_, own_wire_;
    Macs macs_;
    int count_ = 0;
};

TEST_P(Hostile, no_frame_gets_round_the_rules) {
    smuggle(smuggled_frames(macs_));
    auto counted = odd();
    for (const char *reason : {"rule", "spoofed", "not_ip", "fragment", "short_l4", "source_route"})
        EXPECT_GT(counted[reason], 0U) << reason;
}

TEST_P(Hostile, no_error_about_an_allowed_flow_goes_elsewhere) {
    expect_nothing_came(); // its flow begins
    ASSERT_OK(own_wire_->send((Eth{.dst = macs_.host, .src = macs_.own} / Ip6{.src = "fd88::2", .dst = "fd09::2"} /
                               Udp{.sport = 4001, .dport = 4000} / Payload("allowed"))
                                  .bytes()));
    ASSERT_VALUE(const kernel::Device own, scene_->node("b").device("eth0"));
    ASSERT_VALUE(const kernel::Device host, scene_->host->device(host_device_of("b")));
    ASSERT_OK(b_wire_->send((Eth{.dst = host.mac, .src = own.mac} / Ip4{.src = "10.88.0.3", .dst = "10.9.0.3"} /
                             Udp{.sport = 4001, .dport = 4000} / Payload("allowed"))
                                .bytes()));
    smuggle(smuggled_errors(macs_));
}

TEST_P(Hostile, what_is_for_neighbours_is_not_routed_and_claims_nothing) {
    ASSERT_VALUE(const std::string before, scene_->host->run({.words = {"ip", "neigh", "show", "nud", "permanent"}}));
    smuggle(smuggled_claims(macs_));
    ASSERT_VALUE(const std::string after, scene_->host->run({.words = {"ip", "neigh", "show", "nud", "permanent"}}));
    EXPECT_EQ(after, before);
    const std::string device = host_device_of("a");
    for (const char *address : {"10.88.0.3", "10.9.0.2", "fd88::3", "fd09::2"}) {
        ASSERT_VALUE(const std::string neighbours,
                     scene_->host->run({.words = {"ip", "neigh", "show", "to", address, "dev", device}}));
        EXPECT_EQ(neighbours, "") << address;
    }
    ASSERT_VALUE(const std::string routes, scene_->host->run({.words = {"ip", "-6", "route", "show", "proto", "ra"}}));
    EXPECT_EQ(routes, "");
    EXPECT_TRUE(pings(*scene_->host, "fd88::3"));
    EXPECT_TRUE(pings(*scene_->world, "10.88.0.3"));
}

TEST_P(Hostile, the_world_gets_nothing_in_that_says_it_is_for_neighbours) {
    ASSERT_VALUE(const kernel::Device own, scene_->world->device("w0"));
    ASSERT_VALUE(const kernel::Device host, scene_->host->device("up0"));
    Text closed = a();
    closed.rules = {"in udp dport 4000 -> pass", "in -> drop"};
    ASSERT_OK(scene_->up({closed, b()}));
    own_wire_->forget();
    const Eth eth{.dst = host.mac, .src = own.mac};
    for (const std::uint8_t type : {133, 134, 135, 136, 137})
        for (const std::uint8_t hops : {64, 255})
            ASSERT_OK(wire_->send((eth / Ip6{.src = "fd09::2", .dst = "fd88::2", .hop_limit = hops} /
                                   Icmp6{.type = type} / Payload(kSmuggled))
                                      .bytes()));
    ASSERT_OK(wire_->send(
        (eth / Ip6{.src = "fd09::2", .dst = "fd88::2"} / Udp{.sport = 4001, .dport = 4000} / Payload("allowed"))
            .bytes()));
    expect_only_allowed(*own_wire_, "allowed", "the guest");
}

TEST_P(Hostile, another_address_of_its_own_is_of_no_use) {
    for (const auto &[address, to] : {std::pair("10.88.0.77", "10.9.0.2"), std::pair("10.88.0.3", "10.9.0.2"),
                                      std::pair("fd88::77", "fd09::2"), std::pair("10.9.0.2", "10.88.0.3")}) {
        SCOPED_TRACE(address);
        const std::string prefix = std::string(address) + (std::string(address).contains(':') ? "/128" : "/32");
        std::vector<std::string> words{"ip", "address", "add", prefix, "dev", "eth0"};
        if (prefix.ends_with("/128"))
            words.emplace_back("nodad");
        ASSERT_TRUE(inside(words));
        send(to, 4000, address);
        expect_nothing_came();
        ASSERT_TRUE(inside({"ip", "address", "del", prefix, "dev", "eth0"}));
    }
    EXPECT_GT(odd()["spoofed"], 0U);
}

TEST_P(Hostile, a_mark_is_worth_nothing) {
    for (const std::uint32_t slot : {0U, 1U, 2U, 0xffffU})
        for (const char *to : {"10.88.0.3", "10.9.0.2", "fd88::3", "fd09::2"}) {
            SCOPED_TRACE(to);
            send(to, 9, {}, BL_GUEST_MARK | slot);
            expect_nothing_came();
        }
}

TEST_P(Hostile, settings_of_its_device_change_nothing) {
    EXPECT_TRUE(inside({"ip", "link", "set", "eth0", "promisc", "on"}));
    own_wire_->forget();
    EXPECT_TRUE(talks(*scene_->world, scene_->node("b"), "10.88.0.3"));
    while (const auto seen = own_wire_->receive(std::chrono::milliseconds(100)))
        EXPECT_FALSE(holds(seen->bytes, "\x0a\x58\x00\x03"sv)) << "others' packet: " << harness::hex(seen->bytes);
    EXPECT_TRUE(inside({"ip", "link", "set", "eth0", "mtu", "65000"}));
    for (const std::size_t bytes : {0, 9000, 60000})
        for (const char *to : {"10.88.0.3", "10.9.0.2", "fd88::3", "fd09::2"}) {
            send(to, 9, {}, 0, bytes);
            expect_nothing_came();
        }
    EXPECT_TRUE(inside({"ip", "link", "set", "eth0", "mtu", "1500"}));
}

TEST_P(Hostile, a_macvlan_on_its_device_has_no_other_rules) {
    const auto added = inside().run(
        {.words = {"ip", "link", "add", "link", "eth0", "name", "mv0", "type", "macvlan", "mode", "bridge"}});
    if (!added)
        GTEST_SKIP() << "this kernel makes no macvlan there: " << added.error().message();
    ASSERT_TRUE(inside({"ip", "link", "set", "mv0", "up"}));
    ASSERT_VALUE(const Wire second, Wire::open(inside(), "mv0"));
    for (const Smuggled &one : smuggled_frames({.own = {0x02, 0x77, 0, 0, 0, 1}, .host = macs_.host}))
        (void)second.send(one.frame);
    expect_nothing_came();
}

TEST_P(Hostile, another_MAC_address_changes_nothing) {
    const bool changed = inside({"ip", "link", "set", "eth0", "address", "02:77:00:00:00:02"});
    ASSERT_EQ(changed, GetParam() != Mode::netkit_l3) << "in L3 there is none to change";
    for (const char *to : {"10.88.0.3", "10.9.0.2"})
        send(to, 9);
    if (changed)
        macs_.own = {0x02, 0x77, 0, 0, 0, 2};
    expect_nothing_came();
}

TEST_P(Hostile, a_device_that_moves_takes_its_rules_along) {
    ASSERT_VALUE(const lab::Node *away, scene_->add_node("away"));
    ASSERT_TRUE(inside({"ip", "link", "set", "eth0", "netns", away->netns().name()}));
    for (const auto &words : std::vector<std::vector<std::string>>{
             {"ip", "link", "set", "eth0", "up"}, {"ip", "address", "add", "10.88.0.2/32", "dev", "eth0"}})
        ASSERT_OK(away->run({.words = words}));
    ASSERT_VALUE(own_wire_, Wire::open(*away, "eth0"));
    for (const Smuggled &one : smuggled_frames(macs_))
        (void)own_wire_->send(one.frame);
    const auto seen = scene_->status_of("a");
    ASSERT_TRUE(seen);
    if (seen->attached) // then its programs judge there as they did
        expect_nothing_came();
    ASSERT_OK(scene_->maintain());
    for (const Smuggled &one : smuggled_frames(macs_))
        (void)own_wire_->send(one.frame);
    for (const Wire *wire : {&*wire_, &*b_wire_})
        while (const auto frame = wire->receive(std::chrono::milliseconds(300)))
            EXPECT_FALSE(holds(frame->bytes, kSmuggled)) << harness::hex(frame->bytes);
    EXPECT_TRUE(talks(*scene_->world, scene_->node("b"), "10.88.0.3"));
}

INSTANTIATE_TEST_SUITE_P(By, Hostile, testing::Values(Mode::netkit_l3, Mode::netkit_l2, Mode::veth),
                         [](const auto &instance) { return test_name(instance.param); });

} // namespace
} // namespace beeline::guest
