// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/cgroup.hpp>

#include <gtest/gtest.h>

#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

TEST(Cgroup2Mount, is_found_on_a_unified_host) {
    ASSERT_VALUE(const auto mount,
                 cgroup2_mount_in("25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
                                  "34 25 0:29 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw\n"));
    EXPECT_EQ(mount, "/sys/fs/cgroup");
}

TEST(Cgroup2Mount, is_found_on_a_hybrid_host) {
    ASSERT_VALUE(const auto mount,
                 cgroup2_mount_in("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                                  "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                                  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"));
    EXPECT_EQ(mount, "/sys/fs/cgroup/unified");
}

TEST(Cgroup2Mount, skips_bind_mounts_of_a_part) {
    ASSERT_VALUE(const auto mount,
                 cgroup2_mount_in("40 31 0:38 /docker/abc /srv/cg rw - cgroup2 cgroup2 rw\n"
                                  "41 31 0:38 / /cg rw master:1 propagate_from:2 - cgroup2 cgroup2 rw\n"));
    EXPECT_EQ(mount, "/cg");
}

TEST(Cgroup2Mount, undoes_the_escapes) {
    ASSERT_VALUE(const auto mount, cgroup2_mount_in("41 31 0:38 / /my\\040cg\\134x rw - cgroup2 none rw\n"));
    EXPECT_EQ(mount, "/my cg\\x");
}

TEST(Cgroup2Mount, says_how_to_mount_one) {
    for (const char *text :
         {"", "garbage\n", "41 31 0:38 / /cg rw\n", "1 2 0:3 / /sys/fs/cgroup/cpu rw - cgroup c rw\n"}) {
        const auto mount = cgroup2_mount_in(text);
        ASSERT_FALSE(mount) << text;
        EXPECT_EQ(mount.error().kind, Kind::unsupported);
        EXPECT_NE(mount.error().remedy.find("mount -t cgroup2"), std::string::npos);
    }
}

} // namespace
} // namespace beeline::kernel
