// SPDX-License-Identifier: Apache-2.0
#include "lab/bench_local.hpp"

#include <cstdlib>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beeline::lab {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct Printed {
    std::string text;
    BenchOutcome outcome;
};

Printed print(const std::vector<LocalCase> &cases, bool json = false) {
    Printed printed;
    char *text = nullptr;
    std::size_t size = 0;
    std::FILE *file = ::open_memstream(&text, &size);
    report_local(cases, {.out = file, .json = json}, 0, printed.outcome);
    std::fclose(file);
    printed.text.assign(text, size);
    std::free(text);
    return printed;
}

LocalCase stream(std::vector<double> tcp, std::vector<double> beeline) {
    return {.name = "stream-256KiB",
            .title = "a CPU each, MB/s",
            .label = "writes of 256 KiB",
            .unit = "MB/s",
            .lower_is_better = false,
            .carriers = {Carrier::tcp, Carrier::unix_socket, Carrier::short_cut},
            .goal_of_tcp = 2.2,
            .runs = {{Carrier::tcp, std::move(tcp)},
                     {Carrier::unix_socket, {10'000, 11'000}},
                     {Carrier::short_cut, std::move(beeline)}},
            .share = {0.5, 0.75}};
}

TEST(LabBenchLocal, SaysWhetherAGoalWasMet) {
    const auto met = print({stream({10'000, 10'000}, {22'000, 22'000})});
    EXPECT_THAT(met.text, testing::HasSubstr("2.20 [2.20-2.20]          >= 2.2 met\n"));
    EXPECT_EQ(met.outcome.goals, 1U) << "none is of AF_UNIX";
    EXPECT_EQ(met.outcome.goals_missed, 0U);
    const auto missed = print({stream({10'000, 10'000}, {21'900, 21'900})});
    EXPECT_THAT(missed.text, testing::HasSubstr("2.19 [2.19-2.19]      >= 2.2 NOT MET\n"));
    EXPECT_EQ(missed.outcome.goals_missed, 1U);
}

TEST(LabBenchLocal, LessIsBetterOfMicroseconds) {
    LocalCase one = stream({100}, {70});
    one.lower_is_better = true;
    one.goal_of_tcp = 0.7;
    EXPECT_THAT(print({one}).text, testing::HasSubstr("<= 0.7 met\n"));
    one.runs[Carrier::short_cut] = {71};
    EXPECT_THAT(print({one}).text, testing::HasSubstr("<= 0.7 NOT MET\n"));
}

TEST(LabBenchLocal, RunsThatWereNotByTheShortCutAreNoFigure) {
    const auto some = print({stream({10'000, 10'000}, {kNothing, 30'000})});
    EXPECT_THAT(some.text, testing::HasSubstr("30000 [30000-30000]"));
    const auto none = print({stream({10'000, 10'000}, {kNothing, kNothing})});
    EXPECT_THAT(none.text, testing::HasSubstr(">= 2.2 not measured\n"));
    EXPECT_EQ(none.outcome.goals_missed, 1U);
    const std::string rows = print({stream({10'000}, {kNothing})}, true).text;
    EXPECT_THAT(rows, testing::Not(testing::HasSubstr(R"("case":"stream-256KiB","subject":"beeline")")));
    EXPECT_THAT(rows, testing::HasSubstr(R"("case":"stream-256KiB-by-short-cut","subject":"beeline")"));
}

TEST(LabBenchLocal, Fits80Columns) {
    std::istringstream lines(print({stream({10'000, 10'000}, {kNothing, kNothing}), stream({9, 11}, {10, 2})}).text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

} // namespace
} // namespace beeline::lab
