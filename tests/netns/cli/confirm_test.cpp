// SPDX-License-Identifier: Apache-2.0
//
// Nobody locks himself out.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;

class Confirm : public Host {
protected:
    std::string first() const { return config({"udp dport 7 -> drop", "fallback -> pass"}, "", "first.toml"); }
    std::string second() const { return config({"udp dport 8 -> drop", "fallback -> pass"}, "", "second.toml"); }
    bool live(const std::string &rule) const {
        const Json edge = status();
        for (const Json &one : edge.value("rules", Json::array()))
            if (one.at("text") == rule)
                return true;
        return false;
    }
};

TEST_F(Confirm, RollsBackByItself) {
    expect(0, {"up", first()});
    const Ended up = beeline({"up", second(), "--confirm", "2s"});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_THAT(up.out, HasSubstr("rolls back in 2 s unless you say: beeline confirm"));
    EXPECT_TRUE(live("udp dport 8 -> drop"));
    EXPECT_TRUE(eventually([&] { return live("udp dport 7 -> drop"); }));
    EXPECT_FALSE(live("udp dport 8 -> drop"));
    send(udp(7), 2);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 2U);
    EXPECT_EQ(status().at("rollback_in_seconds"), nullptr);
    EXPECT_EQ(beeline({"confirm"}).status, 2) << "too late: nothing waits";
}

TEST_F(Confirm, TheFirstUpRollsBackToNothing) {
    expect(0, {"up", first(), "--confirm", "1s"});
    EXPECT_EQ(status().at("up"), true);
    EXPECT_TRUE(eventually([&] { return status().at("up") == false; }));
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(Confirm, ConfirmedStays) {
    expect(0, {"up", first()});
    expect(0, {"up", second(), "--confirm", "2s"});
    EXPECT_GT(status().at("rollback_in_seconds"), 0);
    const Ended shown = beeline({"status"});
    EXPECT_THAT(shown.out, HasSubstr("beeline confirm"));
    expect(0, {"confirm"});
    EXPECT_EQ(status().at("rollback_in_seconds"), nullptr);
    // The guard wakes after two seconds and must find nothing to do.
    EXPECT_FALSE(eventually_within(4, [&] { return !live("udp dport 8 -> drop"); }));
}

TEST_F(Confirm, AnotherChangeHasToWait) {
    expect(0, {"up", first()});
    expect(0, {"up", second(), "--confirm", "1h"});
    const Ended third = beeline({"up", first()});
    EXPECT_EQ(third.status, 6);
    EXPECT_THAT(third.err, HasSubstr("waits to be confirmed"));
    // A refused change with a short time must not shorten that of the first.
    EXPECT_EQ(beeline({"up", first(), "--confirm", "1s"}).status, 6);
    EXPECT_FALSE(eventually_within(3, [&] { return !live("udp dport 8 -> drop"); }));
    expect(0, {"confirm"});
    expect(0, {"up", first()});
}

/// The processes that wait: they bear the pins in their command line, as the one that began them did.
TEST_F(Confirm, TheGuardGoesWithWhatItGuards) {
    const auto waiting = [&] {
        std::size_t count = 0;
        for (const auto &process : std::filesystem::directory_iterator("/proc")) {
            std::ifstream file(process.path() / "cmdline", std::ios::binary);
            std::string line;
            std::getline(file, line); // nothing, and no exception, from a process that has just ended
            count += line.find(pins()) != std::string::npos ? 1 : 0;
        }
        return count;
    };
    expect(0, {"up", first()});
    expect(0, {"up", second(), "--confirm", "1h"});
    EXPECT_EQ(waiting(), 1U);
    expect(0, {"confirm"});
    EXPECT_TRUE(eventually([&] { return waiting() == 0; })) << "after confirm";
    expect(0, {"down"});
    expect(0, {"up", first(), "--confirm", "1h"});
    EXPECT_EQ(waiting(), 1U);
    expect(0, {"down"});
    expect(0, {"up", second(), "--confirm", "1h"}); // The same number, another generation.
    EXPECT_TRUE(eventually([&] { return waiting() == 1; })) << "after down";
    EXPECT_EQ(status().at("generation"), 1);
}

TEST_F(Confirm, WorksWhenTheTerminalIsGone) {
    expect(0, {"up", first()});
    // The whole session goes: its terminal hangs up right after the command.
    const Ended up = beeline({"up", second(), "--confirm", "2s"}, {.terminal = true});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_TRUE(eventually([&] { return live("udp dport 7 -> drop"); }));
}

TEST_F(Confirm, RefusesTimesThatAreNone) {
    for (const char *time : {"", "60", "soon", "-1s", "0s"}) {
        const Ended ended = beeline({"up", first(), std::string("--confirm=") + time});
        EXPECT_EQ(ended.status, 2) << time << ended.err;
    }
    EXPECT_EQ(status().at("up"), false);
}

} // namespace
} // namespace beeline::cli_test
