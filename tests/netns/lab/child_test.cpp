// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/command.hpp>

#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/lab.hpp"

namespace beeline::lab {
namespace {

TEST(LabChild, GetsItsInputAndGivesItsOutput) {
    const std::string much(300'000, 'x'); // More than a pipe holds.
    ASSERT_VALUE(const Finished cat, run({.words = {"cat"}, .input = much}));
    EXPECT_EQ(cat.status, 0);
    EXPECT_EQ(cat.output, much);
}

TEST(LabChild, ThatDoesNotReadItsInputIsNoProblem) {
    ASSERT_VALUE(const Finished done, run({.words = {"true"}, .input = std::string(300'000, 'x')}));
    EXPECT_EQ(done.status, 0);
}

TEST(LabChild, TellsItsExitStatusAndItsLastWords) {
    const Command command{.words = {"sh", "-c", "echo first; echo last >&2; exit 3"}};
    ASSERT_VALUE(const Finished done, run(command));
    EXPECT_EQ(done.status, 3);
    const auto checked = run_checked(command);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().what.find("exit status 3: last"), std::string::npos) << checked.error().what;
}

TEST(LabChild, ThatTakesTooLongIsKilled) {
    const auto done = run({.words = {"sleep", "60"}, .timeout = std::chrono::milliseconds(100)});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ETIMEDOUT);
}

TEST(LabChild, ThatIsNotInstalledIsAnError) {
    EXPECT_FALSE(run({.words = {"no-such-program-here"}}));
    EXPECT_FALSE(run({.words = {}}));
    EXPECT_FALSE(find_program("no-such-program-here"));
    EXPECT_TRUE(find_program("sh"));
}

TEST(LabChild, SeesTheEnvironmentItIsGiven) {
    ASSERT_VALUE(const Finished done, run({.words = {"sh", "-c", "echo $BL_WORD"}, .environment = {"BL_WORD=here"}}));
    EXPECT_EQ(done.output, "here\n");
}

TEST(LabChild, RunsInTheNodeAndHasItsSignalsBack) {
    BL_NEED_ROOT();
    ASSERT_VALUE(Lab lab, Lab::create("child"));
    ASSERT_VALUE(const Node *a, lab.add("a"));
    ASSERT_VALUE(const std::string devices, a->run({.words = {"ls", "/proc/self/net/dev_snmp6"}}));
    EXPECT_EQ(devices, "lo\n");
    // The lab has SIGTERM blocked; a program that it starts must not.
    ASSERT_VALUE(const Finished done, run({.words = {"sh", "-c", "kill -TERM $$; sleep 5"}}));
    EXPECT_EQ(done.status, 128 + SIGTERM);
}

} // namespace
} // namespace beeline::lab
