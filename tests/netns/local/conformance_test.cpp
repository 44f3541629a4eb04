// SPDX-License-Identifier: Apache-2.0
//
// The conformance table of `local`: what an application observes over a short cut is what it observes over plain TCP.
// Each row runs over plain TCP twice (it must not depend on the moment), over the public recipe (which must fail where
// it is known to fail, or the row proves nothing) and over Beeline.
//
// BEELINE_LOCAL_REPEAT=50 repeats plain TCP so often, BEELINE_LOCAL_SHOW=1 prints what it shows,
// BEELINE_LOCAL_BYTES=10000000000 makes the rows of rows_load.cpp carry so much, BEELINE_LOCAL_LIMITS=1 runs Beeline
// also where a limit of it is known (Row::limit), which fails.
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
        // What a program may call is found out at its first connection, which takes a moment: that is not a row's.
        if (mode == Mode::beeline)
            static_cast<void>(
                run({.name = "first", .run = first_connection}, {Way{}}, *world_, *accelerator, cgroup, kSeconds));
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

    /// Of a connection that a row has settled.
    [[nodiscard]] std::string expected_path(const Way &way) const {
        if (way.blocking && GetParam().stays != "unknown")
            return "TCP: blocking";
        return GetParam().stays.empty() ? "short cut" : "TCP: " + GetParam().stays;
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

    void keep_blocking_ways() {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < ways_.size(); ++i)
            if (ways_[i].blocking) {
                ways_[kept] = ways_[i];
                plain_[kept++] = plain_[i];
            }
        ways_.resize(kept);
        plain_.resize(kept);
    }

    // The three parts of a test.
    void play_plain();
    void play_naive();
    void play_beeline();

    static void first_connection(Stage &stage) { static_cast<void>(stage.settled()); }

    std::optional<World> world_;
    std::vector<Way> ways_;
    std::vector<Transcript> plain_;
};

void Table::play_plain() {
    ASSERT_VALUE(plain_, play(Mode::tcp));
    widen(std::vector<Transcript>(plain_));
    for (std::size_t i = 0; i < ways_.size(); ++i) {
        if (!plain_[i].skipped.empty())
            GTEST_SKIP() << plain_[i].skipped;
        ASSERT_EQ(plain_[i].end, "done") << ways_[i].name() << "\n" << plain_[i].text();
        if (std::getenv("BEELINE_LOCAL_SHOW") != nullptr)
            fmt::print("{}\n{}", ways_[i].name(), plain_[i].text());
    }
    const char *repeat = std::getenv("BEELINE_LOCAL_REPEAT");
    for (int i = 0; i < (repeat == nullptr ? 1 : std::atoi(repeat)); ++i) {
        ASSERT_VALUE(const auto again, play(Mode::tcp));
        widen(again);
        std::string told;
        ASSERT_EQ(compare(again, told), 0U) << "plain TCP, once more" << told;
    }
}

void Table::play_naive() {
    const Naive expected = GetParam().naive;
    if (expected == Naive::harmful)
        return;
    ASSERT_VALUE(const auto seen, play(Mode::naive, expected == Naive::differs ? kHurry : kSeconds));
    std::string told;
    const std::size_t differing = compare(seen, told);
    EXPECT_TRUE(expected != Naive::differs || differing > 0) << "the public recipe passes";
    EXPECT_TRUE(expected != Naive::same || differing == 0) << "the public recipe" << told;
}

void Table::play_beeline() {
    if (!GetParam().limit.empty() && std::getenv("BEELINE_LOCAL_LIMITS") == nullptr)
        keep_blocking_ways();
    ASSERT_VALUE(const auto seen, play(Mode::beeline));
    std::string told;
    EXPECT_EQ(compare(seen, told), 0U) << "Beeline" << told;
    for (std::size_t i = 0; i < ways_.size(); ++i)
        for (const std::string &path : seen[i].paths)
            EXPECT_EQ(path, expected_path(ways_[i])) << ways_[i].name();
}

TEST_P(Table, is_that_of_tcp) {
    play_plain();
    if (IsSkipped() || HasFatalFailure())
        return;
    play_naive();
    play_beeline();
}

INSTANTIATE_TEST_SUITE_P(local, Table, testing::ValuesIn(all_rows()), [](const auto &row) { return row.param.name; });

} // namespace
} // namespace beeline::conformance
