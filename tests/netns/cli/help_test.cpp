// SPDX-License-Identifier: Apache-2.0
//
// What the command line says about itself. Needs no privilege.
#include <sstream>

#include <gmock/gmock.h>

#include "netns/cli/program.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kCommands = {"doctor", "check",  "plan", "up",      "confirm", "down",
                                            "reload", "status", "top",  "explain", "replay",  "set",
                                            "guest",  "local",  "demo", "bench",   "run"};

class Help : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Help, HasAnExampleAndFits80Columns) {
    std::vector<std::string> arguments = GetParam();
    arguments.emplace_back("--help");
    const Ended ended = run_program(arguments);
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    EXPECT_THAT(ended.out, HasSubstr("Example:\n  "));
    EXPECT_THAT(ended.out, HasSubstr("beeline"));
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

std::vector<std::vector<std::string>> all_commands() {
    std::vector<std::vector<std::string>> all = {{},
                                                 {"set", "add"},
                                                 {"set", "del"},
                                                 {"set", "list"},
                                                 {"guest", "add"},
                                                 {"guest", "del"},
                                                 {"guest", "list"},
                                                 {"guest", "show"},
                                                 {"local", "list"}};
    for (const std::string &command : kCommands)
        all.push_back({command});
    return all;
}

INSTANTIATE_TEST_SUITE_P(All, Help, testing::ValuesIn(all_commands()), [](const auto &instance) {
    std::string name = "beeline";
    for (const std::string &word : instance.param)
        name += "_" + word;
    return name;
});

TEST(CommandLine, TheHelpNamesEveryCommand) {
    const Ended ended = run_program({"--help"});
    for (const std::string &command : kCommands)
        EXPECT_THAT(ended.out, HasSubstr("\n  " + command + " "));
}

TEST(CommandLine, TellsItsVersion) {
    const Ended ended = run_program({"--version"});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.out, testing::MatchesRegex("beeline [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

class WrongUsage : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(WrongUsage, IsStatus2AndOneLine) {
    const Ended ended = run_program(GetParam());
    EXPECT_EQ(ended.status, 2);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, testing::StartsWith("beeline: "));
    EXPECT_THAT(ended.err, HasSubstr("--help"));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongUsage,
    testing::Values(std::vector<std::string>{}, std::vector<std::string>{"dwon"},
                    std::vector<std::string>{"status", "--jsno"}, std::vector<std::string>{"set"},
                    std::vector<std::string>{"set", "add"}, std::vector<std::string>{"set", "add", "name"},
                    std::vector<std::string>{"replay"}, std::vector<std::string>{"explain", "--packet", "many", "x"},
                    std::vector<std::string>{"check", "one", "two"}, std::vector<std::string>{"--pins"}));

} // namespace
} // namespace beeline::cli_test
