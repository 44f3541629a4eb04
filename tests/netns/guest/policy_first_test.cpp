// SPDX-License-Identifier: Apache-2.0
//
// No packet before policy: what rules forbid does not get through while a guest comes, changes or goes either.
#include <atomic>
#include <chrono>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <beeline/guest/parse.hpp>

#include "guest_test.hpp"
#include "lab/socket.hpp"

namespace beeline::guest {
namespace {

constexpr std::string_view kOut = "sent by the guest", kIn = "sent to the guest";

/// Sees what comes in by any device of a namespace, those included that are still to be made.
class Watch {
public:
    static Result<Watch> start(const lab::Node &node) {
        return node.within([]() -> Result<Watch> {
            kernel::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
            if (!fd.valid())
                return fail_errno(errno, "open a packet socket");
            const int one = 1, room = 8 << 20;
            if (::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0 ||
                ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
                return fail_errno(errno, "set up a packet socket");
            return Watch(std::move(fd));
        });
    }
    /// Frames with that word since the last time.
    [[nodiscard]] unsigned seen(std::string_view word) {
        std::string frame(2048, '\0');
        unsigned count = 0;
        ssize_t size = 0;
        while ((size = ::recv(fd_.get(), frame.data(), frame.size(), MSG_TRUNC)) > 0)
            count += std::string_view(frame).substr(0, static_cast<std::size_t>(size)).contains(word) ? 1 : 0;
        return count;
    }
    /// Frames that the socket had no room for.
    [[nodiscard]] unsigned lost() const {
        tpacket_stats stats{};
        socklen_t size = sizeof stats;
        return ::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 ? stats.tp_drops : ~0U;
    }

private:
    explicit Watch(kernel::UniqueFd fd) : fd_(std::move(fd)) {}
    kernel::UniqueFd fd_;
};

/// A thread inside a namespace that sends as fast as it can, from before there is a way until it is told to stop.
class Flood {
public:
    Flood(const lab::Node &from, std::vector<std::string> to, std::string_view word)
        : thread_([this, &from, to = std::move(to), word] {
              if (const auto sent = from.within([&] { return run(to, word); }); !sent)
                  ADD_FAILURE() << sent.error().message();
          }) {}
    Flood(const Flood &) = delete;
    Flood &operator=(const Flood &) = delete;
    ~Flood() {
        stop_ = true;
        thread_.join();
    }
    /// Waits until so many more packets have left the stack.
    [[nodiscard]] bool goes_on() const {
        constexpr unsigned kMore = 200;
        const unsigned before = sent_;
        for (int i = 0; i < 2000 && sent_ < before + kMore; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return sent_ >= before + kMore;
    }

private:
    Result<> run(const std::vector<std::string> &to, std::string_view word) {
        BL_TRY(const auto four, lab::open_socket(AF_INET, lab::Transport::udp, std::chrono::seconds(1)));
        BL_TRY(const auto six, lab::open_socket(AF_INET6, lab::Transport::udp, std::chrono::seconds(1)));
        std::vector<lab::SocketAddress> targets;
        for (const std::string &one : to) {
            BL_TRY(const lab::SocketAddress target, lab::SocketAddress::make(one, 4000));
            targets.push_back(target);
        }
        const auto end = std::chrono::steady_clock::now() + kLongest;
        while (!stop_ && std::chrono::steady_clock::now() < end) {
            for (const lab::SocketAddress &target : targets) {
                const int fd = target.family() == AF_INET ? four.get() : six.get();
                if (::sendto(fd, word.data(), word.size(), MSG_DONTWAIT, target.get(), target.length) > 0)
                    ++sent_;
            }
            std::this_thread::yield();
        }
        return {};
    }
    static constexpr std::chrono::seconds kLongest{
        120}; ///< Should the test hang; on a busy host the VM takes half a minute.
    std::atomic<bool> stop_ = false;
    std::atomic<unsigned> sent_ = 0;
    std::thread thread_; ///< Last: it uses the others.
};

class PolicyFirst : public OnScene<testing::TestWithParam<Mode>> {
protected:
    void SetUp() override {
        if (!has_scene(GetParam()))
            return;
        for (const char *name : {"a", "b"})
            ASSERT_OK(scene_->add_node(name));
        // Without rules the host would forward all of it.
        ASSERT_OK(scene_->host->set_sysctl("ipv4/ip_forward", "1"));
        ASSERT_OK(scene_->host->set_sysctl("ipv6/conf/all/forwarding", "1"));
        for (const char *address : {"10.9.0.2", "fd09::2"})
            ASSERT_TRUE(pings(*scene_->host, address));
        ASSERT_VALUE(world_, Watch::start(*scene_->world));
        ASSERT_VALUE(a_, Watch::start(scene_->node("a")));
        ASSERT_VALUE(b_, Watch::start(scene_->node("b")));
    }
    static std::vector<Text> guests(std::vector<std::string> rules_of_a) {
        return {
            {.name = "a", .address4 = "10.88.0.2/24", .address6 = "fd88::2/64", .rules = std::move(rules_of_a)},
            {.name = "b", .address4 = "10.88.0.3/24", .address6 = "fd88::3/64", .rules = {"in -> pass", "out -> pass"}},
        };
    }
    void expect_nothing_came(const char *when) {
        EXPECT_EQ(world_->seen(kOut), 0U) << when;
        EXPECT_EQ(b_->seen(kOut), 0U) << when;
        EXPECT_EQ(a_->seen(kIn), 0U) << when;
        for (const Watch *watch : {&*world_, &*a_, &*b_})
            EXPECT_EQ(watch->lost(), 0U) << when;
    }
    std::optional<Watch> world_, a_, b_;
};

TEST_P(PolicyFirst, no_packet_gets_through_while_a_guest_comes_changes_and_goes) {
    const Flood out(scene_->node("a"), {"10.9.0.2", "10.88.0.3", "fd09::2", "fd88::3"}, kOut);
    const Flood in(*scene_->world, {"10.88.0.2", "fd88::2"}, kIn);
    ASSERT_TRUE(in.goes_on());
    ASSERT_OK(scene_->up(guests({"in -> drop", "out -> drop"})));
    ASSERT_TRUE(out.goes_on() && in.goes_on());
    expect_nothing_came("when it has come");
    for (int round = 0; round < 5; ++round) {
        ASSERT_OK(scene_->up(guests({"in udp dport 4000 -> drop", "in -> pass", "out udp -> drop", "out -> pass"})));
        ASSERT_OK(scene_->up(guests({"in udp -> drop", "in -> pass", "out udp dport 4000 -> drop", "out -> pass"})));
    }
    ASSERT_TRUE(out.goes_on() && in.goes_on());
    expect_nothing_came("when its rules are others");
    ASSERT_VALUE(const GuestStatus status, scene_->status_of("a"));
    for (const std::size_t rule : {0, 2}) // otherwise nobody tried
        EXPECT_GT(status.rules.at(rule).packets, 0U) << status.rules.at(rule).text;
    ASSERT_OK(scene_->down());
    EXPECT_FALSE(scene_->node("a").device("eth0").has_value());
    EXPECT_FALSE(scene_->host->device(host_device_of("a")).has_value());
    ASSERT_TRUE(in.goes_on());
    expect_nothing_came("when it has gone");
    // The same packets are seen everywhere when they are allowed.
    ASSERT_OK(scene_->up(guests({"in -> pass", "out -> pass"})));
    ASSERT_TRUE(out.goes_on() && in.goes_on());
    EXPECT_GT(world_->seen(kOut), 0U);
    EXPECT_GT(b_->seen(kOut), 0U);
    EXPECT_GT(a_->seen(kIn), 0U);
}

INSTANTIATE_TEST_SUITE_P(By, PolicyFirst, testing::Values(Mode::netkit_l3, Mode::netkit_l2, Mode::veth),
                         [](const auto &instance) { return test_name(instance.param); });

} // namespace
} // namespace beeline::guest
