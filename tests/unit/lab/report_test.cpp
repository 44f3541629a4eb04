// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beeline::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What a report prints.
template <class F>
std::string printed(bool colour, F &&write) {
    char *text = nullptr;
    std::size_t size = 0;
    std::FILE *out = ::open_memstream(&text, &size);
    {
        Report report(out, colour);
        write(report);
    }
    std::fclose(out);
    std::string result(text, size);
    std::free(text);
    return result;
}

TEST(LabReport, IsGoodOnlyWhenEveryCheckHeld) {
    printed(false, [](Report &report) {
        EXPECT_FALSE(report.outcome().good()) << "nothing was checked";
        EXPECT_TRUE(report.check(true, "one"));
        EXPECT_TRUE(report.outcome().good());
        EXPECT_FALSE(report.check(false, "two", "why"));
        EXPECT_FALSE(report.outcome().good());
        EXPECT_EQ(report.outcome().checks, 2U);
        EXPECT_EQ(report.outcome().failed, 1U);
    });
}

TEST(LabReport, TellsWhyACheckFailed) {
    const std::string text = printed(false, [](Report &report) {
        report.check(false, "the thing", "the reason");
        report.finish();
    });
    EXPECT_THAT(text, HasSubstr("FAILED  the thing: the reason"));
    EXPECT_THAT(text, HasSubstr("1 of 1 checks failed"));
}

TEST(LabReport, WhatIsSkippedIsNotAFailureAndIsTold) {
    const std::string text = printed(false, [](Report &report) {
        report.check(true, "the thing");
        report.skip("the peer", "not installed");
        report.finish();
        EXPECT_TRUE(report.outcome().good());
    });
    EXPECT_THAT(text, HasSubstr("the peer: not installed"));
    EXPECT_THAT(text, HasSubstr("all 1 checks held, 1 skipped"));
}

TEST(LabReport, HasColourOnlyWhenAsked) {
    const auto write = [](Report &report) {
        report.title("title");
        report.check(true, "good");
        report.check(false, "bad");
        report.finish();
    };
    EXPECT_THAT(printed(false, write), Not(HasSubstr("\033")));
    EXPECT_THAT(printed(true, write), HasSubstr("\033[1;31mFAILED\033[0m"));
}

TEST(LabReport, AFileGetsNoColour) {
    std::FILE *file = std::tmpfile();
    EXPECT_FALSE(use_colour(file, std::nullopt));
    EXPECT_TRUE(use_colour(file, true));
    std::fclose(file);
}

TEST(LabReport, TheTableFitsEightyColumns) {
    const std::string text = printed(false, [](Report &report) {
        report.row("kernel forwarding, offload off", "14.20 [14.00-9317.1]", "917.53 [17.2-10075.6]");
        report.compare({"through a router, UDP RTT, us", "14.28", "16.16", "0.88x"});
        report.finish();
    });
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

} // namespace
} // namespace beeline::lab
