// SPDX-License-Identifier: Apache-2.0
//
// A lab is gone afterwards, whatever way its process ends.
#include "lab/lab.hpp"

#include <array>
#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/leftovers.hpp"

namespace beeline::lab {
namespace {

namespace fs = std::filesystem;

bool mounted(const fs::path &at) {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string device, where, rest; mounts >> device >> where && std::getline(mounts, rest);) {
        if (where == at)
            return true;
    }
    return false;
}

/// A child process with a lab of that name, standing in front of a pause.
pid_t child_with_lab(const std::string &name) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0)
        return -1;
    const pid_t pid = ::fork();
    if (pid == 0) {
        auto lab = Lab::create(name);
        const bool good = lab && lab->add("a") && lab->add("b");
        [[maybe_unused]] const auto n = ::write(ready[1], good ? "y" : "n", 1);
        while (true)
            ::pause();
    }
    char answer = 'n';
    [[maybe_unused]] const auto n = ::read(ready[0], &answer, 1);
    ::close(ready[0]);
    ::close(ready[1]);
    EXPECT_EQ(answer, 'y');
    return pid;
}

int ended_by(pid_t pid, int signal) {
    int status = 0;
    ::kill(pid, signal);
    ::waitpid(pid, &status, 0);
    return status;
}

TEST(Lab, MakesNodesAndABpffsAndRemovesThem) {
    BL_NEED_ROOT();
    fs::path folder;
    {
        ASSERT_VALUE(Lab lab, Lab::create("makes"));
        ASSERT_VALUE(const Node *a, lab.add("a"));
        folder = lab.folder();
        EXPECT_EQ(a->name(), "a");
        EXPECT_TRUE(mounted(lab.bpffs()));
        EXPECT_TRUE(fs::exists("/run/netns/" + namespace_name("makes", "a", ::getpid())));
        EXPECT_EQ(Lab::traces("makes", ::getpid()).size(), 2U);
        ASSERT_OK(lab.remove());
        EXPECT_THAT(Lab::traces("makes", ::getpid()), testing::IsEmpty());
    }
    EXPECT_FALSE(mounted(folder / "bpf"));
    EXPECT_FALSE(fs::exists(folder));
}

TEST(Lab, IsRemovedAtTheEndOfItsScope) {
    BL_NEED_ROOT();
    {
        ASSERT_VALUE(Lab lab, Lab::create("scope"));
        ASSERT_OK(lab.add("a"));
    }
    EXPECT_THAT(Lab::traces("scope", ::getpid()), testing::IsEmpty());
}

TEST(Lab, HasOneOwnerOfItsNameInAProcess) {
    BL_NEED_ROOT();
    ASSERT_VALUE(Lab lab, Lab::create("owner"));
    EXPECT_FALSE(Lab::create("owner"));
    EXPECT_EQ(Lab::traces("owner", ::getpid()).size(), 1U) << "the second one removed the first one's folder";
}

TEST(Lab, NamesArePlain) {
    BL_NEED_ROOT();
    EXPECT_FALSE(Lab::create(""));
    EXPECT_FALSE(Lab::create("../etc"));
    EXPECT_FALSE(Lab::create("a-1"));
}

TEST(Lab, LeftByAKilledProcessIsSweptByTheNext) {
    BL_NEED_ROOT();
    const pid_t child = child_with_lab("killed");
    const fs::path folder = folder_of("killed", child);
    EXPECT_TRUE(WIFSIGNALED(ended_by(child, SIGKILL)));
    EXPECT_EQ(Lab::traces("killed", child).size(), 3U);
    EXPECT_TRUE(mounted(folder / "bpf"));
    ASSERT_VALUE(Lab lab, Lab::create("killed"));
    EXPECT_THAT(Lab::traces("killed", child), testing::IsEmpty());
    EXPECT_FALSE(mounted(folder / "bpf"));
}

TEST(Lab, OfALivingProcessIsNotSwept) {
    BL_NEED_ROOT();
    const pid_t child = child_with_lab("living");
    {
        ASSERT_VALUE(Lab lab, Lab::create("living"));
        EXPECT_EQ(Lab::traces("living", child).size(), 3U);
    }
    EXPECT_EQ(Lab::traces("living", child).size(), 3U);
    ended_by(child, SIGTERM);
}

class LabSignal : public testing::TestWithParam<int> {};

TEST_P(LabSignal, RemovesTheLabAndEndsTheProcess) {
    BL_NEED_ROOT();
    const pid_t child = child_with_lab("signal");
    const int status = ended_by(child, GetParam());
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 128 + GetParam());
    EXPECT_THAT(Lab::traces("signal", child), testing::IsEmpty());
    EXPECT_FALSE(mounted(folder_of("signal", child) / "bpf"));
}

INSTANTIATE_TEST_SUITE_P(All, LabSignal, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(Lab, SettingsOfANodeStayInIt) {
    BL_NEED_ROOT();
    const auto forwarding = [] {
        std::string value;
        std::ifstream("/proc/sys/net/ipv4/ip_forward") >> value;
        return value;
    };
    const std::string before = forwarding();
    ASSERT_VALUE(Lab lab, Lab::create("settings"));
    ASSERT_VALUE(const Node *a, lab.add("a"));
    ASSERT_OK(a->set_sysctl("ipv4/ip_forward", before == "1" ? "0" : "1"));
    ASSERT_VALUE(const std::string inside, a->within([&]() -> Result<std::string> { return forwarding(); }));
    EXPECT_NE(inside, before);
    EXPECT_EQ(forwarding(), before);
    EXPECT_FALSE(a->set_sysctl("no/such/setting", "1"));
}

} // namespace
} // namespace beeline::lab
