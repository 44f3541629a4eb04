// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <beeline/guest/parse.hpp>

namespace beeline::guest {
namespace {

Publish good(const std::string &text) {
    const auto publish = read_publish(text);
    if (!publish)
        ADD_FAILURE() << text << ": " << publish.error().message();
    return publish.value_or(Publish{});
}

std::string wrong(const std::string &text) {
    const auto publish = read_publish(text);
    return publish ? text + " was taken" : publish.error().what;
}

TEST(Publish, IsAPortOfTheHostAndOneOfTheGuest) {
    EXPECT_EQ(good("8080:80"), (Publish{.address = {}, .host_port = 8080, .guest_port = 80, .proto = 6}));
    EXPECT_EQ(good("8080:80/tcp"), good("8080:80"));
    EXPECT_EQ(good("65535:1/udp"), (Publish{.address = {}, .host_port = 65535, .guest_port = 1, .proto = 17}));
    const Publish four = good("192.0.2.1:53:54/udp");
    ASSERT_TRUE(four.address);
    EXPECT_EQ(kernel::to_string(*four.address), "192.0.2.1");
    EXPECT_EQ(four.host_port, 53);
    EXPECT_EQ(four.guest_port, 54);
    const Publish six = good("[2001:db8::1]:443:444");
    ASSERT_TRUE(six.address);
    EXPECT_EQ(kernel::to_string(*six.address), "2001:db8::1");
    EXPECT_EQ(six.host_port, 443);
    EXPECT_EQ(six.guest_port, 444);
}

TEST(Publish, HasATextThatReadsBack) {
    for (const char *text : {"8080:80/tcp", "192.0.2.1:53:53/udp", "[2001:db8::1]:443:444/tcp", "1:65535/udp"})
        EXPECT_EQ(to_text(good(text)), text);
}

TEST(Publish, OfAnythingElseIsRefused) {
    EXPECT_EQ(wrong("80"), "'80' is no published port");
    EXPECT_EQ(wrong(""), "'' is no published port");
    EXPECT_EQ(wrong(":80"), "':80' is no published port");
    EXPECT_EQ(wrong("80:80/sctp"), "'sctp' is no protocol that can be published");
    EXPECT_EQ(wrong("80:80/"), "'' is no protocol that can be published");
    for (const char *text :
         {"80:", "0:80", "80:0", "70000:80", "80-90:80-90", "::80", "80:80:80", "http:80", "1.2.3:80:80",
          "[192.0.2.1]:80:80", "2001:db8::1:80:80", "[2001:db8::1:80:80", "[]:80:80", "10.0.0.0/8:80:80"})
        EXPECT_FALSE(read_publish(text)) << text;
    EXPECT_EQ(wrong("::1:80:80"), "'::1' needs brackets around IPv6");
    EXPECT_EQ(wrong("[10.0.0.1]:80:80"), "'[10.0.0.1]' is IPv4 in brackets");
    EXPECT_EQ(wrong("127.0.0.1:80:80"), "127.0.0.1 is a loopback address, which the world never sends to");
    EXPECT_EQ(wrong("[::1]:80:80"), "[::1] is a loopback address, which the world never sends to");
}

TEST(Publish, OverlapsWhereOnePacketCouldGoBothWays) {
    const auto both = [](const char *a, const char *b) {
        EXPECT_EQ(overlap(good(a), good(b)), overlap(good(b), good(a))) << a << " " << b;
        return overlap(good(a), good(b));
    };
    EXPECT_TRUE(both("80:80", "80:81"));
    EXPECT_TRUE(both("80:80", "10.0.0.1:80:80"));
    EXPECT_TRUE(both("10.0.0.1:80:80", "10.0.0.1:80:1"));
    EXPECT_FALSE(both("80:80", "80:80/udp"));
    EXPECT_FALSE(both("80:80", "81:80"));
    EXPECT_FALSE(both("10.0.0.2:80:80", "10.0.0.1:80:80"));
    EXPECT_FALSE(both("[2001:db8::1]:80:80", "10.0.0.1:80:80"));
}

} // namespace
} // namespace beeline::guest
