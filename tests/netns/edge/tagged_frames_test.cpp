// SPDX-License-Identifier: Apache-2.0
//
// Single frames behind one VLAN tag, two and three, on kernels without VLAN devices, too: what arrives is held against
// the reference model byte for byte.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/bpf.h>

#include <harness/model.hpp>
#include <harness/packet_sum.hpp>

#include "chain.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

/// Ethertypes of the tags, outer one first.
struct Tags {
    const char *name;
    std::vector<std::uint16_t> tpids;
};

const Tags kTags[] = {{"one", {0x8100}}, {"QinQ", {0x88a8, 0x8100}}, {"stacked", {0x8100, 0x8100}}};

struct Way {
    const char *mode;
    const Tags *tags;
    bool v6;
};

std::string name_of(const testing::TestParamInfo<Way> &info) {
    return fmt::format("{}_{}_{}", info.param.mode, info.param.tags->name, info.param.v6 ? "IPv6" : "IPv4");
}

void PrintTo(const Way &way, std::ostream *out) {
    *out << way.mode << " " << way.tags->name << (way.v6 ? " IPv6" : " IPv4");
}

std::vector<Way> all_ways() {
    std::vector<Way> ways;
    for (const char *mode : {"native", "generic"})
        for (const Tags &tags : kTags)
            for (const bool v6 : {false, true})
                ways.push_back({mode, &tags, v6});
    return ways;
}

constexpr std::uint16_t kOuter = 100, kInner = 7, kOther = 9;
constexpr auto kSilence = std::chrono::milliseconds(100);

class EdgeTaggedFrames : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(chain_, Chain::make());
    }
    [[nodiscard]] static std::size_t levels() { return GetParam().tags->tpids.size(); }
    /// The condition on the tags, whose last one has this id.
    [[nodiscard]] static std::string match(std::uint16_t last) {
        return levels() == 1 ? fmt::format("vlan {}", last) : fmt::format("vlan {} inner-vlan {}", kOuter, last);
    }
    [[nodiscard]] static Packet head(std::uint16_t last) {
        const std::vector<std::uint16_t> &tpids = GetParam().tags->tpids;
        Packet packet{.layers = {Eth{}}};
        if (levels() == 2)
            packet = packet / Vlan{.id = kOuter, .priority = 5, .tpid = tpids[0]};
        packet = packet / Vlan{.id = last, .priority = 3, .tpid = tpids.back()};
        return GetParam().v6 ? packet / Ip6{} : packet / Ip4{};
    }
    [[nodiscard]] static std::vector<Bytes> frames(std::uint16_t last, std::uint16_t dport) {
        return {(head(last) / Udp{.dport = dport} / Payload(33)).bytes(),
                (head(last) / Udp{.dport = dport} / Payload(1400)).bytes(),
                (head(last) / Tcp{.dport = dport} / Payload(20)).bytes(),
                (head(last) / Tcp{.dport = dport, .flags = kSyn}).bytes()};
    }
    void up(const std::vector<std::string> &rules) {
        text_ = {.devices = {"ma"}, .rules = rules, .mode = GetParam().mode};
        ASSERT_OK(chain_->host->up(text_));
    }
    [[nodiscard]] Result<model::Answer> expected(const Bytes &frame) const {
        BL_TRY(const Policy wanted, policy(text_));
        return model::judge(wanted, frame, {.device = "ma", .generic = std::string_view(GetParam().mode) == "generic"});
    }
    /// The frame arrives at `there` as the model has it after rule number `rule`.
    void expect_as_the_model(const Wire &there, const Bytes &sent, std::size_t rule) {
        ASSERT_VALUE(const model::Answer answer, expected(sent));
        ASSERT_EQ(answer.rule, rule) << hex(sent);
        ASSERT_OK(chain_->from->send(sent));
        const auto got = there.receive();
        ASSERT_TRUE(got) << "lost: " << hex(sent);
        EXPECT_EQ(hex(got->bytes), hex(answer.frame));
        EXPECT_EQ(wrong_checksums(got->bytes), "");
    }
    [[nodiscard]] static std::string real() { return GetParam().v6 ? "2001:db8:5::5" : "203.0.113.5"; }

    std::unique_ptr<Chain> chain_;
    Text text_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeTaggedFrames, testing::ValuesIn(all_ways()), name_of);

TEST_P(EdgeTaggedFrames, are_rewritten_behind_their_tags) {
    const std::string to = " -> rewrite dst " + real() + " dport 7998 ttl 9 dscp ef";
    up({match(kOther) + " -> drop", match(kInner) + " udp dport 7999" + to, match(kInner) + " tcp dport 7999" + to});
    for (const Bytes &frame : frames(kInner, 7999)) {
        ASSERT_VALUE(const model::Answer answer, expected(frame));
        ASSERT_NO_FATAL_FAILURE(expect_as_the_model(*chain_->stack, frame, answer.rule));
        EXPECT_NE(answer.rule, 3U);
        EXPECT_NE(hex(answer.frame), hex(frame));
    }
    for (const Bytes &frame : frames(kInner, 8000))
        ASSERT_NO_FATAL_FAILURE(expect_as_the_model(*chain_->stack, frame, 3));
}

TEST_P(EdgeTaggedFrames, of_another_VLAN_are_another_rule_s) {
    const std::string drop = match(kInner) + " -> drop", mark = match(kOther) + " -> rewrite dscp ef";
    up({drop, mark});
    for (const Bytes &frame : frames(kInner, 7999))
        ASSERT_OK(chain_->from->send(frame));
    for (const Bytes &frame : frames(kOther, 7999))
        ASSERT_NO_FATAL_FAILURE(expect_as_the_model(*chain_->stack, frame, 1)); // the first to arrive
    EXPECT_EQ(chain_->host->packets(drop), 4U);
    EXPECT_EQ(chain_->host->packets(mark), 4U);
    const Bytes bare = (Eth{} / Ip4{} / Udp{.dport = 7999} / Payload(18)).bytes();
    expect_as_the_model(*chain_->stack, bare, 2);
}

TEST_P(EdgeTaggedFrames, are_redirected_with_their_tags) {
    up({match(kOther) + " -> drop", match(kInner) + " udp -> rewrite dport 7998 redirect mb",
        match(kInner) + " tcp -> rewrite dst " + real() + " redirect mb"});
    for (const Bytes &frame : frames(kOther, 7999))
        ASSERT_OK(chain_->from->send(frame));
    for (const Bytes &frame : frames(kInner, 7999)) {
        ASSERT_VALUE(const model::Answer answer, expected(frame));
        EXPECT_EQ(answer.xdp, static_cast<std::uint32_t>(XDP_REDIRECT));
        ASSERT_NO_FATAL_FAILURE(expect_as_the_model(*chain_->far, frame, answer.rule));
    }
    EXPECT_FALSE(chain_->stack->receive(kSilence));
    EXPECT_EQ(chain_->host->odd("redirect_failed"), 0U);
}

TEST_P(EdgeTaggedFrames, with_partial_checksums_leave_native_XDP_with_complete_ones) {
    const bool native = std::string_view(GetParam().mode) == "native"; // else the skb goes along, and its mark
    const Sum left = native ? Sum::complete : Sum::partial;
    up({match(kInner) + " udp -> rewrite dport 7998 redirect mb", match(kInner) + " tcp -> redirect mb"});
    const auto l4 = static_cast<std::uint16_t>(14 + 4 * levels() + (GetParam().v6 ? 40 : 20));
    for (const std::size_t size : {33U, 1400U}) {
        const Bytes udp = (head(kInner) / Udp{.dport = 7999, .sum = Sum::partial} / Payload(size)).bytes();
        const Bytes tcp = (head(kInner) / Tcp{.dport = 7999, .sum = Sum::partial} / Payload(size)).bytes();
        for (const auto &[frame, field, after] :
             {std::tuple(udp, 6, (head(kInner) / Udp{.dport = 7998, .sum = left} / Payload(size)).bytes()),
              std::tuple(tcp, 16, (head(kInner) / Tcp{.dport = 7999, .sum = left} / Payload(size)).bytes())}) {
            ASSERT_OK(chain_->from->send_partial(frame, l4, static_cast<std::uint16_t>(field)));
            const auto got = chain_->far->receive();
            ASSERT_TRUE(got);
            EXPECT_EQ(hex(got->bytes), hex(after));
            EXPECT_EQ(got->partial, !native);
        }
    }
    EXPECT_EQ(chain_->host->odd("csum_completed"), native ? 4U : 0U);
}

TEST_P(EdgeTaggedFrames, with_one_tag_more_are_looked_through_up_to_the_second) {
    const std::string ports = match(kInner) + " udp dport 7999 -> rewrite dport 7998";
    const std::string tags = match(kInner) + " ethertype vlan -> rewrite mac src 02:00:00:00:00:77";
    up({ports, tags});
    Packet packet{.layers = {Eth{}}};
    if (levels() == 2)
        packet = packet / Vlan{.id = kOuter, .tpid = GetParam().tags->tpids[0]};
    packet = packet / Vlan{.id = kInner} / Vlan{.id = kOther};
    packet = GetParam().v6 ? packet / Ip6{} : packet / Ip4{};
    const bool third = levels() == 2;
    expect_as_the_model(*chain_->stack, (packet / Udp{.dport = 7999} / Payload(33)).bytes(), third ? 1 : 0);
    EXPECT_EQ(chain_->host->packets(ports), third ? 0U : 1U);
    EXPECT_EQ(chain_->host->packets(tags), third ? 1U : 0U);
    EXPECT_EQ(chain_->host->odd("short_vlan"), 0U);
}

} // namespace
} // namespace beeline::edge
