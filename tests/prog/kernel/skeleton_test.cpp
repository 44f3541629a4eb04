// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/skeleton.hpp>

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

#include <beeline/kernel/counters.hpp>
#include <beeline/kernel/prog.hpp>
#include <harness/assert.hpp>
#include <kernel_refused.skel.h>
#include <kernel_test.skel.h>

namespace beeline::kernel {
namespace {

template <class T>
concept Writable = requires(T &object) {
    object->rodata->cfg.marker = 1;
};
static_assert(Writable<Opened<kernel_test_bpf>>);
static_assert(
    std::is_const_v<std::remove_reference_t<decltype(*std::declval<Loaded<kernel_test_bpf> &>().operator->())>>);

class Skeletons : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Skeletons, take_constants_before_loading) {
    ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
    opened.rodata()->cfg.verdict = XDP_DROP;
    ASSERT_EQ(bpf_map__set_max_entries(opened.maps().counters, 9), 0);
    ASSERT_VALUE(const auto loaded, std::move(opened).load());
    constexpr std::array<std::byte, 60> kFrame{};
    ASSERT_VALUE(const TestResult result,
                 test_run(bpf_program__fd(loaded.progs().report), {.data = kFrame, .repeat = 4}));
    EXPECT_EQ(result.retval, XDP_DROP);
    ASSERT_VALUE(const auto counters, CounterMap::share(bpf_map__fd(loaded.maps().counters)));
    EXPECT_EQ(counters.info().max_entries, 9U);
    ASSERT_VALUE(const std::uint64_t count, counters.sum(1));
    EXPECT_EQ(count, 4U);
}

TEST_F(Skeletons, take_their_maps_out_of_the_kernel_with_them) {
    std::uint32_t id = 0;
    {
        ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
        ASSERT_VALUE(const auto loaded, std::move(opened).load());
        ASSERT_VALUE(const MapInfo info, map_info(bpf_map__fd(loaded->maps.counters)));
        id = info.id;
    }
    // Maps are freed behind an RCU grace period and a work queue: soon, not at once.
    bool gone = false;
    for (int i = 0; i < 200 && !gone; ++i) {
        gone = !map_by_id(id);
        ::usleep(10000);
    }
    EXPECT_TRUE(gone);
}

TEST_F(Skeletons, keep_the_end_of_the_verifiers_log) {
    ASSERT_VALUE(auto opened, Opened<kernel_refused_bpf>::open());
    testing::internal::CaptureStderr();
    const auto loaded = std::move(opened).load();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    ASSERT_FALSE(loaded);
    const Error &error = loaded.error();
    EXPECT_EQ(error.kind, Kind::unsupported);
    EXPECT_NE(error.what.find("this kernel's verifier refuses it: "), std::string::npos) << error.what;
    EXPECT_NE(error.detail.find("invalid access to packet"), std::string::npos) << error.detail;
    EXPECT_EQ(error.message().find('\n'), std::string::npos) << "an error is one line";
    EXPECT_NE(error.detail.find("END PROG LOAD LOG"), std::string::npos);
}

} // namespace
} // namespace beeline::kernel
