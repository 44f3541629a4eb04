// SPDX-License-Identifier: Apache-2.0
//
// Links on cgroups and sockmaps, and what is no link.
#include <beeline/kernel/link.hpp>

#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include <beeline/kernel/cgroup.hpp>
#include <beeline/kernel/features.hpp>
#include <beeline/kernel/map.hpp>
#include <harness/assert.hpp>
#include <harness/names.hpp>
#include <harness/temp_bpffs.hpp>

#include <beeline/kernel/prog.hpp>

namespace beeline::kernel {
namespace {

Result<UniqueFd> returns(bpf_prog_type type, std::int32_t value, std::uint32_t attach_type, const char *name) {
    const std::array insns{
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = value},
        bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return load_program({.type = type, .insns = insns, .name = name, .expected_attach_type = attach_type});
}

class Links : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Links, on_a_cgroup_stand_beside_others) {
    if (const auto cgroups = require(FeatureId::cgroup_link); !cgroups)
        GTEST_SKIP() << cgroups.error().message();
    ASSERT_VALUE(const Cgroup cgroup, Cgroup::create("/" + harness::unique_name("cg")));
    ASSERT_VALUE(const std::uint64_t cgroup_id, cgroup.id());
    ASSERT_VALUE(const UniqueFd one, returns(BPF_PROG_TYPE_CGROUP_SKB, 1, BPF_CGROUP_INET_EGRESS, "bl_one"));
    ASSERT_VALUE(const UniqueFd two, returns(BPF_PROG_TYPE_CGROUP_SKB, 1, BPF_CGROUP_INET_EGRESS, "bl_two"));
    ASSERT_VALUE(const Link first, Link::attach_cgroup(one.get(), cgroup.fd(), BPF_CGROUP_INET_EGRESS));
    {
        ASSERT_VALUE(const Link second, Link::attach_cgroup(two.get(), cgroup.fd(), BPF_CGROUP_INET_EGRESS));
        ASSERT_VALUE(const LinkInfo info, second.info());
        EXPECT_EQ(info.type, 3U);
        EXPECT_EQ(info.cgroup_id, cgroup_id);
        EXPECT_EQ(info.attach_type, static_cast<std::uint32_t>(BPF_CGROUP_INET_EGRESS));
        ASSERT_VALUE(const HookState both, cgroup_query(cgroup.fd(), BPF_CGROUP_INET_EGRESS));
        EXPECT_EQ(both.entries.size(), 2U);
    }
    ASSERT_VALUE(const HookState left, cgroup_query(cgroup.fd(), BPF_CGROUP_INET_EGRESS));
    ASSERT_EQ(left.entries.size(), 1U);
    ASSERT_VALUE(const ProgInfo info, prog_info(one.get()));
    EXPECT_EQ(left.entries[0].prog_id, info.id);
}

TEST_F(Links, on_a_sockmap_hold_its_place) {
    if (const auto sockmaps = require(FeatureId::sockmap_link); !sockmaps)
        GTEST_SKIP() << sockmaps.error().message();
    ASSERT_VALUE(const UniqueFd map, create_map({.type = BPF_MAP_TYPE_SOCKMAP, .name = "bl_socks"}));
    ASSERT_VALUE(const MapInfo map_description, map_info(map.get()));
    ASSERT_VALUE(const UniqueFd one, returns(BPF_PROG_TYPE_SK_MSG, 1, 0, "bl_one"));
    ASSERT_VALUE(const UniqueFd two, returns(BPF_PROG_TYPE_SK_MSG, 1, 0, "bl_two"));
    ASSERT_VALUE(const Link link, Link::attach_sockmap(one.get(), map.get(), BPF_SK_MSG_VERDICT));
    ASSERT_VALUE(const LinkInfo info, link.info());
    EXPECT_EQ(info.type, 14U);
    EXPECT_EQ(info.map_id, map_description.id);
    const auto held = Link::attach_sockmap(two.get(), map.get(), BPF_SK_MSG_VERDICT);
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().kind, Kind::conflict) << held.error().message();
}

TEST_F(Links, are_not_pinned_maps) {
    ASSERT_VALUE(const auto bpffs, harness::TempBpffs::mount());
    ASSERT_VALUE(const UniqueFd map, create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_map"}));
    ASSERT_OK(pin_object(map.get(), bpffs.path() / "thing"));
    const auto link = Link::from_pin(bpffs.path() / "thing");
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().kind, Kind::state);
    EXPECT_EQ(link.error().what, (bpffs.path() / "thing").native() + ": expected a BPF link, found a BPF map");
}

TEST_F(Links, and_pins_say_what_is_wrong_with_a_path) {
    ASSERT_VALUE(const auto bpffs, harness::TempBpffs::mount());
    ASSERT_VALUE(const UniqueFd map, create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_map"}));
    const auto dotted = pin_object(map.get(), bpffs.path() / "v1.2");
    ASSERT_FALSE(dotted);
    EXPECT_EQ(dotted.error().remedy, "bpffs takes no dots in names");
    const auto elsewhere = pin_object(map.get(), std::filesystem::temp_directory_path() / harness::unique_name("pin"));
    ASSERT_FALSE(elsewhere);
    EXPECT_NE(elsewhere.error().remedy.find("bpffs"), std::string::npos) << elsewhere.error().message();
    EXPECT_EQ(pinned_object(bpffs.path() / "nothing").error().code, ENOENT);
}

} // namespace
} // namespace beeline::kernel
