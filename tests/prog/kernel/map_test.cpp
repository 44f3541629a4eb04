// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/typed_map.hpp>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <beeline/kernel/prog.hpp>
#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

using IntMap = Map<std::uint32_t, std::uint64_t>;

Result<UniqueFd> int_map(bpf_map_type type, std::uint32_t entries, std::uint32_t flags = 0) {
    return create_map({.type = type,
                       .name = "bl_test",
                       .key_size = sizeof(std::uint32_t),
                       .value_size = sizeof(std::uint64_t),
                       .max_entries = entries,
                       .flags = flags});
}

class Maps : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Maps, tell_what_they_are) {
    ASSERT_VALUE(const UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, 12));
    ASSERT_VALUE(const MapInfo info, map_info(fd.get()));
    EXPECT_EQ(info.type, BPF_MAP_TYPE_HASH);
    EXPECT_EQ(info.name, "bl_test");
    EXPECT_EQ(info.key_size, 4U);
    EXPECT_EQ(info.value_size, 8U);
    EXPECT_EQ(info.max_entries, 12U);
    EXPECT_FALSE(info.per_cpu());
    ASSERT_VALUE(const UniqueFd again, map_by_id(info.id));
    ASSERT_VALUE(const MapInfo same, map_info(again.get()));
    EXPECT_EQ(same.id, info.id);
}

TEST_F(Maps, cannot_be_adopted_with_other_sizes) {
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, 1));
    ASSERT_VALUE(const MapInfo info, map_info(fd.get()));
    const auto map = Map<std::uint64_t, std::uint16_t>::share(fd.get());
    ASSERT_FALSE(map);
    EXPECT_EQ(map.error().what, "map bl_test (id " + std::to_string(info.id) +
                                    ") has keys of 4 B and values of 8 B, this program expects 8 B and 2 B");
    EXPECT_EQ(map.error().kind, Kind::state);
    ASSERT_OK(IntMap::adopt(std::move(fd)));
}

TEST_F(Maps, cannot_be_adopted_from_a_program) {
    ASSERT_VALUE(UniqueFd prog, load_xdp_constant(XDP_PASS));
    const auto map = IntMap::adopt(std::move(prog));
    ASSERT_FALSE(map);
    EXPECT_EQ(map.error().what, "expected a BPF map, found a BPF program");
}

TEST_F(Maps, hold_replace_and_lose_entries) {
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, 4));
    ASSERT_VALUE(IntMap map, IntMap::adopt(std::move(fd)));
    ASSERT_VALUE(const auto nothing, map.lookup(7));
    EXPECT_FALSE(nothing);
    ASSERT_OK(map.update(7, 70, Update::insert));
    EXPECT_EQ(map.update(7, 71, Update::insert).error().code, EEXIST);
    EXPECT_EQ(map.update(8, 80, Update::replace).error().code, ENOENT);
    ASSERT_OK(map.update(7, 72));
    ASSERT_VALUE(const auto found, map.lookup(7));
    EXPECT_EQ(found, 72U);
    ASSERT_VALUE(const bool erased, map.erase(7));
    EXPECT_TRUE(erased);
    ASSERT_VALUE(const bool again, map.erase(7));
    EXPECT_FALSE(again);
}

TEST_F(Maps, say_when_they_are_full) {
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, 2));
    ASSERT_VALUE(IntMap map, IntMap::adopt(std::move(fd)));
    ASSERT_OK(map.update(1, 1));
    ASSERT_OK(map.update(2, 2));
    const auto full = map.update(3, 3);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, E2BIG);
    EXPECT_NE(full.error().what.find("full at 2 entries"), std::string::npos) << full.error().what;
}

/// Batches of 1024 must fit together: 5000 entries take several, and hash buckets are taken whole.
TEST_F(Maps, list_every_entry_once) {
    constexpr std::uint32_t kEntries = 5000;
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, kEntries));
    ASSERT_VALUE(IntMap map, IntMap::adopt(std::move(fd)));
    for (std::uint32_t i = 0; i < kEntries; ++i)
        ASSERT_OK(map.update(i, i * 3ULL));
    ASSERT_VALUE(auto entries, map.entries());
    std::sort(entries.begin(), entries.end());
    ASSERT_EQ(entries.size(), kEntries);
    for (std::uint32_t i = 0; i < kEntries; ++i)
        ASSERT_EQ(entries[i], (std::pair<std::uint32_t, std::uint64_t>(i, i * 3ULL)));
    ASSERT_VALUE(const auto keys, map.keys());
    EXPECT_EQ(keys.size(), kEntries);
    std::uint64_t sum = 0;
    ASSERT_OK(map.for_each([&sum](std::uint32_t, std::uint64_t value) { sum += value; }));
    EXPECT_EQ(sum, 3ULL * kEntries * (kEntries - 1) / 2);
    ASSERT_OK(map.clear());
    ASSERT_VALUE(const auto left, map.entries());
    EXPECT_TRUE(left.empty());
}

TEST_F(Maps, list_arrays_by_index) {
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_ARRAY, 3));
    ASSERT_VALUE(IntMap map, IntMap::adopt(std::move(fd)));
    ASSERT_OK(map.update(2, 9));
    ASSERT_VALUE(const auto entries, map.entries());
    EXPECT_EQ(entries, (std::vector<IntMap::Entry>{{0, 0}, {1, 0}, {2, 9}}));
    EXPECT_FALSE(map.update(3, 0));
}

/// Types without batch operations are walked key by key.
TEST_F(Maps, list_types_without_batches) {
    ASSERT_VALUE(UniqueFd fd,
                 create_map({.type = BPF_MAP_TYPE_CPUMAP, .name = "bl_test", .value_size = 4, .max_entries = 2}));
    ASSERT_VALUE(auto map, (Map<std::uint32_t, std::uint32_t>::adopt(std::move(fd))));
    ASSERT_OK(map.update(0, 192)); // queue size
    ASSERT_VALUE(const auto entries, map.entries());
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0], (std::pair<std::uint32_t, std::uint32_t>(0, 192)));
    ASSERT_VALUE(const auto keys, map.keys());
    EXPECT_EQ(keys.size(), 2U); // an array type: every index is a key
}

struct LpmKey {
    std::uint32_t bits;
    std::array<std::uint8_t, 4> address;
    auto operator<=>(const LpmKey &) const = default;
};

TEST_F(Maps, match_the_longest_prefix) {
    const MapSpec spec{.type = BPF_MAP_TYPE_LPM_TRIE,
                       .name = "bl_test",
                       .key_size = sizeof(LpmKey),
                       .value_size = 4,
                       .max_entries = 10,
                       .flags = BPF_F_NO_PREALLOC};
    ASSERT_VALUE(UniqueFd fd, create_map(spec));
    ASSERT_VALUE(auto map, (LpmMap<LpmKey, std::uint32_t>::adopt(std::move(fd))));
    ASSERT_OK(map.update({8, {10, 0, 0, 0}}, 8));
    ASSERT_OK(map.update({24, {10, 1, 2, 0}}, 24));
    ASSERT_VALUE(const auto inside, map.lookup({32, {10, 1, 2, 3}}));
    EXPECT_EQ(inside, 24U);
    ASSERT_VALUE(const auto beside, map.lookup({32, {10, 9, 2, 3}}));
    EXPECT_EQ(beside, 8U);
    ASSERT_VALUE(const auto outside, map.lookup({32, {11, 1, 2, 3}}));
    EXPECT_FALSE(outside);
    ASSERT_VALUE(auto entries, map.entries());
    std::sort(entries.begin(), entries.end());
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].second, 8U);
    EXPECT_EQ(entries[1].second, 24U);
}

TEST_F(Maps, are_no_lpm_tries_by_size_alone) {
    ASSERT_VALUE(UniqueFd fd, create_map({.type = BPF_MAP_TYPE_HASH, .name = "bl_test", .key_size = sizeof(LpmKey)}));
    const auto map = LpmMap<LpmKey, std::uint32_t>::adopt(std::move(fd));
    ASSERT_FALSE(map);
    EXPECT_NE(map.error().what.find("is no LPM trie"), std::string::npos);
}

TEST_F(Maps, can_be_read_only) {
    ASSERT_VALUE(UniqueFd fd, int_map(BPF_MAP_TYPE_HASH, 4));
    ASSERT_VALUE(IntMap map, IntMap::share(fd.get()));
    ASSERT_OK(map.update(1, 11));
    ASSERT_VALUE(IntMap other, IntMap::share(fd.get()));
    const ReadOnly<IntMap> view(std::move(other));
    static_assert(std::is_const_v<std::remove_reference_t<decltype(*view)>>);
    ASSERT_VALUE(const auto found, view->lookup(1));
    EXPECT_EQ(found, 11U);
}

TEST_F(Maps, say_what_could_not_be_made) {
    const auto fd = create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_test", .key_size = 3});
    ASSERT_FALSE(fd);
    EXPECT_EQ(fd.error().code, EINVAL);
    EXPECT_NE(fd.error().what.find("create map bl_test (type 2, key 3 B, value 4 B, 1 entries)"), std::string::npos)
        << fd.error().what;
}

} // namespace
} // namespace beeline::kernel
