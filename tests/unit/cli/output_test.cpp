// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/output.hpp"

namespace beeline::cli {
namespace {

TEST(Output, GroupsNumbers) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(grouped(~std::uint64_t{0}), "18,446,744,073,709,551,615");
}

TEST(Output, ScalesNumbersToFiveCharacters) {
    const std::pair<double, const char *> shown[] = {
        {0, "0"},          {7, "7"},           {999, "999"},     {999.6, "1.00k"},  {1000, "1.00k"},
        {12345, "12.3k"},  {123456, "123k"},   {999499, "999k"}, {999600, "1.00M"}, {14.88e6, "14.9M"},
        {99.96e6, "100M"}, {9.996e9, "10.0G"}, {1e12, "1.00T"}};
    for (const auto &[number, text] : shown)
        EXPECT_EQ(scaled(number), text) << number;
}

TEST(Output, CutsLinesAtTheWidthAndMarksIt) {
    EXPECT_EQ(fitted("0123456789", 10), "0123456789");
    EXPECT_EQ(fitted("0123456789", 9), "012345...");
    EXPECT_EQ(fitted("0123456789", std::nullopt), "0123456789");
    EXPECT_EQ(fitted("äöüäöüäöü", 8), "äöüäö...") << "characters, not bytes";
    EXPECT_EQ(fitted("0123456789", 2), "..");
}

TEST(Output, LetsNoControlCharacterThrough) {
    EXPECT_EQ(fitted("a\033[31mb\nc\x7f", std::nullopt), "a?[31mb?c?");
}

TEST(Output, AlignsColumns) {
    const Table table{{{"name"}, {"count", true}, {"text"}}, {{"a", "1", "x"}, {"long", "1,000", ""}}};
    const std::vector<std::string> lines = table_lines(table);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0], "name  count  text");
    EXPECT_EQ(lines[1], "a         1  x");
    EXPECT_EQ(lines[2], "long  1,000") << "no blanks at the end";
}

TEST(Output, CountsInWords) {
    EXPECT_EQ(plural(0, "rule"), "0 rules");
    EXPECT_EQ(plural(1, "rule"), "1 rule");
    EXPECT_EQ(plural(2, "rule"), "2 rules");
}

} // namespace
} // namespace beeline::cli
