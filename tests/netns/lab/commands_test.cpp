// SPDX-License-Identifier: Apache-2.0
//
// `beeline demo` and `beeline bench` in their quick forms: everything that they check holds.
#include <beeline/lab/commands.hpp>

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/assert.hpp>
#include <harness/need_feature.hpp>
#include <nlohmann/json.hpp>

#include "lab/lab.hpp"
#include <beeline/kernel/command.hpp>
#include <beeline/kernel/features.hpp>

namespace beeline::lab {
namespace {

/// A stream whose text can be had.
class Text {
public:
    Text() : file_(::open_memstream(&text_, &size_)) {}
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text() {
        std::fclose(file_);
        std::free(text_);
    }
    [[nodiscard]] std::FILE *file() const { return file_; }
    [[nodiscard]] std::string str() const {
        std::fflush(file_);
        return {text_, size_};
    }

private:
    char *text_ = nullptr;
    std::size_t size_ = 0;
    std::FILE *file_;
};

bool have_peers() {
    return find_program("nft") && find_program("xdp-filter");
}

TEST(LabCommands, TheDemoHoldsWhatItShows) {
    BL_NEED_ROOT();
    const Text out;
    ASSERT_VALUE(const DemoOutcome outcome, run_demo({.out = out.file(), .colour = {}, .quick = true}));
    EXPECT_TRUE(outcome.good()) << out.str();
    EXPECT_GT(outcome.checks, 20U);
    EXPECT_EQ(outcome.skipped > 0,
              !find_program("nft").has_value() || !kernel::probe(kernel::FeatureId::tcx).available);
    EXPECT_THAT(Lab::traces("demo", ::getpid()), testing::IsEmpty());
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

TEST(LabCommands, TheBenchPrintsRowsForMachines) {
    BL_NEED_ROOT();
    const Text out, notes;
    ASSERT_VALUE(
        const BenchOutcome outcome,
        run_bench(
            {.out = out.file(), .notes = notes.file(), .json = true, .cpu = 0, .peers = have_peers(), .quick = true}));
    EXPECT_EQ(outcome.discarded, 0U) << notes.str();
    EXPECT_GT(outcome.runs, 0U);
    std::istringstream lines(out.str());
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);) {
        const auto row = nlohmann::json::parse(line, nullptr, false);
        ASSERT_TRUE(row.is_object()) << line;
        EXPECT_EQ(row["part"], "edge");
        EXPECT_EQ(row["better"], "lower");
        EXPECT_EQ(row["cpus"], 1);
        EXPECT_GT(row["runs"], 0);
        EXPECT_LE(row["min"], row["median"]);
        EXPECT_LE(row["median"], row["max"]);
        seen.insert(row["case"].get<std::string>() + " " + row["subject"].get<std::string>());
    }
    EXPECT_THAT(seen, testing::IsSupersetOf({"generator-alone limit:live-frames", "drop-bare limit:xdp-drop",
                                             "drop-1-rule beeline", "drop-10-rules beeline",
                                             "drop-10-rules-generic beeline", "testrun-rewrite beeline"}));
    EXPECT_EQ(seen.contains("drop-10-rules peer:nft-netdev"), have_peers());
    EXPECT_EQ(seen.contains("drop-1-rule peer:xdp-filter"), have_peers());
    EXPECT_THAT(Lab::traces("bench", ::getpid()), testing::IsEmpty());
}

TEST(LabCommands, TheBenchPrintsATableForPeople) {
    BL_NEED_ROOT();
    const Text out, notes;
    ASSERT_VALUE(const BenchOutcome outcome,
                 run_bench({.out = out.file(), .notes = notes.file(), .cpu = 0, .peers = false, .quick = true}));
    EXPECT_EQ(outcome.goals, 1U) << "the others need peers";
    EXPECT_THAT(out.str(), testing::AllOf(testing::HasSubstr("bare XDP_DROP"), testing::HasSubstr("redirect"),
                                          testing::HasSubstr("QUICK")));
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

TEST(LabCommands, TheBenchOfGuestsHasEachWayAndEachProgramWithFewAndManyRules) {
    BL_NEED_FEATURE(kernel::FeatureId::tcx);
    const Text out, notes;
    ASSERT_VALUE(
        const BenchOutcome outcome,
        run_bench({.part = "guest", .out = out.file(), .notes = notes.file(), .json = true, .cpu = 0, .quick = true}));
    EXPECT_GT(outcome.runs, 0U);
    std::map<std::string, double> seen;
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        const auto row = nlohmann::json::parse(line, nullptr, false);
        ASSERT_TRUE(row.is_object()) << line;
        EXPECT_EQ(row["part"], "guest");
        seen[row["case"].get<std::string>() + " " + row["subject"].get<std::string>()] = row["median"];
    }
    for (const std::string program : {"out", "in", "wire"})
        for (const std::string kind : {"-known", "-first"})
            for (const std::string subject : {" beeline", " beeline:100-rules"})
                EXPECT_GT(seen["testrun-" + program + kind + subject], 0) << program << kind << subject;
    EXPECT_TRUE(seen.contains("testrun-empty limit:tc-next"));
    for (const std::string name : {"rr-64B ", "stream-KiB ", "connection "})
        for (const std::string subject :
             {"limit:loopback", "stock:veth-routed", "stock:veth-bridged", "beeline", "beeline:100-rules"})
            EXPECT_GT(seen[name + subject], 0) << name << subject;
    EXPECT_THAT(Lab::traces("bench", ::getpid()), testing::IsEmpty());
}

TEST(LabCommands, TheBenchOfTheShortCutHasItNextToTcpAndUnixSockets) {
    BL_NEED_FEATURE(kernel::FeatureId::sockmap_inq);
    const Text out, notes;
    ASSERT_VALUE(
        const BenchOutcome outcome,
        run_bench({.part = "local", .out = out.file(), .notes = notes.file(), .json = true, .cpu = 0, .quick = true}));
    EXPECT_GT(outcome.goals, 0U);
    std::map<std::string, double> seen;
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        const auto row = nlohmann::json::parse(line, nullptr, false);
        ASSERT_TRUE(row.is_object()) << line;
        EXPECT_EQ(row["part"], "local");
        EXPECT_GT(row["runs"], 0);
        if (row["cpus"] == 1)
            seen[row["case"].get<std::string>() + " " + row["subject"].get<std::string>()] = row["median"];
    }
    for (const std::string name :
         {"rr-64B", "stream-64B", "stream-256B", "stream-1KiB", "stream-4KiB", "stream-16KiB", "stream-64KiB"})
        for (const std::string subject : {" stock:tcp", " limit:af-unix", " beeline"})
            EXPECT_GT(seen[name + subject], 0) << name << subject << '\n' << notes.str();
    EXPECT_GT(seen["rr-64B-by-short-cut beeline"], 0.99);
    EXPECT_LT(seen["stream-64B-by-short-cut beeline"], 0.5);
    for (const std::string bytes : {"4KiB", "16KiB", "64KiB", "256KiB"}) {
        EXPECT_GT(seen["unread-" + bytes + "-by-short-cut beeline"], 0.01) << bytes;
        EXPECT_LT(seen["unread-" + bytes + " beeline"], seen["unread-" + bytes + " stock:tcp"] * 1.3) << bytes;
    }
    for (const std::string name : {"rr-64B-not-chosen", "connection"})
        for (const std::string subject : {" stock:tcp", " beeline:not-chosen"})
            EXPECT_GT(seen[name + subject], 0) << name << subject;
    EXPECT_THAT(Lab::traces("bench", ::getpid()), testing::IsEmpty());
}

TEST(LabCommands, AnUnknownBenchIsAUsageError) {
    const auto outcome = run_bench({.part = "proxy"});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Kind::usage);
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr("edge"));
}

} // namespace
} // namespace beeline::lab
