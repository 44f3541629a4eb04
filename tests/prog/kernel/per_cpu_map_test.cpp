// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/per_cpu_map.hpp>

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include <beeline/kernel/counters.hpp>
#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

struct Traffic {
    std::uint32_t packets;
    std::uint32_t bytes;
    std::uint32_t drops; // 12 bytes: the kernel's stride is 16
    Traffic &operator+=(const Traffic &other) {
        packets += other.packets;
        bytes += other.bytes;
        drops += other.drops;
        return *this;
    }
};

Result<UniqueFd> per_cpu(bpf_map_type type, std::uint32_t value_size, std::uint32_t entries) {
    return create_map({.type = type, .name = "bl_test", .value_size = value_size, .max_entries = entries});
}

class PerCpuMaps : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(PerCpuMaps, have_a_value_for_every_possible_cpu) {
    ASSERT_VALUE(const unsigned cpus, possible_cpus());
    ASSERT_VALUE(UniqueFd fd, per_cpu(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(Traffic), 2));
    ASSERT_VALUE(auto map, (PerCpuMap<std::uint32_t, Traffic>::adopt(std::move(fd))));
    std::vector<Traffic> values;
    for (std::uint32_t cpu = 0; cpu < cpus; ++cpu)
        values.push_back({cpu + 1, 100 * cpu, 7});
    ASSERT_OK(map.update(1, values));
    ASSERT_VALUE(const auto found, map.lookup(1));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), cpus);
    for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
        EXPECT_EQ((*found)[cpu].packets, cpu + 1);
        EXPECT_EQ((*found)[cpu].bytes, 100 * cpu);
    }
    ASSERT_VALUE(const Traffic sum, map.sum(1));
    EXPECT_EQ(sum.packets, cpus * (cpus + 1) / 2);
    EXPECT_EQ(sum.drops, 7 * cpus);
    ASSERT_VALUE(const Traffic most, map.sum(1, [](Traffic &total, const Traffic &one) {
        total.packets = std::max(total.packets, one.packets);
    }));
    EXPECT_EQ(most.packets, cpus);
}

TEST_F(PerCpuMaps, sum_up_missing_keys_to_zero) {
    ASSERT_VALUE(UniqueFd fd, per_cpu(BPF_MAP_TYPE_PERCPU_HASH, 8, 4));
    ASSERT_VALUE(auto map, CounterMap::adopt(std::move(fd)));
    ASSERT_VALUE(const auto nothing, map.lookup(3));
    EXPECT_FALSE(nothing);
    ASSERT_VALUE(const std::uint64_t sum, map.sum(3));
    EXPECT_EQ(sum, 0U);
}

TEST_F(PerCpuMaps, list_all_entries) {
    ASSERT_VALUE(UniqueFd fd, per_cpu(BPF_MAP_TYPE_PERCPU_HASH, 8, 3000));
    ASSERT_VALUE(auto map, CounterMap::adopt(std::move(fd)));
    for (std::uint32_t i = 0; i < 3000; ++i)
        ASSERT_OK(map.fill(i, i));
    ASSERT_VALUE(auto entries, map.entries());
    std::sort(entries.begin(), entries.end());
    ASSERT_EQ(entries.size(), 3000U);
    for (std::uint32_t i = 0; i < 3000; ++i)
        ASSERT_EQ(entries[i].second, std::vector<std::uint64_t>(map.cpus(), i));
    ASSERT_VALUE(const bool erased, map.erase(5));
    EXPECT_TRUE(erased);
}

TEST_F(PerCpuMaps, refuse_a_wrong_number_of_values) {
    ASSERT_VALUE(UniqueFd fd, per_cpu(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 1));
    ASSERT_VALUE(auto map, CounterMap::adopt(std::move(fd)));
    EXPECT_FALSE(map.update(0, std::vector<std::uint64_t>(map.cpus() + 1)));
}

TEST_F(PerCpuMaps, and_plain_maps_are_told_apart) {
    ASSERT_VALUE(UniqueFd plain, create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_test", .value_size = 8}));
    const auto wrong = CounterMap::adopt(std::move(plain));
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().what.find("does not keep a value per CPU"), std::string::npos);
    ASSERT_VALUE(UniqueFd per, per_cpu(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 1));
    const auto also_wrong = Map<std::uint32_t, std::uint64_t>::adopt(std::move(per));
    ASSERT_FALSE(also_wrong);
    EXPECT_NE(also_wrong.error().what.find("keeps a value per CPU"), std::string::npos);
}

TEST_F(PerCpuMaps, are_read_as_named_counters) {
    constexpr std::array<std::string_view, 3> kNames{"passed", "", "errors__no_sock"};
    ASSERT_VALUE(UniqueFd fd, per_cpu(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 3));
    ASSERT_VALUE(auto map, CounterMap::adopt(std::move(fd)));
    ASSERT_OK(map.fill(0, 2));
    ASSERT_OK(map.fill(1, 50)); // a retired number is not shown
    ASSERT_OK(map.fill(2, 3));
    ASSERT_VALUE(const NamedCounters counters, read_counters(map, kNames));
    EXPECT_EQ(counters, (NamedCounters{{"passed", 2ULL * map.cpus()}, {"errors__no_sock", 3ULL * map.cpus()}}));

    constexpr std::array<std::string_view, 4> kNewer{"a", "b", "c", "d"};
    const auto newer = read_counters(map, kNewer);
    ASSERT_FALSE(newer);
    EXPECT_NE(newer.error().what.find("has 3 counters, 4 are expected"), std::string::npos);
}

} // namespace
} // namespace beeline::kernel
