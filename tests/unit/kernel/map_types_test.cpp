// SPDX-License-Identifier: Apache-2.0
//
// What may be a key or a value, decided by the compiler.
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/typed_map.hpp>

#include <array>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace beeline::kernel {
namespace {

struct Padded {
    std::uint32_t a;
    std::uint16_t b;
};
struct Explicit {
    std::uint32_t a;
    std::uint16_t b;
    std::uint16_t _pad;
};
struct Virtual {
    virtual ~Virtual() = default;
};

static_assert(AbiType<std::uint64_t> && AbiType<Explicit> && AbiType<std::array<std::uint8_t, 16>>);
static_assert(!AbiType<Padded>, "implicit padding would be part of the key, with any value");
static_assert(!AbiType<Virtual> && !AbiType<std::string> && !AbiType<float>);
static_assert(!std::is_copy_constructible_v<Map<std::uint32_t, Explicit>>);
static_assert(std::is_nothrow_move_constructible_v<Map<std::uint32_t, Explicit>>);

TEST(PerCpuStride, is_rounded_up_to_eight) {
    EXPECT_EQ(raw::per_cpu_stride(1), 8U);
    EXPECT_EQ(raw::per_cpu_stride(8), 8U);
    EXPECT_EQ(raw::per_cpu_stride(12), 16U);
}

TEST(MapAdopt, refuses_a_descriptor_that_is_no_map) {
    const auto map = Map<std::uint32_t, std::uint32_t>::adopt(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    ASSERT_FALSE(map);
    EXPECT_EQ(map.error().message(), "expected a BPF map, found /dev/null");
    EXPECT_FALSE((MapInMap::adopt(UniqueFd())));
}

TEST(CheckSizes, names_the_map_and_both_sizes) {
    const MapInfo info{.id = 17, .key_size = 4, .value_size = 8, .name = "edge_counters"};
    EXPECT_TRUE(raw::check_sizes(info, 4, 8));
    const auto differs = raw::check_sizes(info, 4, 16);
    ASSERT_FALSE(differs);
    EXPECT_EQ(differs.error().kind, Kind::state);
    EXPECT_EQ(differs.error().what,
              "map edge_counters (id 17) has keys of 4 B and values of 8 B, this program expects 4 B and 16 B");
}

} // namespace
} // namespace beeline::kernel
