// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <beeline/guest/parse.hpp>

namespace beeline::guest {
namespace {

using By = Place::By;

TEST(GuestNames, ArePlain) {
    for (const char *name : {"web", "a", "9lives", "web-1.example_x"})
        EXPECT_TRUE(check_name(name)) << name;
    EXPECT_TRUE(check_name(std::string(63, 'a')));
    for (const std::string name : {"", ".web", "-web", "web/1", "we b", "w\xc3\xa9", "..", "a:b"})
        EXPECT_FALSE(check_name(name)) << name;
    EXPECT_FALSE(check_name(std::string(64, 'a')));
}

TEST(GuestNames, MakeTheHostsDeviceWithinWhatTheKernelTakes) {
    EXPECT_EQ(host_device_of("web"), "blweb");
    EXPECT_EQ(host_device_of("a-name-of-some-length"), "bla-name-of-som");
    EXPECT_EQ(host_device_of("a-name-of-some-length").size(), 15u);
    EXPECT_TRUE(policy::check_device(host_device_of(std::string(63, '.'))));
}

TEST(GuestPlaces, AreNamesPathsAndDevices) {
    for (const char *name : {"web", "/run/netns/web", "/proc/1/ns/net", "two words"})
        EXPECT_TRUE(check_place({By::netns, name})) << name;
    for (const std::string name : {"", "run/web", ".", "..", "a/b"})
        EXPECT_FALSE(check_place({By::netns, name})) << name;
    EXPECT_FALSE(check_place({By::netns, std::string("a\0b", 3)}));
    EXPECT_TRUE(check_place({By::container, "0123456789abcdef"}));
    EXPECT_TRUE(check_place({By::container, "shop_web.1"}));
    EXPECT_FALSE(check_place({By::container, "../x"}));
    EXPECT_FALSE(check_place({By::container, ""}));
    EXPECT_TRUE(check_place({By::tap, "tap0"}));
    EXPECT_FALSE(check_place({By::tap, "a-tap-of-sixteen"}));
}

TEST(GuestAddresses, KeepTheirHostBits) {
    EXPECT_EQ(kernel::to_string(read_address("10.88.0.2/24").value()), "10.88.0.2/24");
    EXPECT_EQ(kernel::to_string(read_address("10.88.0.2").value()), "10.88.0.2/32");
    EXPECT_EQ(kernel::to_string(read_address("2001:db8::2/64").value()), "2001:db8::2/64");
    EXPECT_EQ(kernel::to_string(read_address("2001:db8::").value()), "2001:db8::/128");
    EXPECT_EQ(kernel::to_string(read_address("10.0.0.0/31").value()), "10.0.0.0/31") << "RFC 3021";
    EXPECT_EQ(kernel::to_string(read_address("fe80::1/64").value()), "fe80::1/64");
}

std::string wrong(const std::string &text) {
    const auto address = read_address(text);
    return address ? text + " was taken" : address.error().what;
}

TEST(GuestAddresses, AreThoseThatAHostCanHave) {
    EXPECT_EQ(wrong("10.88.0.0/24"), "'10.88.0.0/24' is the address of its network");
    EXPECT_EQ(wrong("10.88.0.255/24"), "'10.88.0.255/24' is the broadcast address of its network");
    EXPECT_EQ(wrong("0.0.0.0"), "0.0.0.0 is the unspecified address");
    EXPECT_EQ(wrong("::"), ":: is the unspecified address");
    EXPECT_EQ(wrong("127.0.0.5/8"), "127.0.0.5 is a loopback address");
    EXPECT_EQ(wrong("::1"), "::1 is a loopback address");
    EXPECT_EQ(wrong("224.0.0.1"), "224.0.0.1 is a multicast or reserved address");
    EXPECT_EQ(wrong("255.255.255.255"), "255.255.255.255 is a multicast or reserved address");
    EXPECT_EQ(wrong("ff02::1/64"), "ff02::1 is a multicast or reserved address");
    for (const std::string text : {"", "10.88.0.2/", "10.88.0.2/33", "10.88.0.2/0", "10.88.0.2/024", "10.88.0/24",
                                   "2001:db8::1/129", "web", "10.88.0.2/24/24"})
        EXPECT_FALSE(read_address(text)) << text;
    EXPECT_FALSE(read_address(std::string("10.88.0.2\0", 10)));
    EXPECT_FALSE(read_gateway("10.88.0.1/24"));
    EXPECT_EQ(kernel::to_string(read_gateway("10.88.0.1").value()), "10.88.0.1");
}

} // namespace
} // namespace beeline::guest
