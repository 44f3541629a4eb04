// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/features.hpp>

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/prog.hpp>
#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

class Features : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Features, are_asked_for_once_and_all_answered) {
    const std::vector<Feature> all = probe_all();
    EXPECT_EQ(all.size(), static_cast<std::size_t>(FeatureId::netns_create) + 1);
    for (const Feature &feature : all) {
        EXPECT_FALSE(feature.title.empty());
        EXPECT_FALSE(feature.needed_by.empty());
        EXPECT_EQ(feature.available, feature.why.empty()) << feature.title;
        EXPECT_EQ(&probe(feature.id), &probe(feature.id));
    }
}

TEST_F(Features, that_every_supported_kernel_has_are_found) {
    for (const FeatureId id :
         {FeatureId::bpf, FeatureId::ring_buffer, FeatureId::xdp_link, FeatureId::xdp_frags, FeatureId::xdp_live_frames,
          FeatureId::prog_array, FeatureId::cgroup_link, FeatureId::sk_storage, FeatureId::netns_create}) {
        const Feature &feature = probe(id);
        EXPECT_TRUE(feature.available || version_less(kernel_version(), feature.since))
            << feature.title << ": " << feature.why;
        EXPECT_EQ(require(id).has_value(), feature.available);
    }
}

/// tcx has no option of its own (it comes with the ingress and egress hooks), so a new kernel must have it.
TEST_F(Features, agree_with_the_kernels_age_where_nothing_can_switch_them_off) {
    const Feature &tcx = probe(FeatureId::tcx);
    EXPECT_EQ(tcx.available, !version_less(kernel_version(), tcx.since)) << tcx.why;
    const Feature &sockmap = probe(FeatureId::sockmap_link);
    EXPECT_EQ(sockmap.available, !version_less(kernel_version(), sockmap.since)) << sockmap.why;
}

TEST_F(Features, that_are_missing_are_named_with_the_kernel_that_has_them) {
    for (const Feature &feature : probe_all()) {
        if (feature.available)
            continue;
        const auto missing = require(feature.id);
        ASSERT_FALSE(missing) << feature.title;
        EXPECT_EQ(missing.error().kind, Kind::unsupported);
        EXPECT_NE(missing.error().what.find(feature.title), std::string::npos);
        EXPECT_NE(missing.error().what.find(feature.since), std::string::npos) << missing.error().what;
        EXPECT_EQ(missing.error().message().find('\n'), std::string::npos);
    }
}

TEST_F(Features, are_tried_without_a_trace) {
    (void)probe_all();
    ASSERT_VALUE(const auto links, link_ids());
    for (const std::uint32_t id : links) {
        const auto fd = link_by_id(id);
        const auto info = fd ? link_info(fd->get()) : Result<LinkInfo>(LinkInfo{});
        EXPECT_EQ(describe_prog(info ? info->prog_id : 0).find("bl_probe"), std::string::npos);
    }
    std::ostringstream mounts;
    mounts << std::ifstream("/proc/self/mountinfo").rdbuf();
    EXPECT_EQ(mounts.str().find("bl_probe"), std::string::npos);
}

TEST(KernelVersion, is_compared_by_numbers) {
    EXPECT_TRUE(version_less("6.1.190", "6.6"));
    EXPECT_TRUE(version_less("6.6", "6.18"));
    EXPECT_FALSE(version_less("6.18.44", "6.7"));
    EXPECT_FALSE(version_less("6.6", "6.6"));
    EXPECT_FALSE(version_less("6.6.0", "6.6"));
    EXPECT_TRUE(version_less("6.6", "6.6.1"));
    EXPECT_TRUE(version_less("unknown", "4.4"));
    EXPECT_FALSE(version_less("x", "x"));
    EXPECT_FALSE(version_less(kernel_version(), "4.4")) << kernel_version();
}

} // namespace
} // namespace beeline::kernel
