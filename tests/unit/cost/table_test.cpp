// SPDX-License-Identifier: Apache-2.0
#include <cost/table.hpp>

#include <fstream>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>

#include <harness/assert.hpp>

namespace beeline::cost {
namespace {

const std::string kDocument =
    "# Costs\n\n| case | subject | what | is |\n\n"
    "<!-- figures: written by ./run vm bench --write -->\nold\n<!-- end of figures -->\nthe end\n";

Table sample() {
    return {.measured_on = "Linux 6.12.1-cloud, QEMU 7.2.22",
            .lines = {{.name = "rr-64B", .subject = "limit:loopback", .median = 29000.5, .spread = 0.0125},
                      {.name = "drop", .subject = "beeline", .median = 113, .spread = 0}}};
}

TEST(CostTable, is_read_as_it_was_written) {
    ASSERT_VALUE(const std::string document, replace_table(kDocument, sample()));
    EXPECT_EQ(read_table(document), sample());
    EXPECT_TRUE(document.starts_with("# Costs\n")) << document;
    EXPECT_TRUE(document.ends_with("<!-- end of figures -->\nthe end\n")) << document;
    EXPECT_EQ(document.find("old"), std::string::npos);
    EXPECT_EQ(replace_table(document, sample()), document);
}

TEST(CostTable, needs_its_marks) {
    EXPECT_FALSE(read_table("# Costs\n"));
    EXPECT_FALSE(
        replace_table("<!-- end of figures -->\n<!-- figures: written by ./run vm bench --write -->\n", sample()));
}

TEST(CostTable, that_has_nothing_yet_is_empty) {
    EXPECT_EQ(read_table(kDocument), Table());
}

TEST(CostTable, is_of_medians_and_how_far_the_runs_are_apart) {
    const lab::Row row{.part = "guest",
                       .name = "rr-64B",
                       .subject = "limit:loopback",
                       .unit = "instructions",
                       .figure = lab::spread({99, 100, 104})};
    const Table table = table_of("here", {row});
    ASSERT_EQ(table.lines.size(), 1U);
    EXPECT_EQ(table.lines[0].median, 100);
    EXPECT_DOUBLE_EQ(table.lines[0].spread, 0.05);
}

TEST(CostDifferences, are_those_beyond_three_percent_either_way) {
    Table measured = sample();
    measured.lines[0].median *= 1.029;
    measured.lines[1].median *= 0.971;
    EXPECT_THAT(differences(sample(), measured, true), testing::IsEmpty());
    measured.lines[0].median = sample().lines[0].median * 1.031;
    measured.lines[1].median = sample().lines[1].median * 0.969;
    EXPECT_THAT(
        differences(sample(), measured, true),
        testing::ElementsAre("rr-64B limit:loopback: 29000.5 instructions documented, 29899.5 measured (+3.1 %)",
                             "drop beeline: 113.0 instructions documented, 109.5 measured (-3.1 %)"));
    measured.lines[0].median = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(differences(sample(), measured, true).size(), 2U);
}

TEST(CostDifferences, are_rows_that_only_one_side_has) {
    Table measured = sample();
    measured.lines.erase(measured.lines.begin());
    EXPECT_THAT(differences(sample(), measured, false), testing::IsEmpty());
    EXPECT_THAT(differences(sample(), measured, true),
                testing::ElementsAre("rr-64B limit:loopback: documented, not measured"));
    EXPECT_THAT(differences(measured, sample(), true),
                testing::ElementsAre("rr-64B limit:loopback: 29000.5 instructions, not documented"));
}

} // namespace
} // namespace beeline::cost
