// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/cgroup.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <harness/assert.hpp>
#include <harness/names.hpp>

namespace beeline::kernel {
namespace {

class Cgroups : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (const auto mount = cgroup2_mount(); !mount)
            GTEST_SKIP() << mount.error().message();
    }
};

TEST_F(Cgroups, are_made_found_and_removed) {
    const std::string path = "/" + harness::unique_name("cg");
    std::filesystem::path directory;
    {
        ASSERT_VALUE(const Cgroup cgroup, Cgroup::create(path));
        directory = cgroup.directory();
        EXPECT_TRUE(std::filesystem::exists(directory / "cgroup.procs"));
        ASSERT_VALUE(const std::uint64_t id, cgroup.id());
        ASSERT_VALUE(const Cgroup same, Cgroup::open(path));
        EXPECT_EQ(same.id(), id);
        EXPECT_EQ(Cgroup::create(path).error().code, EEXIST);
        ASSERT_VALUE(const Cgroup root, Cgroup::open("/"));
        EXPECT_NE(root.id(), id);
    }
    EXPECT_FALSE(std::filesystem::exists(directory));
    EXPECT_EQ(Cgroup::open(path).error().code, ENOENT);
}

TEST_F(Cgroups, hold_processes_and_stay_while_they_do) {
    ASSERT_VALUE(Cgroup cgroup, Cgroup::create("/" + harness::unique_name("cg")));
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    ASSERT_OK(cgroup.add(child));
    ASSERT_VALUE(const Cgroup found, Cgroup::of_process(child));
    EXPECT_EQ(found.id(), cgroup.id());
    const auto busy = cgroup.remove();
    EXPECT_FALSE(busy);
    EXPECT_EQ(busy.error().kind, Kind::conflict);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_OK(cgroup.remove());
}

} // namespace
} // namespace beeline::kernel
