// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/programs_test.hpp"

#include <fmt/format.h>

namespace beeline::programs {
namespace {

constexpr std::uint16_t kPort = 6379;

/// A command, or a part of one, as the protocol has it: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".
std::string bulk(const std::string &text) {
    return fmt::format("${}\r\n", text.size()) + text + "\r\n";
}
std::string set(const std::string &key, const std::string &value) {
    return "*3\r\n" + bulk("SET") + bulk(key) + bulk(value);
}
std::string get(const std::string &key) {
    return "*2\r\n" + bulk("GET") + bulk(key);
}

constexpr std::array<std::size_t, 9> kSizes = {1, 2, 100, 4095, 4096, 16384, 65536, 262144, 1048576};

class Redis : public Programs {
protected:
    void SetUp() override {
        Programs::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        server_ = start_redis(*scene_, kPort);
        ASSERT_OK(scene_->accelerate({"dport 6379 -> accelerate"}));
    }

    /// What redis-cli says to a command.
    [[nodiscard]] std::string cli(std::vector<std::string> command) const {
        command.insert(command.begin(), {"-p", std::to_string(kPort)});
        return scene_->run("usr/bin/redis-cli", command).out;
    }

    /// One value of every size goes and comes back, one after the other.
    static void turn(Client &client, std::uint32_t seed) {
        for (const std::size_t size : kSizes) {
            const std::string value = bytes(size, seed + static_cast<std::uint32_t>(size));
            ASSERT_VALUE(const std::string done, client.ask(set("key", value), 5));
            EXPECT_EQ(done, "+OK\r\n");
            const std::string expected = bulk(value);
            ASSERT_VALUE(const std::string reply, client.ask(get("key"), expected.size()));
            ASSERT_TRUE(reply == expected) << "a value of " << size << " bytes came back as another one";
        }
    }
    /// All of them at once, and then all answers.
    static void pipelined(Client &client, std::uint32_t seed) {
        std::string sets, gets, oks, values;
        for (const std::size_t size : kSizes) {
            const std::string value = bytes(size, seed + static_cast<std::uint32_t>(size));
            sets += set(std::to_string(size), value);
            gets += get(std::to_string(size));
            oks += "+OK\r\n";
            values += bulk(value);
        }
        ASSERT_VALUE(const std::string done, client.ask(sets + gets, oks.size() + values.size()));
        ASSERT_TRUE(done == oks + values) << "answers in another order, or other answers";
    }

    std::unique_ptr<Background> server_;
};

TEST_F(Redis, ValuesOfAllSizesComeBackAndRedisHasCountedEveryByte) {
    ASSERT_VALUE(Client client, Client::connect(*scene_, kPort));
    const std::string info = "*2\r\n" + bulk("INFO") + bulk("stats");
    ASSERT_VALUE(const std::string before, client.ask_until(info, "\r\n\r\n"));
    const std::uint64_t sent = client.sent();
    for (std::uint32_t seed = 0; seed < 100 && scene_->short_bytes() < 10'000'000; ++seed) {
        ASSERT_NO_FATAL_FAILURE(turn(client, seed));
        ASSERT_NO_FATAL_FAILURE(pipelined(client, seed));
    }
    EXPECT_GE(scene_->short_bytes(), 10'000'000U) << told();
    ASSERT_VALUE(const std::string after, client.ask_until(info, "\r\n\r\n"));
    EXPECT_EQ(number(after, "total_net_input_bytes") - number(before, "total_net_input_bytes"), client.sent() - sent);
}

TEST_F(Redis, ItsBenchmarkDoesExactlyWhatItWasTold) {
    ASSERT_VALUE(const Client listening, Client::connect(*scene_, kPort));
    for (const std::string pipeline : {"1", "16"}) {
        EXPECT_EQ(cli({"CONFIG", "RESETSTAT"}), "OK\n");
        const std::uint64_t before = scene_->short_bytes();
        const Ended ended =
            scene_->run("usr/bin/redis-benchmark", {"-p", std::to_string(kPort), "-q", "-n", "8000", "-c", "10", "-P",
                                                    pipeline, "-t", "set,get,incr,lpush,mset", "-d", "100"});
        EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
        EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("rror")));
        const std::string calls = cli({"INFO", "commandstats"});
        for (const char *command : {"set", "get", "incr", "lpush", "mset"})
            EXPECT_EQ(number(calls, fmt::format("cmdstat_{}:calls", command)), 8000U) << calls;
        EXPECT_GT(scene_->short_bytes(), before) << "-P " << pipeline << told();
    }
}

TEST_F(Redis, ClientsWithBlockingSocketsStayOnTcp) {
    ASSERT_VALUE(const Client listening, Client::connect(*scene_, kPort));
    const std::uint64_t before = scene_->short_bytes();
    const Ended ended = scene_->run("usr/bin/redis-cli", {"-p", std::to_string(kPort), "-r", "300", "ECHO", "hello"});
    EXPECT_EQ(ended.status, 0);
    std::string expected;
    for (int i = 0; i < 300; ++i)
        expected += "hello\n";
    EXPECT_EQ(ended.out, expected);
    EXPECT_EQ(scene_->short_bytes(), before) << told();
}

} // namespace
} // namespace beeline::programs
