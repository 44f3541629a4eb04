// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/programs_test.hpp"

#include <fstream>

#include <fmt/format.h>

namespace beeline::programs {
namespace {

const std::string kBin = "usr/lib/postgresql/15/bin/";

class Postgres : public Programs {
protected:
    void SetUp() override {
        Programs::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_VALUE(server_, start_postgres(*scene_, 5432));
        ASSERT_OK(scene_->accelerate({"dport 5432 -> accelerate"}));
    }

    [[nodiscard]] Ended client(const std::string &program, std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"-h", "127.0.0.1", "-U", "postgres"});
        return scene_->run(kBin + program, arguments);
    }
    [[nodiscard]] std::string answer(const std::string &query, const std::string &database = "postgres") const {
        const Ended ended = client("psql", {"-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query});
        EXPECT_EQ(ended.status, 0) << ended.err;
        return ended.out;
    }

    Server server_;
};

TEST_F(Postgres, PgbenchKeepsItsBooks) {
    ASSERT_EQ(client("pgbench", {"-i", "-q", "postgres"}).status, 0);
    const Ended ended = client("pgbench", {"-n", "-c", "4", "-j", "2", "-t", "150", "postgres"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("number of transactions actually processed: 600/600"));
    EXPECT_THAT(ended.out, HasSubstr("number of failed transactions: 0 "));
    EXPECT_EQ(answer("select count(*) from pgbench_history"), "600\n");
    EXPECT_EQ(answer("select (select sum(abalance) from pgbench_accounts) = sum(delta)"
                     " and (select sum(tbalance) from pgbench_tellers) = sum(delta)"
                     " and (select sum(bbalance) from pgbench_branches) = sum(delta) from pgbench_history"),
              "t\n");
    EXPECT_GT(scene_->short_bytes(), 100'000U) << told();
}

TEST_F(Postgres, TablesAreCopiedAsTheyAre) {
    (void)answer("create table a as select i, repeat(md5(i::text), 20) as t from generate_series(1, 20000) i");
    const std::string sum = answer("select md5(string_agg(i || t, '' order by i)) from a");
    const std::string file = scene_->path("a.copy");
    const Ended ended =
        client("psql", {"-Xq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", "create table b (like a)", "-c",
                        "\\copy a to '" + file + "'", "-c", "\\copy b from '" + file + "'"});
    ASSERT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(answer("select md5(string_agg(i || t, '' order by i)) from b"), sum);
}

TEST_F(Postgres, AReplyOfManyMegabytesAndThousandsOfQuestionsInOneSession) {
    std::string script = "\\pset format unaligned\n\\pset tuples_only on\n", expected;
    for (int i = 0; i < 1000; ++i) {
        script += fmt::format("select {};\n", i);
        expected += fmt::format("{}\n", i);
    }
    script += "select repeat('0123456789', 1000000);\nselect 'end';\n";
    for (int i = 0; i < 1'000'000; ++i)
        expected += "0123456789";
    expected += "\nend\n";
    const std::string file = scene_->write("script.sql", script);
    for (int i = 0; i < 20 && scene_->short_bytes() == 0; ++i) { // the daemon looks at both programs first
        const Ended ended = client("psql", {"-Xq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", file});
        ASSERT_EQ(ended.status, 0) << ended.err;
        ASSERT_TRUE(ended.out == expected) << ended.out.size() << " bytes, not " << expected.size();
    }
    EXPECT_GT(scene_->short_bytes(), 0U) << told();
}

TEST_F(Postgres, ADumpIsRestored) {
    ASSERT_EQ(client("pgbench", {"-i", "-q", "postgres"}).status, 0);
    (void)answer("create database other");
    const std::string dump = scene_->path("dump.sql");
    ASSERT_EQ(client("pg_dump", {"-f", dump, "postgres"}).status, 0);
    const Ended restored = client("psql", {"-Xq", "-v", "ON_ERROR_STOP=1", "-d", "other", "-f", dump});
    ASSERT_EQ(restored.status, 0) << restored.err;
    const std::string sum = "select count(*), md5(string_agg(a::text, '' order by aid)) from pgbench_accounts a";
    EXPECT_EQ(answer(sum, "other"), answer(sum));
}

} // namespace
} // namespace beeline::programs
