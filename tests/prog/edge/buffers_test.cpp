// SPDX-License-Identifier: Apache-2.0
//
// Frames of several buffers (jumbo frames, xdp.frags): the headers are in the first one, everything else goes over all.
// The kernel's test runs give a program about 3,500 bytes in the first buffer.
#include <gtest/gtest.h>

#include <linux/bpf.h>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

class EdgeBuffers : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(EdgeBuffers, ChecksumsGoOverAllBuffers) {
    ASSERT_VALUE(const Subject subject, Subject::load({"tcp -> rewrite dport 444 redirect lo"}));
    for (const std::size_t size : {3400u, 4000u, 4096u, 8959u, 9000u, 16384u}) {
        SCOPED_TRACE(size);
        const Payload data(size);
        for (const Sum sum : {Sum::complete, Sum::partial}) {
            ASSERT_VALUE(const Outcome run, subject.run((Eth{} / Ip6{} / Tcp{.sum = sum} / data).bytes()));
            EXPECT_EQ(run.xdp, unsigned{XDP_REDIRECT});
            EXPECT_EQ(run.frame, (Eth{} / Ip6{} / Tcp{.dport = 444} / data).bytes());
        }
    }
}

TEST_F(EdgeBuffers, LengthIsThatOfAllBuffers) {
    ASSERT_VALUE(const Subject subject, Subject::load({"length >20000 -> drop", "length 9014 -> abort"}));
    ASSERT_VALUE(const Outcome large, subject.run((Eth{} / Ip6{} / Tcp{} / Payload(20000)).bytes()));
    EXPECT_EQ(large.xdp, unsigned{XDP_DROP});
    ASSERT_VALUE(const Outcome exact, subject.run((Eth{} / Payload(9000)).bytes()));
    EXPECT_EQ(exact.xdp, unsigned{XDP_ABORTED});
}

TEST_F(EdgeBuffers, LengthsOfHeadersAreHeldAgainstAllBuffers) {
    for (const std::vector<std::string> &rules :
         {std::vector<std::string>{"malformed -> abort"}, {"malformed -> abort", "ip -> rewrite ttl 3"}}) {
        ASSERT_VALUE(const Subject subject, Subject::load(rules));
        const Packet udp4 = Eth{} / Ip4{} / Udp{} / Payload(9000), tcp6 = Eth{} / Ip6{} / Tcp{} / Payload(9000);
        const Packet jumbogram = Eth{} / Ip6{.length = 0} / Ext{.proto = 0} / Udp{} / Payload(9000);
        for (const Packet &whole : {udp4, tcp6, jumbogram}) {
            ASSERT_VALUE(const Outcome run, subject.run(whole.bytes()));
            EXPECT_EQ(run.xdp, unsigned{XDP_PASS}) << hex(truncate(whole.bytes(), 70));
        }
        for (const Packet &cut : {udp4, tcp6}) {
            ASSERT_VALUE(const Outcome run, subject.run(truncate(cut.bytes(), 9000)));
            EXPECT_EQ(run.xdp, unsigned{XDP_ABORTED}) << hex(truncate(cut.bytes(), 70));
        }
    }
}

TEST_F(EdgeBuffers, HitsCountTheBytesOfAllBuffers) {
    for (const char *rule : {"arp -> drop", "icmp -> tx", "ip length >1000000 -> drop"}) {
        SCOPED_TRACE(rule);
        ASSERT_VALUE(const Subject subject, Subject::load({rule}));
        std::uint64_t sent = 0;
        for (const Packet &packet : {Eth{} / Ip4{} / Udp{} / Payload(9000), Eth{} / Ip6{} / Tcp{} / Payload(9000),
                                     Eth{} / Ip4{} / Udp{} / Padding{9000}, Eth{} / Payload(9000)}) {
            ASSERT_OK(subject.run(packet.bytes()));
            sent += packet.bytes().size();
        }
        ASSERT_VALUE(const bl_hits hits, subject.hits(1));
        EXPECT_EQ(hits.packets, 4u);
        EXPECT_EQ(hits.bytes, sent);
    }
}

TEST_F(EdgeBuffers, EventsShowTheBeginning) {
    ASSERT_VALUE(const Subject subject, Subject::load({"fallback -> log drop"}));
    const Bytes frame = (Eth{} / Payload(9000)).bytes();
    ASSERT_OK(subject.run(frame));
    ASSERT_VALUE(const auto events, subject.events());
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].length, frame.size());
    EXPECT_EQ(events[0].captured, unsigned{BL_EDGE_SNAP});
    EXPECT_EQ(hex(std::as_bytes(std::span(events[0].data))), hex(truncate(frame, BL_EDGE_SNAP)));
}

} // namespace
} // namespace beeline::edge
