// SPDX-License-Identifier: Apache-2.0
#include "lab/stack_counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beeline::lab {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(LabStackCounters, ReadsPairsOfLines) {
    EXPECT_THAT(parse_snmp("Udp: InDatagrams NoPorts InCsumErrors\nUdp: 12 3 1\nTcp: MaxConn InSegs\nTcp: -1 7\n"),
                ElementsAre(Pair("TcpInSegs", 7), Pair("TcpMaxConn", -1), Pair("UdpInCsumErrors", 1),
                            Pair("UdpInDatagrams", 12), Pair("UdpNoPorts", 3)));
}

TEST(LabStackCounters, LeavesOutLinesThatDoNotBelongTogether) {
    EXPECT_TRUE(parse_snmp("Udp: A B\nUdp: 1\nTcp: A\n").empty());
    EXPECT_TRUE(parse_snmp("").empty());
}

TEST(LabStackCounters, ReadsOneNameALine) {
    EXPECT_THAT(parse_snmp6("Udp6InDatagrams                 \t5\nUdp6InCsumErrors \t0\n"),
                ElementsAre(Pair("Udp6InCsumErrors", 0), Pair("Udp6InDatagrams", 5)));
}

TEST(LabStackCounters, DifferenceHasWhatChanged) {
    EXPECT_THAT(difference({{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 5}, {"c", 4}}),
                ElementsAre(Pair("b", 3), Pair("c", 4)));
}

TEST(LabStackCounters, ChecksumErrorsOfAllProtocols) {
    EXPECT_EQ(checksum_errors({{"UdpInCsumErrors", 1}, {"Udp6InCsumErrors", 2}, {"TcpInCsumErrors", 4}, {"X", 100}}),
              7);
}

TEST(LabStackCounters, TheRunningKernelHasThem) {
    const auto counters = read_stack_counters();
    ASSERT_TRUE(counters) << counters.error().message();
    EXPECT_TRUE(counters->contains("UdpInCsumErrors"));
    EXPECT_TRUE(counters->contains("TcpInCsumErrors"));
    EXPECT_TRUE(received_frames("lo"));
    EXPECT_FALSE(received_frames("no-such-device"));
}

} // namespace
} // namespace beeline::lab
