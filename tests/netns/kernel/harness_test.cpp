// SPDX-License-Identifier: Apache-2.0
//
// The harness itself: what a test makes is gone afterwards, however it ends.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <harness/assert.hpp>
#include <harness/names.hpp>
#include <harness/temp_bpffs.hpp>
#include <harness/test_net.hpp>

namespace beeline::harness {
namespace {

namespace fs = std::filesystem;

/// A child that makes a namespace and a bpffs, tells, and waits to be killed.
pid_t make_and_wait(int tell) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto net = TestNet::create("victim");
        const auto bpffs = TempBpffs::mount();
        if (net && bpffs && ::write(tell, "x", 1) == 1)
            ::pause();
        ::_exit(1);
    }
    return child;
}

/// What a process with this id left, by the id in the names.
std::vector<fs::path> left_by(pid_t pid) {
    std::vector<fs::path> left;
    const std::string marker = "-" + std::to_string(pid) + "-";
    for (const fs::path &directory : {fs::path("/run/netns"), fs::temp_directory_path()})
        for (const auto &entry : fs::directory_iterator(directory))
            if (const std::string name = entry.path().filename();
                name.starts_with("bl-") && name.find(marker) != name.npos)
                left.push_back(entry.path());
    return left;
}

class Harness : public testing::TestWithParam<int> {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_P(Harness, leaves_nothing_when_killed) {
    { const OnExit installs_the_handlers(Leftover::cgroup, "/nonexistent"); }
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = make_and_wait(told[1]);
    ::close(told[1]);
    char byte = 0;
    ASSERT_EQ(::read(told[0], &byte, 1), 1) << "the child failed";
    ::close(told[0]);
    EXPECT_EQ(left_by(child).size(), 2U);
    ::kill(child, GetParam());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), GetParam()) << "it dies of the signal all the same";
    if (GetParam() == SIGKILL)
        sweep_leftovers(); // what the next test process does
    EXPECT_TRUE(left_by(child).empty());
}

INSTANTIATE_TEST_SUITE_P(signals, Harness, testing::Values(SIGTERM, SIGINT, SIGABRT, SIGKILL));

TEST(Names, are_of_the_test_and_short_enough) {
    EXPECT_TRUE(unique_name("x").starts_with("bl-"));
    EXPECT_NE(unique_name("x"), unique_name("y"));
    EXPECT_EQ(unique_name("x"), unique_name("x"));
    EXPECT_EQ(device_name("1234567").size(), 15U);
}

} // namespace
} // namespace beeline::harness
