// SPDX-License-Identifier: Apache-2.0
#include "lab/figures.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace beeline::lab {
namespace {

TEST(LabFigures, MedianMinAndMax) {
    const Spread odd = spread({3, 1, 2}), even = spread({4, 1, 2, 3});
    EXPECT_EQ(text(odd), "2.0 [1.0-3.0]");
    EXPECT_EQ(text(even, 2), "2.50 [1.00-4.00]");
    EXPECT_EQ(even.runs, 4U);
    EXPECT_EQ(text(spread({})), "-");
}

TEST(LabFigures, OutliersOfThousandsAreLeftOut) {
    std::vector<double> values(200, 5);
    values[7] = 1;
    values[20] = 2;
    values[30] = 900;
    values[40] = 800;
    EXPECT_EQ(text(spread_98(values)), "5.0 [5.0-5.0]");
    EXPECT_EQ(text(spread_98({3, 1, 2})), "2.0 [1.0-3.0]") << "of a few, none is an outlier";
}

TEST(LabFigures, RatiosAreTakenRoundByRound) {
    // The second round was slow for both: their ratio is not.
    EXPECT_EQ(text(ratio({10, 30, 10}, {5, 15, 4}), 1), "2.0 [2.0-2.5]");
}

TEST(LabFigures, RoundsThatDoNotCountAreLeftOutOfRatios) {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(ratio({10, nothing, 10}, {5, 5, nothing}).runs, 1U);
    EXPECT_EQ(ratio({10, 10}, {0, -1}).runs, 0U);
}

TEST(LabFigures, DifferencesGoAsFarAsBothDo) {
    EXPECT_THAT(less({5, 6, 7}, {1, 2}), testing::ElementsAre(4, 4));
}

TEST(LabFigures, ARowHasTheseKeysInThisOrder) {
    const Row row{.part = "edge",
                  .name = "drop-10-rules",
                  .subject = "beeline",
                  .unit = "ns/packet",
                  .figure = spread({1.5, 2.5, 3.5})};
    EXPECT_EQ(to_json(row).dump(),
              R"({"part":"edge","case":"drop-10-rules","subject":"beeline","unit":"ns/packet","better":"lower",)"
              R"("median":2.5,"min":1.5,"max":3.5,"runs":3,"cpus":1})");
}

} // namespace
} // namespace beeline::lab
