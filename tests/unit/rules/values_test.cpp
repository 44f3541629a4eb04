// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <beeline/edge/parse.hpp>
#include <beeline/rules/values.hpp>

namespace beeline::rules {
namespace {

TEST(Values, PrefixesReadAndWriteAlike) {
    for (const char *text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1", "255.255.255.254/31", "::/0", "2001:db8::/32",
                             "2001:db8::1", "fe80::/10", "::1", "64:ff9b::/96"}) {
        const auto prefix = read_prefix(text);
        ASSERT_TRUE(prefix) << text << ": " << prefix.error().message();
        EXPECT_EQ(to_text(*prefix), text);
    }
    EXPECT_EQ(to_text(*read_prefix("10.0.0.1/32")), "10.0.0.1");
    EXPECT_EQ(to_text(*read_prefix("2001:DB8:0:0:0:0:0:1/128")), "2001:db8::1");
}

TEST(Values, PrefixesThatAreNone) {
    for (const char *text : {"",
                             "/",
                             "10",
                             "10.0.0",
                             "10.0.0.0/",
                             "10.0.0.0/-1",
                             "10.0.0.0/+8",
                             "10.0.0.0/ 8",
                             "10.0.0.0/8/8",
                             "10.0.0.0/4294967304",
                             "1.2.3.4.5",
                             "01.2.3.4",
                             ":",
                             ":::",
                             "1::2::3",
                             "fe80::1%lo",
                             "::/129",
                             "10.0.0.0/08",
                             " 10.0.0.0",
                             "10.0.0.1/31",
                             "::1/127"})
        EXPECT_FALSE(read_prefix(text)) << text;
    EXPECT_FALSE(read_prefix(std::string_view("10.0.0.1\0", 9)));
    EXPECT_FALSE(read_prefix(std::string(100000, '1')));
    EXPECT_FALSE(read_address("10.0.0.0/8"));
}

TEST(Values, NumbersStayWithinTheirLimits) {
    EXPECT_EQ(*read_number("0", {0, 10}), 0u);
    EXPECT_EQ(*read_number("0x1F", {0, 31}), 31u);
    EXPECT_EQ(*read_number("18446744073709551615", {0, ~0ull}), ~0ull);
    for (const char *text : {"", "-1", "+1", "1a", "0x", "0xg", "00", "1 ", "18446744073709551616", "11"})
        EXPECT_FALSE(read_number(text, {0, 10})) << text;
}

TEST(Values, PortsByNumberRangeOrName) {
    EXPECT_EQ(*read_ports("22"), (Interval{22, 22}));
    EXPECT_EQ(*read_ports("ssh"), (Interval{22, 22}));
    EXPECT_EQ(*read_ports("0-65535"), (Interval{0, 65535}));
    EXPECT_EQ(*read_ports("http-alt"), (Interval{8080, 8080}));
    for (const char *text : {"65536", "1-", "-1", "2-1", "1-2-3", "SSH", "ssh-http"})
        EXPECT_FALSE(read_ports(text)) << text;
}

TEST(Values, MacAddresses) {
    EXPECT_EQ(to_text(*read_mac("02:00:5E:10:00:ff")), "02:00:5e:10:00:ff");
    for (const char *text :
         {"", "02:00:5e:10:00", "02:00:5e:10:00:0", "02-00-5e-10-00-01", "02:00:5e:10:00:0g", "02:00:5e:10:00:001"})
        EXPECT_FALSE(read_mac(text)) << text;
}

TEST(Services, AreListedOnceInOrder) {
    for (std::size_t i = 1; i < services().size(); ++i)
        EXPECT_LE(services()[i - 1].number, services()[i].number) << services()[i].name;
    for (const NamedNumber &a : services())
        for (const NamedNumber &b : services())
            EXPECT_TRUE(&a == &b || a.name != b.name) << a.name;
}

TEST(Sets, AreSortedAndWithoutRepeats) {
    edge::Set set{"s", edge::SetType::port, {}, {}, {}};
    for (const char *text : {"90-100", "80", "95-110", "81", "65535", "111", "80"})
        ASSERT_TRUE(edge::add_entry(set, text));
    EXPECT_FALSE(edge::add_entry(set, "10.0.0.1"));
    edge::normalise(set);
    EXPECT_EQ(set.ports, (std::vector<edge::Range<std::uint16_t>>{{80, 81}, {90, 111}, {65535, 65535}}));

    edge::Set prefixes{"p", edge::SetType::prefix, {}, {}, {}};
    for (const char *text : {"2001:db8::/32", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/8"})
        ASSERT_TRUE(edge::add_entry(prefixes, text));
    edge::normalise(prefixes);
    std::string texts;
    for (const edge::Prefix &prefix : prefixes.prefixes)
        texts += edge::to_text(prefix) + " ";
    EXPECT_EQ(texts, "10.0.0.0/8 10.0.0.0/16 2001:db8::/32 ");
}

} // namespace
} // namespace beeline::rules
