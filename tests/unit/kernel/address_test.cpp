// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/address.hpp>

#include <gtest/gtest.h>

#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

TEST(Mac, is_read_and_written_alike) {
    ASSERT_VALUE(const Mac mac, parse_mac("02:aB:00:00:0f:fe"));
    EXPECT_EQ(mac, (Mac{0x02, 0xab, 0, 0, 0x0f, 0xfe}));
    EXPECT_EQ(to_string(mac), "02:ab:00:00:0f:fe");
}

TEST(Mac, refuses_anything_else) {
    for (const char *text : {"", "02:00:00:00:00", "02:00:00:00:00:1", "02-00-00-00-00-01", "02:00:00:00:00:0g",
                             "02:00:00:00:00:01:", "0200:00:00:00:001", "+2:00:00:00:00:01"})
        EXPECT_FALSE(parse_mac(text)) << text;
}

TEST(IpPrefix, is_read_and_written_alike) {
    for (const char *text :
         {"10.0.0.1/24", "0.0.0.0/0", "255.255.255.255/32", "2001:db8::1/64", "::/0", "fe80::1/128"}) {
        ASSERT_VALUE(const IpPrefix prefix, IpPrefix::parse(text));
        EXPECT_EQ(to_string(prefix), text);
    }
}

TEST(IpPrefix, counts_all_bits_when_none_are_given) {
    ASSERT_VALUE(const IpPrefix v4, IpPrefix::parse("192.0.2.1"));
    EXPECT_EQ(v4.bits, 32);
    ASSERT_VALUE(const IpPrefix v6, IpPrefix::parse("2001:db8::1"));
    EXPECT_EQ(v6.bits, 128);
    EXPECT_TRUE(v6.address.v6);
}

TEST(IpPrefix, refuses_bad_lengths_and_addresses) {
    for (const char *text : {"10.0.0.1/33", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/8x", "10.0.0/8", "::1/129", "::1/256",
                             "10.0.0.1/ 8", "", "/8"})
        EXPECT_FALSE(IpPrefix::parse(text)) << text;
}

} // namespace
} // namespace beeline::kernel
