// SPDX-License-Identifier: Apache-2.0
//
// `xsk NAME` with an AF_XDP socket on the other side: what it gets, what goes to the stack instead, and whose place
// stays whose.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <harness/packet_sum.hpp>

#include "host.hpp"
#include "raw_xsk.hpp"
#include "ways.hpp"
#include "wire.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

constexpr auto kSilence = std::chrono::milliseconds(100); ///< Nothing comes any more.

class EdgeXsk : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        make({.silent = true});
    }
    void make(const Pair::Options &options) {
        from_.reset(), stack_.reset(), host_.reset(), pair_.reset(); // a lab of this name may be there once
        ASSERT_VALUE(pair_, Pair::make(options));
        ASSERT_VALUE(auto host, pair_->host_b());
        host_.emplace(std::move(host));
        ASSERT_VALUE(auto from, Wire::open(*pair_->a, "va"));
        from_.emplace(std::move(from));
        ASSERT_VALUE(auto stack, Wire::open(*pair_->b, "vb"));
        stack_.emplace(std::move(stack));
    }
    void up(const std::vector<std::string> &rules) {
        ASSERT_OK(host_->up({.devices = {"vb"}, .rules = rules, .mode = GetParam().mode}));
    }
    [[nodiscard]] Result<XskStatus> place(std::string_view name) const {
        BL_TRY(const Status status, host_->status());
        const auto found = std::ranges::find(status.xsks, name, &XskStatus::name);
        if (found == status.xsks.end())
            return fail(Kind::state, 0, "status shows no xsk " + std::string(name));
        return *found;
    }
    [[nodiscard]] Result<RawXsk> listen(std::string_view name, std::uint32_t queue = 0) const {
        BL_TRY(const XskStatus at, place(name));
        BL_TRY(RawXsk socket, RawXsk::open(*pair_->b, "vb", queue));
        BL_CHECK(socket.join(at));
        return socket;
    }
    [[nodiscard]] static Bytes frame(const Packet &transport) {
        return ((GetParam().v6 ? Eth{} / Ip6{} : Eth{} / Ip4{}) / transport).bytes();
    }
    [[nodiscard]] static Bytes udp(std::uint16_t dport, std::size_t size = 18, Sum sum = Sum::complete) {
        return frame(Udp{.dport = dport, .sum = sum} / Payload(size));
    }
    [[nodiscard]] static Bytes tcp(std::uint16_t dport, std::size_t size, Sum sum = Sum::complete) {
        return frame(Tcp{.dport = dport, .sum = sum} / Payload(size));
    }
    /// The frame comes out of the socket as `expected`, and nothing of it reaches the stack.
    void expect_at(RawXsk &socket, const Bytes &sent, const Bytes &expected) {
        ASSERT_OK(from_->send(sent));
        const auto got = socket.receive();
        ASSERT_TRUE(got) << hex(sent);
        EXPECT_EQ(hex(*got), hex(expected));
    }
    void expect_in_stack(const Bytes &sent) {
        ASSERT_OK(from_->send(sent));
        const auto got = stack_->receive();
        ASSERT_TRUE(got) << hex(sent);
        EXPECT_EQ(hex(got->bytes), hex(sent));
    }

    std::unique_ptr<Pair> pair_;
    std::optional<Host> host_;
    std::optional<Wire> from_, stack_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeXsk, testing::ValuesIn(kWays), kNameOf);

TEST_P(EdgeXsk, gets_what_matches_byte_for_byte_and_the_stack_the_rest) {
    const std::string rule = "udp dport 7 -> xsk app", other = "tcp dport 7 -> xsk app";
    up({rule, other});
    ASSERT_VALUE(RawXsk socket, listen("app"));
    std::uint64_t frames = 0;
    for (const std::size_t size : {18U, 19U, 500U, 1400U})
        for (const Bytes &bytes : {udp(7, size), tcp(7, size)}) {
            expect_at(socket, bytes, bytes);
            expect_in_stack(udp(8, size));
            expect_in_stack(tcp(8, size));
            frames++;
        }
    EXPECT_FALSE(stack_->receive(kSilence)) << "what the socket got is the socket's alone";
    EXPECT_FALSE(socket.receive(kSilence));
    EXPECT_EQ(host_->packets(rule), frames / 2);
    EXPECT_EQ(host_->packets(other), frames / 2);
    EXPECT_EQ(host_->odd("xsk_absent"), 0U);
}

TEST_P(EdgeXsk, gets_partial_checksums_completed) {
    up({"udp dport 7 -> xsk app", "tcp dport 7 -> xsk app"});
    ASSERT_VALUE(RawXsk socket, listen("app"));
    const std::uint16_t l4 = GetParam().v6 ? 54 : 34;
    std::uint64_t completed = 0;
    for (const std::size_t size : {18U, 511U, 1400U}) {
        ASSERT_OK(from_->send_partial(udp(7, size, Sum::partial), l4, 6));
        const auto got_udp = socket.receive();
        ASSERT_TRUE(got_udp);
        EXPECT_EQ(hex(*got_udp), hex(udp(7, size)));
        EXPECT_EQ(wrong_checksums(*got_udp), "");
        ASSERT_OK(from_->send_partial(tcp(7, size, Sum::partial), l4, 16));
        const auto got_tcp = socket.receive();
        ASSERT_TRUE(got_tcp);
        EXPECT_EQ(hex(*got_tcp), hex(tcp(7, size)));
        completed += 2;
    }
    EXPECT_EQ(host_->odd("csum_completed"), completed);
}

TEST_P(EdgeXsk, nobody_listens_to_passes_and_is_counted) {
    const std::string rule = "udp dport 7 -> xsk app";
    up({rule});
    expect_in_stack(udp(7));
    expect_in_stack(udp(7, 1000));
    // Not completed for a receiver that is not there.
    const Bytes partial = udp(7, 100, Sum::partial);
    ASSERT_OK(from_->send_partial(partial, GetParam().v6 ? 54 : 34, 6));
    const auto got = stack_->receive();
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->partial);
    EXPECT_EQ(hex(got->bytes), hex(partial));
    EXPECT_EQ(host_->odd("xsk_absent"), 3U);
    EXPECT_EQ(host_->odd("csum_completed"), 0U);
    EXPECT_EQ(host_->packets(rule), 3U);
}

TEST_P(EdgeXsk, has_a_place_for_each_queue) {
    make({.queues = 2, .silent = true});
    up({"udp dport 7 -> xsk app"});
    ASSERT_VALUE(RawXsk second, listen("app", 1));
    // The sender's device spreads flows over its queues; the other end receives on the same one.
    constexpr std::uint16_t kFlows = 50;
    std::vector<Bytes> flows;
    for (std::uint16_t i = 0; i < kFlows; ++i)
        flows.push_back(frame(Udp{.sport = static_cast<std::uint16_t>(40000 + i), .dport = 7} / Payload(18)));
    std::vector<Bytes> of_first, of_second;
    for (const Bytes &flow : flows)
        ASSERT_OK(from_->send(flow));
    while (const auto got = second.receive(kSilence))
        of_second.push_back(*got);
    while (const auto got = stack_->receive(kSilence))
        of_first.push_back(got->bytes);
    EXPECT_FALSE(of_first.empty());
    // A veth that polls no ring receives all on its first queue (drivers/net/veth.c veth_xmit).
    EXPECT_EQ(of_second.empty(), std::string_view(GetParam().mode) == "generic");
    EXPECT_EQ(host_->odd("xsk_absent"), of_first.size()) << "nobody on the first queue";
    std::vector<Bytes> both = of_first;
    both.insert(both.end(), of_second.begin(), of_second.end());
    EXPECT_THAT(both, testing::UnorderedElementsAreArray(flows));
    ASSERT_VALUE(RawXsk first, listen("app", 0));
    for (const Bytes &flow : of_first)
        ASSERT_NO_FATAL_FAILURE(expect_at(first, flow, flow));
    for (const Bytes &flow : of_second)
        ASSERT_NO_FATAL_FAILURE(expect_at(second, flow, flow));
}

TEST_P(EdgeXsk, keeps_its_place_over_reloads) {
    up({"udp dport 7 -> xsk app"});
    ASSERT_VALUE(RawXsk socket, listen("app"));
    ASSERT_VALUE(const XskStatus before, place("app"));
    up({"udp dport 9 -> xsk another", "udp dport 7 -> xsk app", "tcp -> drop"});
    ASSERT_VALUE(const XskStatus after, place("app"));
    EXPECT_EQ(after.first, before.first);
    EXPECT_EQ(after.map, before.map);
    ASSERT_VALUE(const XskStatus another, place("another"));
    EXPECT_NE(another.first, before.first);
    expect_at(socket, udp(7), udp(7));
    expect_in_stack(udp(9));
}

TEST_P(EdgeXsk, of_another_name_never_gets_its_frames_in_an_old_place) {
    up({"udp dport 7 -> xsk app"});
    ASSERT_VALUE(RawXsk socket, listen("app"));
    ASSERT_VALUE(const XskStatus before, place("app"));
    up({"tcp -> pass"});
    expect_in_stack(udp(7));
    up({"udp dport 7 -> xsk another"});
    ASSERT_VALUE(const XskStatus after, place("another"));
    ASSERT_EQ(after.first, before.first) << "else this shows nothing";
    expect_in_stack(udp(7));
    EXPECT_FALSE(socket.receive(kSilence));
    EXPECT_EQ(host_->odd("xsk_absent"), 1U);
}

TEST_P(EdgeXsk, is_free_again_when_its_socket_is_closed) {
    up({"udp dport 7 -> xsk app"});
    {
        ASSERT_VALUE(RawXsk socket, listen("app"));
        expect_at(socket, udp(7), udp(7));
    }
    expect_in_stack(udp(7));
    EXPECT_EQ(host_->odd("xsk_absent"), 1U);
    ASSERT_VALUE(RawXsk next, listen("app"));
    expect_at(next, udp(7), udp(7));
    EXPECT_EQ(host_->odd("xsk_absent"), 1U);
}

} // namespace
} // namespace beeline::edge
