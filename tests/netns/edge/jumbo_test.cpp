// SPDX-License-Identifier: Apache-2.0
//
// Frames larger than a page: they come to native XDP in several buffers, of which a program sees the first directly.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <harness/packet_sum.hpp>

#include "chain.hpp"
#include "ways.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

constexpr std::uint32_t kMtu = 9000;
constexpr std::size_t kSizes[] = {3600, 4096, 5001, 8900};
constexpr auto kSilence = std::chrono::milliseconds(100);

class EdgeJumbo : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(chain_, Chain::make(kMtu));
    }
    void up(const std::vector<std::string> &rules) {
        ASSERT_OK(chain_->host->up({.devices = {"ma"}, .rules = rules, .mode = GetParam().mode}));
    }
    [[nodiscard]] static bool native() { return std::string_view(GetParam().mode) == "native"; }
    [[nodiscard]] static Packet head() { return GetParam().v6 ? Eth{} / Ip6{} : Eth{} / Ip4{}; }
    [[nodiscard]] static Bytes udp(std::uint16_t dport, std::size_t size, Sum sum = Sum::complete) {
        return (head() / Udp{.dport = dport, .sum = sum} / Payload(size)).bytes();
    }
    [[nodiscard]] static Bytes tcp(std::uint16_t dport, std::size_t size, Sum sum = Sum::complete) {
        return (head() / Tcp{.dport = dport, .sum = sum} / Payload(size)).bytes();
    }
    static void expect_at(const Wire &there, const Bytes &expected) {
        const auto got = there.receive();
        ASSERT_TRUE(got) << expected.size();
        EXPECT_EQ(got->bytes.size(), expected.size());
        EXPECT_TRUE(got->bytes == expected) << expected.size();
    }

    std::unique_ptr<Chain> chain_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeJumbo, testing::ValuesIn(kWays), kNameOf);

TEST_P(EdgeJumbo, frames_are_rewritten_and_passed) {
    const std::string of_udp = "udp dport 7999 -> rewrite dport 7998", of_tcp = "tcp dport 7999 -> rewrite dport 7998";
    up({of_udp, of_tcp});
    for (const std::size_t size : kSizes) {
        ASSERT_OK(chain_->from->send(udp(7999, size)));
        expect_at(*chain_->stack, udp(7998, size));
        ASSERT_OK(chain_->from->send(tcp(7999, size)));
        expect_at(*chain_->stack, tcp(7998, size));
        ASSERT_OK(chain_->from->send(udp(8000, size)));
        expect_at(*chain_->stack, udp(8000, size));
    }
    EXPECT_EQ(chain_->host->packets(of_udp), std::size(kSizes));
    EXPECT_EQ(chain_->host->packets(of_tcp), std::size(kSizes));
}

TEST_P(EdgeJumbo, frames_are_redirected_whole) {
    up({"udp dport 7999 -> rewrite dport 7998 redirect mb", "tcp dport 7999 -> redirect mb"});
    for (const std::size_t size : kSizes) {
        ASSERT_OK(chain_->from->send(udp(7999, size)));
        expect_at(*chain_->far, udp(7998, size));
        ASSERT_OK(chain_->from->send(tcp(7999, size)));
        expect_at(*chain_->far, tcp(7999, size));
    }
    EXPECT_FALSE(chain_->stack->receive(kSilence));
    EXPECT_EQ(chain_->host->odd("redirect_failed"), 0U);
}

TEST_P(EdgeJumbo, frames_with_partial_checksums_are_summed_over_all_buffers) {
    up({"udp dport 7999 -> rewrite dport 7998 redirect mb", "tcp dport 7999 -> redirect mb"});
    const std::uint16_t l4 = GetParam().v6 ? 54 : 34;
    for (const std::size_t size : kSizes) {
        ASSERT_OK(chain_->from->send_partial(udp(7999, size, Sum::partial), l4, 6));
        expect_at(*chain_->far, udp(7998, size, native() ? Sum::complete : Sum::partial));
        ASSERT_OK(chain_->from->send_partial(tcp(7999, size, Sum::partial), l4, 16));
        expect_at(*chain_->far, tcp(7999, size, native() ? Sum::complete : Sum::partial));
    }
    EXPECT_EQ(chain_->host->odd("csum_completed"), native() ? 2 * std::size(kSizes) : 0U);
    EXPECT_EQ(chain_->host->odd("csum_failed"), 0U);
}

TEST_P(EdgeJumbo, frames_are_known_by_their_whole_length_and_dropped) {
    const std::size_t headers = GetParam().v6 ? 62 : 42;
    const std::string drop = fmt::format("length >{} -> drop", 5001 + headers - 1);
    up({drop});
    for (const std::size_t size : kSizes)
        ASSERT_OK(chain_->from->send(udp(7999, size)));
    for (const std::size_t size : {3600U, 4096U})
        expect_at(*chain_->stack, udp(7999, size));
    EXPECT_FALSE(chain_->stack->receive(kSilence));
    EXPECT_EQ(chain_->host->packets(drop), 2U);
}

} // namespace
} // namespace beeline::edge
