// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/sysctl.hpp>

#include <cerrno>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class NetSysctl : public TwoEnds {};

TEST_F(NetSysctl, is_that_of_the_namespace_the_thread_is_in) {
    const auto at = [](const harness::TestNet &net) {
        return net.within([] { return read_net_sysctl("ipv4/ip_forward"); });
    };
    ASSERT_OK(a_->within([] { return write_net_sysctl("ipv4/ip_forward", "1"); }));
    ASSERT_OK(b_->within([] { return write_net_sysctl("ipv4/ip_forward", "0"); }));
    EXPECT_EQ(at(*a_), "1");
    EXPECT_EQ(at(*b_), "0");
}

TEST_F(NetSysctl, of_a_device_whose_name_has_a_dot) {
    ASSERT_OK(a_->links().create_veth({.name = "dot.7"}, {.name = "dot.8"}));
    ASSERT_OK(a_->within([] { return write_net_sysctl("ipv4/conf/dot.7/rp_filter", "2"); }));
    EXPECT_EQ(a_->within([] { return read_net_sysctl("ipv4/conf/dot.7/rp_filter"); }), "2");
}

TEST_F(NetSysctl, that_is_not_there_or_takes_no_such_value_is_named) {
    const auto missing = a_->within([] { return write_net_sysctl("ipv4/conf/nobody/rp_filter", "2"); });
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ENOENT);
    const auto refused = a_->within([] { return write_net_sysctl("ipv4/ip_forward", "bee"); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EINVAL);
    EXPECT_EQ(refused.error().what, "write 'bee' to /proc/sys/net/ipv4/ip_forward");
}

} // namespace
} // namespace beeline::kernel
