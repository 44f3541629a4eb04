// SPDX-License-Identifier: Apache-2.0
//
// Proxies between two programs: each connection of theirs is one of its own.
#include "netns/programs/programs_test.hpp"

namespace beeline::programs {
namespace {

constexpr std::uint16_t kRedis = 6379, kFront = 7000;

class Middle : public Programs {
protected:
    void SetUp() override {
        Programs::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        redis_ = start_redis(*scene_, kRedis);
        ASSERT_OK(Client::connect(*scene_, kRedis)); // listens
    }

    /// Values through the proxy, and a benchmark.
    void load() const {
        ASSERT_VALUE(Client client, Client::connect(*scene_, kFront));
        for (std::uint32_t i = 0; i < 40; ++i)
            for (const std::size_t size : {10, 5000, 300000}) {
                const std::string value = bytes(size, i), length = "$" + std::to_string(size) + "\r\n";
                ASSERT_VALUE(const std::string reply, client.ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n" + length + value +
                                                                     "\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                                                                 5 + length.size() + size + 2));
                ASSERT_TRUE(reply == "+OK\r\n" + length + value + "\r\n") << size << " bytes came back as others";
            }
        const Ended ended = scene_->run("usr/bin/redis-benchmark", {"-p", std::to_string(kFront), "-q", "-n", "4000",
                                                                    "-c", "8", "-t", "set,get", "-d", "200"});
        EXPECT_EQ(ended.status, 0) << ended.err;
        EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("rror")));
    }

    Server redis_;
};

TEST_F(Middle, HaproxyCanSpliceAndStaysOnTcp) {
    const Server proxy = start_haproxy(*scene_, kFront, kRedis);
    ASSERT_OK(scene_->accelerate({"dport {6379, 7000} -> accelerate"}));
    load();
    EXPECT_EQ(scene_->short_bytes(), 0U) << told();
    EXPECT_GE(scene_->count("splices"), 1U) << told();
}

TEST_F(Middle, HaproxyThatIsToldNotToSpliceTakesTheShortCutOnBothSides) {
    const Server proxy = start_haproxy(*scene_, kFront, kRedis);
    ASSERT_OK(scene_->accelerate({"dport 6379 -> accelerate", "dport 7000 -> accelerate"}, {"usr/sbin/haproxy"}));
    load();
    const Json rules = scene_->status().at("rules");
    EXPECT_GT(rules.at(0).at("short_bytes"), 100'000) << told();
    EXPECT_GT(rules.at(1).at("short_bytes"), 100'000) << told();
}

TEST_F(Middle, SocatStaysOnTcp) {
    const Server proxy = start_socat(*scene_, kFront, kRedis);
    ASSERT_OK(scene_->accelerate({"dport {6379, 7000} -> accelerate"}));
    load();
    EXPECT_EQ(scene_->short_bytes(), 0U) << told();
}

} // namespace
} // namespace beeline::programs
