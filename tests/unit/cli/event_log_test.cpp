// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "daemon/event_log.hpp"

namespace beeline::daemon {
namespace {

edge::LogEvent event(std::uint32_t rule) {
    edge::LogEvent made;
    made.rule = rule;
    return made;
}

TEST(EventLog, GivesWhatIsNew) {
    EventLog log;
    EXPECT_EQ(log.since(0).events.size(), 0U);
    log.add(event(1));
    log.add(event(2));
    const EventLog::Page first = log.since(0);
    ASSERT_EQ(first.events.size(), 2U);
    EXPECT_EQ(first.events[0].number, 1U);
    EXPECT_EQ(first.events[1].rule, 2U);
    EXPECT_EQ(first.last, 2U);
    EXPECT_EQ(log.since(first.last).events.size(), 0U);
    log.add(event(3));
    ASSERT_EQ(log.since(first.last).events.size(), 1U);
    EXPECT_EQ(log.since(first.last).events[0].number, 3U);
}

TEST(EventLog, IsBoundedAndSaysWhatWasMissed) {
    EventLog log;
    for (std::uint32_t i = 0; i < EventLog::kCapacity + 25; ++i)
        log.add(event(i));
    const EventLog::Page all = log.since(0);
    EXPECT_EQ(all.events.size(), EventLog::kCapacity);
    EXPECT_EQ(all.missed, 25U);
    EXPECT_EQ(all.events.front().number, 26U);
    EXPECT_EQ(log.since(20).missed, 5U);
    EXPECT_EQ(log.since(25).missed, 0U);
    EXPECT_EQ(log.since(30).missed, 0U);
}

TEST(EventLog, ARestartedDaemonBeginsAnew) {
    EventLog log;
    log.add(event(1));
    EXPECT_EQ(log.since(5000).events.size(), 1U) << "the client's number is from the daemon before";
}

} // namespace
} // namespace beeline::daemon
