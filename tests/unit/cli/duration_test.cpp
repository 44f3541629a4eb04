// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/duration.hpp"

namespace beeline::cli {
namespace {

TEST(Duration, ReadsUnitsFromLargeToSmall) {
    const std::pair<const char *, int> good[] = {{"1s", 1},       {"60s", 60},        {"10m", 600},   {"2h", 7200},
                                                 {"1h30m", 5400}, {"1d", 86400},      {"1w", 604800}, {"1d1s", 86401},
                                                 {"0h5s", 5},     {"500w", 302400000}};
    for (const auto &[text, seconds] : good) {
        const auto read = read_duration(text);
        ASSERT_TRUE(read.has_value()) << text << ": " << read.error().message();
        EXPECT_EQ(read->count(), seconds) << text;
    }
}

TEST(Duration, RefusesWhatIsNone) {
    for (const char *text : {"", "s", "60", "-5s", "5x", "1.5h", "5 s", "5s5m", "5s5s", "0s", "99999999999999999999s",
                             "9999w", "+5s", "5S", " 5s", "0x5s"}) {
        const auto read = read_duration(text);
        ASSERT_FALSE(read.has_value()) << text;
        EXPECT_EQ(read.error().kind, Kind::usage);
        EXPECT_NE(read.error().message().find(std::string("'") + text + "'"), std::string::npos);
    }
}

TEST(Duration, ShowsTheTwoLargestUnits) {
    const std::pair<int, const char *> shown[] = {{0, "0 s"},        {59, "59 s"},       {60, "1 min"},
                                                  {61, "1 min 1 s"}, {3600, "1 h"},      {3661, "1 h 1 min"},
                                                  {86400, "1 d"},    {90061, "1 d 1 h"}, {864000, "10 d"}};
    for (const auto &[seconds, text] : shown)
        EXPECT_EQ(to_text(std::chrono::seconds(seconds)), text);
}

} // namespace
} // namespace beeline::cli
