// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/map_in_map.hpp>

#include <cerrno>

#include <gtest/gtest.h>

#include <beeline/kernel/typed_map.hpp>
#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

Result<UniqueFd> inner(std::uint32_t value_size = 4) {
    return create_map({.type = BPF_MAP_TYPE_HASH, .name = "bl_inner", .value_size = value_size, .max_entries = 8});
}

class MapsInMaps : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(const UniqueFd shape, inner());
        ASSERT_VALUE(fd_, create_map({.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                      .name = "bl_outer",
                                      .max_entries = 2,
                                      .inner_map_fd = shape.get()}));
    }
    UniqueFd fd_;
};

TEST_F(MapsInMaps, swap_a_whole_table_by_one_write) {
    ASSERT_VALUE(MapInMap outer, MapInMap::adopt(std::move(fd_)));
    ASSERT_VALUE(const auto empty, outer.lookup(0));
    EXPECT_FALSE(empty);
    for (std::uint32_t version = 1; version <= 2; ++version) {
        ASSERT_VALUE(UniqueFd fd, inner());
        ASSERT_VALUE(auto table, (Map<std::uint32_t, std::uint32_t>::adopt(std::move(fd))));
        ASSERT_OK(table.update(9, version));
        ASSERT_OK(outer.update(0, table.fd()));
        ASSERT_VALUE(const auto id, outer.lookup_id(0));
        EXPECT_EQ(id, table.info().id);
        ASSERT_VALUE(auto live, outer.lookup(0));
        ASSERT_TRUE(live);
        ASSERT_VALUE(const auto reopened, (Map<std::uint32_t, std::uint32_t>::adopt(*std::move(live))));
        ASSERT_VALUE(const auto value, reopened.lookup(9));
        EXPECT_EQ(value, version);
    }
    ASSERT_VALUE(const bool erased, outer.erase(0));
    EXPECT_TRUE(erased);
    ASSERT_VALUE(const auto again, outer.lookup(0));
    EXPECT_FALSE(again);
}

TEST_F(MapsInMaps, refuse_another_shape) {
    ASSERT_VALUE(MapInMap outer, MapInMap::adopt(std::move(fd_)));
    ASSERT_VALUE(const UniqueFd other, inner(16));
    const auto refused = outer.update(0, other.get());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EINVAL);
    EXPECT_NE(refused.error().remedy.find("template"), std::string::npos);
}

TEST_F(MapsInMaps, are_not_plain_arrays) {
    ASSERT_VALUE(UniqueFd plain, create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_test"}));
    EXPECT_FALSE(MapInMap::adopt(std::move(plain)));
}

} // namespace
} // namespace beeline::kernel
