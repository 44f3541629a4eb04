// SPDX-License-Identifier: Apache-2.0
//
// What is said where there is no netkit: the kernel lacks it, or the device is another. veth stands for "no netkit".
#include <beeline/kernel/netkit.hpp>

#include <cerrno>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/link.hpp>

#include "two_ends.hpp"

namespace beeline::kernel {
namespace {

class NoNetkit : public TwoEnds {};

TEST_F(NoNetkit, is_what_another_device_is) {
    const auto info = a_->links().netkit_info(va_);
    ASSERT_FALSE(info);
    EXPECT_NE(info.error().what.find("the device is no netkit"), std::string::npos);
    EXPECT_EQ(a_->links().netkit_info(4711).error().code, ENODEV);
}

TEST_F(NoNetkit, is_what_a_kernel_without_it_says) {
    if (probe(FeatureId::netkit).available)
        GTEST_SKIP() << "this kernel has netkit";
    const auto made = a_->links().create_netkit({.primary = {.name = "host"}, .peer = {.name = "eth0"}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, Kind::unsupported);
    EXPECT_FALSE(probe(FeatureId::netkit_scrub).available);
    EXPECT_FALSE(probe(FeatureId::netkit_headroom).available);
}

TEST_F(NoNetkit, is_told_by_name_where_a_program_should_go_there) {
    if (probe(FeatureId::netkit).available)
        GTEST_SKIP() << "this kernel has netkit";
    ASSERT_VALUE(const UniqueFd prog, classifier("bl_one"));
    const auto link = a_->within([&] { return Link::attach_netkit(prog.get(), va_, NetkitHook::primary); });
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::unsupported);
    EXPECT_NE(link.error().what.find("attach netkit primary to va: no netkit devices"), std::string::npos)
        << link.error().what;
    EXPECT_NE(link.error().what.find("6.7"), std::string::npos) << link.error().what;
    const auto state = a_->within([&] { return netkit_query(va_, NetkitHook::peer); });
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, Kind::unsupported);
}

} // namespace
} // namespace beeline::kernel
