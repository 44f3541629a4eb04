// SPDX-License-Identifier: Apache-2.0
//
// What works between guests, the host and the world is the same for every kind of wiring: the conformance table of
// docs/guest.md, a row for each test and a column for each wiring and family.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/guest/parse.hpp>

#include "../edge/talk.hpp"
#include "lab/capture.hpp"
#include "lab/socket.hpp"
#include "lab/stack_counters.hpp"
#include "scene.hpp"

namespace beeline::guest {
namespace {

using edge::expect_good;
using edge::expect_silence;

struct Case {
    Mode mode;
    bool v6;
};

std::string name_of(const Case &c) {
    return test_name(c.mode) + (c.v6 ? "_IPv6" : "_IPv4");
}

void PrintTo(const Case &c, std::ostream *out) {
    *out << name_of(c);
}

/// Guests a and b on a host that is a hop away from the world.
class Conformance : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (const auto why = lacking(GetParam().mode))
            GTEST_SKIP() << *why;
        ASSERT_VALUE(scene_, Scene::make(GetParam().mode));
        for (const char *name : {"a", "b"}) {
            ASSERT_OK(scene_->add_node(name));
        }
    }
    [[nodiscard]] std::string address(const std::string &of) const {
        const bool v6 = GetParam().v6;
        if (of == "host")
            return v6 ? "fd09::1" : "10.9.0.1";
        if (of == "world")
            return v6 ? "fd09::2" : "10.9.0.2";
        return (v6 ? "fd88::" : "10.88.0.") + std::string(of == "a" ? "2" : "3");
    }
    void TearDown() override {
        if (!scene_ || !HasFailure())
            return;
        const auto status = scene_->status();
        if (!status)
            return;
        for (const auto &[name, count] : status->odd)
            if (count != 0)
                std::cerr << name << " " << count << "\n";
    }
    [[nodiscard]] const lab::Node *node(const std::string &name) const {
        return name == "host" ? scene_->host : name == "world" ? scene_->world : &scene_->node(name);
    }
    static Text text(const std::string &name, std::vector<std::string> rules = {}) {
        const std::string last = name == "a" ? "2" : "3";
        return {.name = name,
                .address4 = "10.88.0." + last + "/24",
                .address6 = "fd88::" + last + "/64",
                .rules = std::move(rules)};
    }
    void up(std::vector<Text> texts) { ASSERT_OK(scene_->up(texts)); }
    /// Guests with rules that need state, so that every packet takes the way of its flow.
    void up_with_state(bool masquerade = false) {
        std::vector<Text> texts;
        for (const char *name : {"a", "b"}) {
            Text one = text(name, {"in tcp dport 7998 -> pass", "in udp dport 7998 -> pass", "in proto icmp -> pass",
                                   "in proto icmpv6 -> pass", "in -> drop"});
            one.masquerade = masquerade;
            texts.push_back(std::move(one));
        }
        up(std::move(texts));
    }
    [[nodiscard]] edge::Talk talk(const std::string &from, const std::string &to) const {
        return {.client = node(from), .server = node(to), .to = address(to), .port = 7998, .listen_port = 7998};
    }
    std::unique_ptr<Scene> scene_;
};

TEST_P(Conformance, guests_talk_to_each_other) {
    up({text("a"), text("b")});
    expect_good(talk("a", "b"));
    expect_good(talk("b", "a"));
    EXPECT_TRUE(pings(*node("a"), address("b")));
}

TEST_P(Conformance, guests_with_rules_talk_to_each_other) {
    up_with_state();
    expect_good(talk("a", "b"));
    expect_good(talk("b", "a"));
    EXPECT_TRUE(pings(*node("a"), address("b")));
}

TEST_P(Conformance, guests_and_the_host_talk_both_ways) {
    up_with_state();
    expect_good(talk("a", "host"));
    expect_good(talk("host", "a"));
    EXPECT_TRUE(pings(*node("a"), address("host")));
    EXPECT_TRUE(pings(*node("host"), address("a")));
}

TEST_P(Conformance, guests_and_the_world_talk_both_ways) {
    up_with_state();
    expect_good(talk("a", "world"));
    expect_good(talk("world", "a"));
    EXPECT_TRUE(pings(*node("a"), address("world")));
    EXPECT_TRUE(pings(*node("world"), address("a")));
}

TEST_P(Conformance, a_masqueraded_guest_reaches_the_world) {
    up_with_state(true);
    // The world knows no way to the guests: only the host's address can have brought the answers.
    ASSERT_OK(scene_->world->run(
        {.words = {"ip", GetParam().v6 ? "-6" : "-4", "route", "del", GetParam().v6 ? "fd88::/16" : "10.88.0.0/16"}}));
    expect_good(talk("a", "world"));
    expect_good(talk("b", "world"));
    EXPECT_TRUE(pings(*node("a"), address("world")));
}

TEST_P(Conformance, a_published_port_leads_to_the_guest) {
    Text a = text("a", {"in tcp dport 7998 -> pass", "in udp dport 7998 -> pass", "in -> drop"});
    a.publish = {"8080:7998/tcp", "8080:7998/udp"};
    up({a, text("b")});
    edge::Talk published = talk("world", "host");
    published.server = node("a");
    published.listen = address("a");
    published.port = 8080;
    expect_good(published);
    published.client = node("b"); // a guest, by the host's address
    expect_good(published);
}

TEST_P(Conformance, fragments_find_their_way) {
    up_with_state();
    for (const auto &[from, to] : std::vector<std::pair<std::string, std::string>>{
             {"a", "b"}, {"a", "world"}, {"world", "a"}, {"a", "host"}, {"host", "a"}}) {
        SCOPED_TRACE(from + " to " + to);
        edge::Talk big = talk(from, to);
        big.transports = {lab::Transport::udp};
        big.udp_min = 2000;
        big.udp_max = 9000;
        big.messages = 20;
        expect_good(big);
    }
}

TEST_P(Conformance, fragments_of_a_masqueraded_guest_find_their_way) {
    up_with_state(true);
    edge::Talk big = talk("a", "world");
    big.transports = {lab::Transport::udp};
    big.udp_min = 2000;
    big.udp_max = 9000;
    big.messages = 20;
    expect_good(big);
}

TEST_P(Conformance, the_world_gets_complete_checksums) {
    up_with_state(true);
    for (const bool offload : {true, false}) {
        SCOPED_TRACE(offload ? "offload" : "no offload");
        ASSERT_OK(node("a")->set_offload("eth0", "tx", offload));
        ASSERT_OK(scene_->host->set_offload("up0", "tx", false)); // or the cable need not finish them
        ASSERT_VALUE(const auto capture, lab::Capture::start(*scene_->world, "w0"));
        expect_good(talk("a", "world"));
        const lab::Captured found = capture->stop();
        EXPECT_TRUE(found.sums.clean()) << found.sums.text();
        EXPECT_EQ(found.unfinished, 0U);
        EXPECT_GT(found.sums.tcp, 50U);
    }
}

/// IP packets that the host's own stack has taken in.
std::int64_t taken_in(const lab::Node &host) {
    const auto counters = host.within(lab::read_stack_counters);
    if (!counters)
        return -1;
    std::int64_t sum = 0;
    for (const char *name : {"IpInReceives", "Ip6InReceives"})
        if (const auto found = counters->find(name); found != counters->end())
            sum += found->second;
    return sum;
}

TEST_P(Conformance, established_flows_do_without_the_hosts_stack) {
    up_with_state(true);
    for (const char *to : {"b", "world"}) {
        SCOPED_TRACE(to);
        edge::Talk first = talk("a", to);
        first.messages = 2;
        expect_good(first); // neighbours get known
        const std::int64_t before = taken_in(*scene_->host);
        edge::Talk more = talk("a", to);
        more.messages = 200;
        expect_good(more);
        // Neighbour discovery is IPv6, too: a few packets of it are not the flow.
        EXPECT_LE(taken_in(*scene_->host) - before, 8);
    }
}

TEST_P(Conformance, what_rules_forbid_does_not_get_through) {
    up({text("a", {"out udp dport 7998 -> drop", "out tcp dport 7998 -> drop"}), text("b", {"in -> drop"})});
    const auto silent = [this](const char *from, const char *to, lab::Transport transport) {
        SCOPED_TRACE(std::string(from) + " to " + to);
        edge::Talk forbidden = talk(from, to);
        forbidden.transports = {transport};
        expect_silence(forbidden);
    };
    silent("a", "host", lab::Transport::tcp);
    silent("a", "world", lab::Transport::udp);
    silent("host", "b", lab::Transport::udp);
    silent("world", "b", lab::Transport::tcp);
    EXPECT_FALSE(pings(*node("a"), address("b")));
    expect_good(talk("b", "host")); // answers are no new flows
}

TEST_P(Conformance, a_large_packet_is_answered_and_the_guest_learns) {
    std::vector<Policy> policies;
    for (const char *name : {"a", "b"}) {
        Text one = text(name, {"in tcp dport 7998 -> pass", "in udp dport 7998 -> pass", "in -> drop"});
        one.masquerade = true;
        ASSERT_VALUE(Policy policy, scene_->policy(one));
        policy.mtu = 9000;
        policies.push_back(std::move(policy));
    }
    ASSERT_OK(scene_->host->within([&] { return scene_->guests.up(scene_->settings, policies); }));
    expect_good(talk("a", "world")); // the uplink takes 1500
    edge::Talk big = talk("a", "world");
    big.transports = {lab::Transport::udp};
    big.udp_min = 4000;
    big.udp_max = 8000;
    big.messages = 10;
    ASSERT_VALUE(const auto before, scene_->status());
    // The first is lost to learning the path's MTU; from then on the guest fragments by itself.
    ASSERT_VALUE(const auto server,
                 lab::EchoServer::start(*scene_->world, {.address = address("world"), .port = 7998}));
    ASSERT_VALUE(
        const lab::Outcome outcome,
        lab::exchange(
            *node("a"),
            {.address = address("world"), .port = 7998, .messages = 10, .min_bytes = 4000, .max_bytes = 8000}));
    EXPECT_GE(outcome.answered, 8U);
    EXPECT_EQ(outcome.damaged, 0U);
    const auto told = [](const Status &status) {
        for (const auto &[name, count] : status.odd)
            if (name == "too_big")
                return count;
        return std::uint64_t{0};
    };
    ASSERT_VALUE(const auto after, scene_->status());
    EXPECT_GT(told(after), 0U);
    (void)before;
    expect_good({.client = node("a"),
                 .server = node("b"),
                 .to = address("b"),
                 .port = 7998,
                 .listen_port = 7998,
                 .transports = {lab::Transport::udp},
                 .udp_min = 8000,
                 .udp_max = 8900}); // between guests 9000 fit
}

/// Datagrams that are too large for their way leave with a partial checksum, and the error about the first comes back
/// by a device that finishes those, as a network card does: what it quotes must not be taken for one to be finished.
TEST_P(Conformance, answers_are_right_where_a_device_finishes_checksums) {
    std::vector<Policy> policies;
    for (const auto &[name, mtu] : {std::pair("a", 1300U), std::pair("b", 9000U)}) {
        ASSERT_VALUE(Policy policy, scene_->policy(text(name)));
        policy.mtu = mtu;
        policies.push_back(std::move(policy));
    }
    ASSERT_OK(scene_->host->within([&] { return scene_->guests.up(scene_->settings, policies); }));
    const auto expect_learned = [this](const char *from, const char *device, const char *to, std::size_t least) {
        SCOPED_TRACE(std::string(from) + " to " + to);
        ASSERT_OK(scene_->host->set_offload(*from == 'b' ? host_device_of(from) : "up0", "tx", false));
        ASSERT_VALUE(const auto capture, lab::Capture::start(*node(from), device));
        ASSERT_VALUE(const auto server, lab::EchoServer::start(*node(to), {.address = address(to), .port = 7998}));
        ASSERT_VALUE(
            const lab::Outcome outcome,
            lab::exchange(
                *node(from),
                {.address = address(to), .port = 7998, .messages = 10, .min_bytes = least, .max_bytes = least + 50}));
        EXPECT_GE(outcome.answered, 8U); // the first is lost to learning
        const lab::Captured found = capture->stop();
        EXPECT_GE(found.sums.icmp, 1U);
        EXPECT_TRUE(found.sums.clean()) << found.sums.text();
        EXPECT_EQ(found.unfinished, 0U);
    };
    expect_learned("world", "w0", "a", 1350);
    expect_learned("b", "eth0", "world", 4000);
}

/// What becomes of a datagram to a port that nobody listens on: the errno of its sender.
int fate_of_a_datagram(const lab::Node &from, const std::string &to) {
    const auto at = lab::SocketAddress::make(to, 7997);
    if (!at)
        return -1;
    const auto client =
        from.within([&] { return lab::open_socket(at->family(), lab::Transport::udp, std::chrono::seconds(4)); });
    char word = 'q';
    if (!client || ::connect(client->get(), at->get(), at->length) != 0 || ::send(client->get(), &word, 1, 0) != 1)
        return -1;
    return ::recv(client->get(), &word, 1, 0) == 1 ? 0 : errno;
}

TEST_P(Conformance, refusals_find_the_socket_of_a_masqueraded_guest) {
    up_with_state(true);
    for (const bool offload : {true, false}) { // what the error quotes has a partial checksum, or a complete one
        SCOPED_TRACE(offload ? "offload" : "no offload");
        ASSERT_OK(node("a")->set_offload("eth0", "tx", offload));
        ASSERT_OK(scene_->host->set_offload("up0", "tx", offload));
        ASSERT_VALUE(const auto capture, lab::Capture::start(*node("a"), "eth0"));
        EXPECT_EQ(fate_of_a_datagram(*node("a"), address("world")), ECONNREFUSED);
        const lab::Captured found = capture->stop();
        EXPECT_GE(found.sums.icmp, 1U);
        EXPECT_TRUE(found.sums.clean()) << found.sums.text();
    }
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Mode mode : {Mode::netkit_l3, Mode::netkit_l2, Mode::veth})
        for (const bool v6 : {false, true})
            all.push_back({mode, v6});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Of, Conformance, testing::ValuesIn(cases()),
                         [](const auto &instance) { return name_of(instance.param); });

} // namespace
} // namespace beeline::guest
