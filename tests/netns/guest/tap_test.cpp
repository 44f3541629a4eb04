// SPDX-License-Identifier: Apache-2.0
//
// Virtual machines behind taps: the rows of the conformance table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../edge/talk.hpp"
#include "scene.hpp"
#include "virtual_machine.hpp"

namespace beeline::guest {
namespace {

using edge::expect_good;
using edge::expect_silence;

/// Machines vm and vm2 behind taps of the host, and a guest a that is a namespace.
class Taps : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (const auto why = lacking(Mode::veth))
            GTEST_SKIP() << *why;
        ASSERT_VALUE(scene_, Scene::make(Mode::automatic));
        for (const char *name : {"a", "vm", "vm2"})
            ASSERT_OK(scene_->add_node(name));
        ASSERT_NO_FATAL_FAILURE(start(vm_, "vm", "tap0", "4"));
        ASSERT_NO_FATAL_FAILURE(start(vm2_, "vm2", "tap1", "5"));
    }
    /// What the host's and the machine's administrators do: docs/guest.md, "Virtual machines".
    void start(std::unique_ptr<VirtualMachine> &vm, const std::string &name, const std::string &tap,
               const std::string &last) {
        // Addresses are there at once, not after a second of duplicate address detection (RFC 4862).
        for (const lab::Node *at : {scene_->host, &scene_->node(name)})
            ASSERT_OK(at->set_sysctl("ipv6/conf/default/accept_dad", "0"));
        ASSERT_VALUE(vm, VirtualMachine::start(*scene_->host, tap, scene_->node(name)));
        for (const auto &[flag, gateway, own, bits] :
             {std::tuple("-4", std::string("169.254.1.1"), "10.88.0." + last, "/32"),
              std::tuple("-6", std::string("fe80::1"), "fd88::" + last, "/128")}) {
            const lab::Node &inside = scene_->node(name);
            ASSERT_OK(scene_->host->run({.words = {"ip", flag, "address", "add", gateway + bits, "dev", tap}}));
            ASSERT_OK(scene_->host->run({.words = {"ip", flag, "route", "add", own + bits, "dev", tap}}));
            ASSERT_OK(scene_->host->set_sysctl(
                std::string(flag == std::string("-6") ? "ipv6" : "ipv4") + "/conf/" + tap + "/forwarding", "1"));
            ASSERT_OK(inside.run({.words = {"ip", flag, "address", "add", own + bits, "dev", "eth0"}}));
            ASSERT_OK(inside.run(
                {.words = {"ip", flag, "route", "add", "default", "via", gateway, "dev", "eth0", "onlink"}}));
        }
        ASSERT_VALUE(const kernel::Device device, scene_->node(name).device("eth0"));
        macs_[name] = kernel::to_string(device.mac);
    }
    [[nodiscard]] Text text(const std::string &name, const std::string &last, const std::string &tap = {}) const {
        return {.name = name,
                .address4 = "10.88.0." + last,
                .address6 = "fd88::" + last,
                .rules = {"in tcp dport 7998 -> pass", "in udp dport 7998 -> pass", "in proto {icmp, icmpv6} -> pass",
                          "in -> drop", "out tcp dport 7996 -> drop", "out -> pass"},
                .tap = tap,
                .mac = tap.empty() ? std::string() : macs_.at(name)};
    }
    void up(bool masquerade = false) {
        Text vm = text("vm", "4", "tap0");
        vm.masquerade = masquerade;
        const auto done = scene_->up({text("a", "2"), vm, text("vm2", "5", "tap1")});
        ASSERT_TRUE(done) << done.error().message();
    }
    void TearDown() override {
        const auto status = scene_ ? scene_->status() : fail(Kind::host, 0, "no scene");
        if (HasFailure() && status)
            for (const auto &[name, count] : status->odd)
                std::cerr << (count != 0 ? name + " " + std::to_string(count) + "\n" : "");
        vm_.reset();
        vm2_.reset();
    }
    [[nodiscard]] std::string address(const std::string &of) const {
        const bool v6 = GetParam();
        if (of == "host" || of == "world")
            return (v6 ? "fd09::" : "10.9.0.") + std::string(of == "host" ? "1" : "2");
        return (v6 ? "fd88::" : "10.88.0.") + std::string(of == "a" ? "2" : of == "vm" ? "4" : "5");
    }
    [[nodiscard]] const lab::Node *node(const std::string &name) const {
        return name == "host" ? scene_->host : name == "world" ? scene_->world : &scene_->node(name);
    }
    [[nodiscard]] edge::Talk talk(const std::string &from, const std::string &to, std::uint16_t port = 7998) const {
        return {.client = node(from), .server = node(to), .to = address(to), .port = port, .listen_port = port};
    }
    std::unique_ptr<Scene> scene_;
    std::unique_ptr<VirtualMachine> vm_, vm2_;
    std::map<std::string, std::string> macs_;
};

TEST_P(Taps, machines_and_the_host_talk_both_ways) {
    up();
    expect_good(talk("vm", "host"));
    expect_good(talk("host", "vm"));
    EXPECT_TRUE(pings(*node("vm"), address("host")));
    EXPECT_TRUE(pings(*node("host"), address("vm")));
}

TEST_P(Taps, machines_and_guests_talk_both_ways) {
    up();
    expect_good(talk("a", "vm")); // nobody has heard of the machine yet
    expect_good(talk("vm", "a"));
    expect_good(talk("vm", "vm2"));
    EXPECT_TRUE(pings(*node("vm2"), address("vm")));
}

TEST_P(Taps, machines_and_the_world_talk_both_ways) {
    up();
    expect_good(talk("world", "vm"));
    expect_good(talk("vm", "world"));
    EXPECT_TRUE(pings(*node("vm"), address("world")));
    EXPECT_TRUE(pings(*node("world"), address("vm")));
}

TEST_P(Taps, a_masqueraded_machine_reaches_the_world) {
    up(true);
    ASSERT_OK(scene_->world->run(
        {.words = {"ip", GetParam() ? "-6" : "-4", "route", "del", GetParam() ? "fd88::/16" : "10.88.0.0/16"}}));
    expect_good(talk("vm", "world"));
}

TEST_P(Taps, rules_hold) {
    up();
    for (const char *from : {"host", "world", "a", "vm2"})
        expect_silence(talk(from, "vm", 7997));
    edge::Talk out = talk("vm", "world", 7996);
    out.transports = {lab::Transport::tcp};
    expect_silence(out);
}

TEST_P(Taps, down_leaves_the_tap_as_it_was) {
    ASSERT_VALUE(const auto before, edge::World::look(*scene_->host, scene_->lab.bpffs()));
    up();
    ASSERT_VALUE(const GuestStatus status, scene_->status_of("vm"));
    EXPECT_EQ(status.wiring, Wiring::tap);
    EXPECT_THAT(status.hooks, testing::SizeIs(2));
    ASSERT_OK(scene_->down());
    ASSERT_VALUE(const auto changes, before.changes_since());
    EXPECT_THAT(changes, testing::IsEmpty()) << edge::lines(changes);
}

INSTANTIATE_TEST_SUITE_P(By, Taps, testing::Bool(), [](const auto &one) { return one.param ? "IPv6" : "IPv4"; });

} // namespace
} // namespace beeline::guest
