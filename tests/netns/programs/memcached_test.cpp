// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/programs_test.hpp"

#include <fmt/format.h>

namespace beeline::programs {
namespace {

TEST_F(Programs, MemcachedGivesBackValuesOfAllSizes) {
    const Server server = start_memcached(*scene_, 11211);
    ASSERT_OK(Client::connect(*scene_, 11211)); // listens
    ASSERT_OK(scene_->accelerate({"dport 11211 -> accelerate"}));
    ASSERT_VALUE(Client client, Client::connect(*scene_, 11211));
    std::uint64_t sets = 0;
    for (std::uint32_t seed = 0; seed < 100 && scene_->short_bytes() < 10'000'000; ++seed) {
        std::string requests, replies; // once more all at once
        for (const std::size_t size : {1, 100, 4096, 16384, 65536, 262144, 1048576}) {
            const std::string value = bytes(size, seed + static_cast<std::uint32_t>(size));
            const std::string set = fmt::format("set k{} 0 0 {}\r\n", size, size) + value + "\r\n";
            const std::string get = fmt::format("get k{}\r\n", size);
            const std::string expected = fmt::format("VALUE k{} 0 {}\r\n", size, size) + value + "\r\nEND\r\n";
            ASSERT_VALUE(const std::string stored, client.ask(set, 8));
            EXPECT_EQ(stored, "STORED\r\n");
            ASSERT_VALUE(const std::string reply, client.ask(get, expected.size()));
            ASSERT_TRUE(reply == expected) << "a value of " << size << " bytes came back as another one";
            requests += set + get;
            replies += "STORED\r\n" + expected;
            sets += 2;
        }
        ASSERT_VALUE(const std::string got, client.ask(requests, replies.size()));
        ASSERT_TRUE(got == replies) << "other answers, or in another order";
    }
    EXPECT_GE(scene_->short_bytes(), 10'000'000U) << told();
    ASSERT_VALUE(const std::string stats, client.ask_until("stats\r\n", "END\r\n"));
    EXPECT_EQ(number(stats, "cmd_set"), sets) << stats;
    EXPECT_EQ(number(stats, "get_hits"), sets) << stats;
}

} // namespace
} // namespace beeline::programs
