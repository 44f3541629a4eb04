// SPDX-License-Identifier: Apache-2.0
//
// netkit pairs as guests get them.
#include <beeline/kernel/netkit.hpp>

#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <beeline/kernel/features.hpp>
#include <harness/need_feature.hpp>
#include <netns/kernel/two_ends.hpp>

namespace beeline::kernel {
namespace {

class NetkitMade : public TwoEnds {
protected:
    void SetUp() override {
        BL_NEED_FEATURE(FeatureId::netkit);
        TwoEnds::SetUp();
    }
    /// A pair of the names host and eth0, the latter in namespace b.
    [[nodiscard]] NetkitPair pair() const {
        return {.primary = {.name = "host"}, .peer = {.name = "eth0", .netns_fd = b_->netns().fd()}};
    }
    Result<NetkitInfo> make(const NetkitPair &pair) {
        BL_CHECK(a_->links().create_netkit(pair));
        BL_TRY(primary_, a_->ifindex("host"));
        BL_TRY(peer_, b_->ifindex("eth0"));
        return a_->links().netkit_info(primary_);
    }
    Result<> bring_up() {
        BL_CHECK(a_->add_address("host", "10.88.0.1/24"));
        BL_CHECK(b_->add_address("eth0", "10.88.0.2/24"));
        BL_CHECK(a_->links().set_up(primary_));
        return b_->links().set_up(peer_);
    }
    /// Whether a datagram from one end arrives at the other.
    static bool passes(const harness::TestNet &from, const harness::TestNet &to, const char *address) {
        const auto datagram_socket = [] { return UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); };
        const auto sender = from.within(datagram_socket);
        const auto receiver = to.within(datagram_socket);
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(7999);
        ::inet_pton(AF_INET, address, &name.sin_addr);
        if (!sender || !receiver ||
            ::bind(receiver->get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) != 0 ||
            ::sendto(sender->get(), "bee", 3, 0, reinterpret_cast<const sockaddr *>(&name), sizeof name) != 3)
            return false;
        // One CPU's backlog lies between; what is dropped is dropped before sendto() returns.
        timeval patience{.tv_sec = 1, .tv_usec = 0};
        ::setsockopt(receiver->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        char text[8];
        return ::recv(receiver->get(), text, sizeof text, 0) == 3;
    }
    int primary_ = 0, peer_ = 0;
};

TEST_F(NetkitMade, has_its_peer_in_the_guest_from_the_start) {
    NetkitPair wanted = pair();
    wanted.primary.mtu = 1400;
    wanted.peer.mtu = 1300;
    ASSERT_VALUE(const NetkitInfo info, make(wanted));
    EXPECT_TRUE(netkit_ignored(wanted, info).empty());
    EXPECT_EQ(info.primary, true);
    EXPECT_EQ(info.mode, NetkitMode::l3);
    EXPECT_EQ(info.policy, NetkitPolicy::pass);
    ASSERT_VALUE(const Device host, a_->links().device("host"));
    EXPECT_EQ(host.kind, "netkit");
    EXPECT_EQ(host.mtu, 1400U);
    EXPECT_EQ(host.peer, peer_);
    EXPECT_EQ(host.mac, Mac{});
    ASSERT_VALUE(const Device guest, b_->links().device("eth0"));
    EXPECT_EQ(guest.mtu, 1300U);
    EXPECT_FALSE(a_->links().device("eth0")) << "it never was here";
    ASSERT_VALUE(const NetkitInfo other, b_->links().netkit_info(peer_));
    EXPECT_EQ(other.primary, false);
}

TEST_F(NetkitMade, takes_a_mac_at_layer_2_only) {
    NetkitPair wanted = pair();
    wanted.peer.mac = Mac{2, 0, 0, 0, 0xbe, 0xe2};
    const auto refused = a_->links().create_netkit(wanted);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::usage);
    wanted.mode = NetkitMode::l2;
    ASSERT_VALUE(const NetkitInfo info, make(wanted));
    EXPECT_EQ(info.mode, NetkitMode::l2);
    ASSERT_VALUE(const Device guest, b_->links().device("eth0"));
    EXPECT_EQ(guest.mac, *wanted.peer.mac);
}

TEST_F(NetkitMade, passes_what_no_program_judges_unless_the_policy_is_drop) {
    NetkitPair wanted = pair();
    wanted.peer_policy = NetkitPolicy::drop;
    ASSERT_VALUE(const NetkitInfo info, make(wanted));
    EXPECT_EQ(info.peer_policy, NetkitPolicy::drop);
    ASSERT_OK(bring_up());
    EXPECT_TRUE(passes(*a_, *b_, "10.88.0.2"));
    EXPECT_FALSE(passes(*b_, *a_, "10.88.0.1"));

    ASSERT_OK(a_->links().set_netkit_policy(primary_, std::nullopt, NetkitPolicy::pass));
    EXPECT_TRUE(passes(*b_, *a_, "10.88.0.1"));
    ASSERT_OK(a_->links().set_netkit_policy(primary_, NetkitPolicy::drop, std::nullopt));
    EXPECT_FALSE(passes(*a_, *b_, "10.88.0.2"));
    EXPECT_TRUE(passes(*b_, *a_, "10.88.0.1")) << "the other one stayed";
    ASSERT_VALUE(const NetkitInfo changed, a_->links().netkit_info(primary_));
    EXPECT_EQ(changed.policy, NetkitPolicy::drop);
    EXPECT_EQ(changed.peer_policy, NetkitPolicy::pass);
}

TEST_F(NetkitMade, has_its_policy_changed_through_the_primary_only) {
    ASSERT_OK(make(pair()));
    const auto refused = b_->links().set_netkit_policy(peer_, NetkitPolicy::drop, std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EACCES);
    EXPECT_NE(refused.error().what.find("primary device"), std::string::npos) << refused.error().what;
}

TEST_F(NetkitMade, tells_of_every_attribute_whether_the_kernel_knows_it) {
    NetkitPair wanted = pair();
    wanted.scrub = NetkitScrub::none;
    wanted.peer_scrub = NetkitScrub::normal;
    wanted.headroom = 96;
    ASSERT_VALUE(const NetkitInfo info, make(wanted));
    const auto ignored = netkit_ignored(wanted, info);
    const bool scrub = probe(FeatureId::netkit_scrub).available;
    const bool headroom = probe(FeatureId::netkit_headroom).available;
    std::vector<std::string_view> expected;
    if (!scrub)
        expected = {"scrub", "peer_scrub"};
    if (!headroom)
        expected.emplace_back("headroom");
    EXPECT_EQ(ignored, expected);
    EXPECT_EQ(info.scrub.has_value(), scrub);
    EXPECT_EQ(info.headroom.has_value(), headroom) << "unset, never 0";
}

TEST_F(NetkitMade, is_refused_with_the_kernels_words) {
    NetkitPair wrong = pair();
    wrong.peer_policy = static_cast<NetkitPolicy>(1);
    const auto refused = a_->links().create_netkit(wrong);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("policy not supported"), std::string::npos) << refused.error().message();
    EXPECT_FALSE(b_->links().device("eth0"));
    ASSERT_OK(make(pair()));
    EXPECT_EQ(a_->links().create_netkit(pair()).error().kind, Kind::conflict);
}

TEST_F(NetkitMade, goes_with_either_end) {
    ASSERT_OK(make(pair()));
    ASSERT_OK(b_->links().remove_device(peer_));
    EXPECT_FALSE(a_->links().device("host"));
    ASSERT_OK(make(pair()));
    ASSERT_OK(a_->links().remove_device(primary_));
    EXPECT_FALSE(b_->links().device("eth0"));
}

} // namespace
} // namespace beeline::kernel
