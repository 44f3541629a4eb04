// SPDX-License-Identifier: Apache-2.0
//
// The place of a word inside the strings of a TOML file: quotes, escapes, several lines.
#include <string>

#include <gtest/gtest.h>

#include <beeline/config/config.hpp>

namespace beeline::config {
namespace {

/// The text of the only diagnostic about a file with these rules.
std::string said(const std::string &rules, const std::string &before = "") {
    const auto [config, diagnostics] =
        parse(before + "[edge]\ndevices = [\"eth0\"]\nrules = [\n" + rules + "\n]\n", "c");
    EXPECT_EQ(diagnostics.size(), 1u) << rules;
    return diagnostics.empty() ? "" : diagnostics.front().text();
}

TEST(Place, IsInsideTheQuotes) {
    EXPECT_EQ(said("  \"tcp dpotr 22 -> drop\","), "c:4:8: error: unknown match 'dpotr'\n"
                                                   "    \"tcp dpotr 22 -> drop\",\n"
                                                   "         ^~~~~\n"
                                                   "    expected a match, 'rate' or '->'; did you mean 'dport'?");
    EXPECT_TRUE(said("  'tcp dpotr 22 -> drop',").starts_with("c:4:8: "));
    EXPECT_TRUE(said("\"udp -> pass\", \"tcp dpotr 22 -> drop\"").starts_with("c:4:21: "));
    EXPECT_TRUE(said("\t\"udp -> pass\",\t\t\"tcp dpotr 22 -> drop\"").starts_with("c:4:23: "));
}

TEST(Place, CountsBytesNotCharacters) {
    EXPECT_TRUE(said("\"\xc3\xbc -> drop\"").starts_with("c:4:2: "));
    // Two characters of three bytes in a string in front of it on the same line.
    EXPECT_EQ(said("\"device '\xe2\x82\xac\xe2\x82\xac' src 10.0.0.300 -> drop\""),
              "c:4:22: error: '10.0.0.300' is not an address\n"
              "    \"device '\xe2\x82\xac\xe2\x82\xac' src 10.0.0.300 -> drop\"\n"
              "                     ^~~~~~~~~~\n"
              "    expected an address, a prefix, a list {a, b} or @set");
    EXPECT_TRUE(said("\"device !'\xe2\x82\xac' -> pass\", \"dpotr 5 -> drop\"").starts_with("c:4:27: "));
}

TEST(Place, IsBehindEscapes) {
    EXPECT_EQ(said(R"("tcp \t dport\u0020x -> drop")"),
              "c:4:20: error: unknown name 'x'\n"
              "    \"tcp \\t dport\\u0020x -> drop\"\n"
              "                       ^\n"
              "    expected a port, a range 80-90, a service, a list {80, 443} or @set");
    // A word with escapes inside is underlined as it is written.
    EXPECT_EQ(said(R"("dp\u006ftr 5 -> drop")"), "c:4:2: error: unknown match 'dpotr'\n"
                                                 "    \"dp\\u006ftr 5 -> drop\"\n"
                                                 "     ^~~~~~~~~~\n"
                                                 "    expected a match, 'rate' or '->'; did you mean 'dport'?");
}

TEST(Place, IsOnTheRightOfSeveralLines) {
    EXPECT_EQ(said("\"\"\"\n  tcp\n    dpotr 22\n  -> drop\"\"\""),
              "c:6:5: error: unknown match 'dpotr'\n"
              "    dpotr 22\n"
              "    ^~~~~\n"
              "    expected a match, 'rate' or '->'; did you mean 'dport'?");
    EXPECT_TRUE(said("'''tcp\r\n dpotr 22 -> drop'''").starts_with("c:5:2: "));
    EXPECT_TRUE(said("\"\"\"tcp \\\n\n   dpotr 22 -> drop\"\"\"").starts_with("c:6:4: "));
    EXPECT_TRUE(said("\"\"\"tcp -> 'a\"\" b' \"\"\"").starts_with("c:4:11: ")); // quotes in a string of three
}

TEST(Place, OfWhatIsMissingIsTheEnd) {
    EXPECT_TRUE(said("\"tcp\"").starts_with("c:4:5: error: the rule ends"));
    EXPECT_TRUE(said("\"\"").starts_with("c:4:2: error: the rule is empty"));
}

TEST(Place, IsNotMovedByAByteOrderMark) {
    EXPECT_TRUE(said("\"dpotr 5 -> drop\"", "\xef\xbb\xbf").starts_with("c:4:2: "));
    const auto [config, diagnostics] = parse("\xef\xbb\xbfhots = 5\n", "c");
    ASSERT_EQ(diagnostics.size(), 1u);
    EXPECT_EQ(diagnostics[0].where.column, 1u);
}

TEST(Place, SurvivesCarriageReturns) {
    const auto [config, diagnostics] =
        parse("[host]\r\npinz = 5\r\n[edge]\r\ndevices = [\"e\"]\r\nrules = [ \"dpotr 5 -> drop\" ]\r\n", "c");
    ASSERT_EQ(diagnostics.size(), 2u);
    EXPECT_EQ(diagnostics[0].one_line().substr(0, 6), "c:2:1:");
    EXPECT_EQ(diagnostics[1].one_line().substr(0, 7), "c:5:12:");
    EXPECT_EQ(diagnostics[1].line, "rules = [ \"dpotr 5 -> drop\" ]");
}

TEST(Place, IsTheLineOfBytesThatAreNoText) {
    const auto [config, diagnostics] = parse("[host]\n# \xff\n", "c");
    ASSERT_EQ(diagnostics.size(), 1u);
    EXPECT_EQ(diagnostics[0].where.line, 2u);
}

} // namespace
} // namespace beeline::config
