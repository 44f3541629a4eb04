// SPDX-License-Identifier: Apache-2.0
//
// The conformance table of `local`: what an application observes over a short cut is what it observes over plain TCP.
// Each row runs over plain TCP twice (it must not depend on the moment), over the public recipe (which must fail where
// it is known to fail, or the row proves nothing) and over Beeline.
//
// BEELINE_LOCAL_REPEAT=50 repeats plain TCP so often, BEELINE_LOCAL_SHOW=1 prints what it shows,
// BEELINE_LOCAL_BYTES=10000000000 makes the rows of rows_load.cpp carry so much.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <harness/assert.hpp>
#include <harness/names.hpp>
#include <netns/local/row.hpp>

namespace beeline::conformance {

/// How GoogleTest prints a row.
static void PrintTo(const Row &row, std::ostream *out) {
    *out << row.name;
}

namespace {

/// A cgroup of the test's own, its processes and what is attached to it.
class Table : public testing::TestWithParam<Row> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (const auto mount = kernel::cgroup2_mount(); !mount)
            GTEST_SKIP() << mount.error().message();
        ASSERT_VALUE(World world, World::create());
        world_.emplace(std::move(world));
        for (const Way &way : all_ways())
            if (GetParam().applies == nullptr || GetParam().applies(way))
                ways_.push_back(way);
    }

    [[nodiscard]] Result<std::vector<Transcript>> play(Mode mode, unsigned seconds = kSeconds) {
        const std::string path = "/" + harness::unique_name(fmt::format("cg{}", static_cast<int>(mode)));
        BL_TRY(kernel::Cgroup cgroup, kernel::Cgroup::create(path));
        const harness::OnExit cleanup(harness::Leftover::cgroup, cgroup.directory());
        BL_TRY(const auto accelerator, Accelerator::start(mode, cgroup));
        return run(GetParam(), ways_, *world_, *accelerator, cgroup, seconds);
    }

    /// What plain TCP has taken in this run counts as well.
    void widen(const std::vector<Transcript> &seen) {
        for (std::size_t i = 0; i < ways_.size(); ++i)
            for (const auto &[name, bytes] : seen[i].amounts)
                for (std::size_t k = 0; k < ways_.size(); ++k)
                    if (k == i || GetParam().tuned)
                        plain_[k].amounts[name] = std::max(plain_[k].amounts[name], bytes);
    }

    /// How many of the ways differ; told is what to print of them.
    std::size_t compare(const std::vector<Transcript> &seen, std::string &told) const {
        std::size_t differing = 0;
        for (std::size_t i = 0; i < ways_.size(); ++i) {
            const std::string how = difference(plain_[i], seen[i]) + excess(plain_[i], seen[i]);
            if (how.empty())
                continue;
            ++differing;
            told += fmt::format("\n  {}:\n    {}\n  all that was seen:\n{}", ways_[i].name(), how, seen[i].text());
        }
        return differing;
    }

    std::optional<World> world_;
    std::vector<Way> ways_;
    std::vector<Transcript> plain_;
};

TEST_P(Table, is_that_of_tcp) {
    ASSERT_VALUE(plain_, play(Mode::tcp));
    widen(std::vector<Transcript>(plain_));
    for (std::size_t i = 0; i < ways_.size(); ++i) {
        if (!plain_[i].skipped.empty())
            GTEST_SKIP() << plain_[i].skipped;
        ASSERT_EQ(plain_[i].end, "done") << ways_[i].name() << "\n" << plain_[i].text();
    }
    if (std::getenv("BEELINE_LOCAL_SHOW") != nullptr)
        for (std::size_t i = 0; i < ways_.size(); ++i)
            fmt::print("{}\n{}", ways_[i].name(), plain_[i].text());
    const char *repeat = std::getenv("BEELINE_LOCAL_REPEAT");
    for (int i = 0; i < (repeat == nullptr ? 1 : std::atoi(repeat)); ++i) {
        ASSERT_VALUE(const auto again, play(Mode::tcp));
        widen(again);
        std::string told;
        ASSERT_EQ(compare(again, told), 0U) << "plain TCP, once more" << told;
    }
    if (GetParam().naive != Naive::harmful) {
        ASSERT_VALUE(const auto naive, play(Mode::naive, GetParam().naive == Naive::differs ? kHurry : kSeconds));
        std::string told;
        const std::size_t differing = compare(naive, told);
        EXPECT_TRUE(GetParam().naive != Naive::differs || differing > 0) << "the public recipe passes";
        EXPECT_TRUE(GetParam().naive != Naive::same || differing == 0) << "the public recipe" << told;
        RecordProperty("naive_differs_in", static_cast<int>(differing));
    }
}

INSTANTIATE_TEST_SUITE_P(local, Table, testing::ValuesIn(all_rows()), [](const auto &row) { return row.param.name; });

} // namespace
} // namespace beeline::conformance
