// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "daemon/metrics.hpp"
#include "unit/cli/sample.hpp"

namespace beeline::daemon {
namespace {

using testing::HasSubstr;

TEST(Metrics, AreThoseOfTheStatus) {
    const std::string text =
        metrics_text({.status = sample_status(), .verdicts = {1, 0, 0, 0}, .counts = {.reloads = 2, .events = 77}});
    EXPECT_THAT(text, HasSubstr("beeline_edge_up 1\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_generation 4\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_unconfirmed 1\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE beeline_edge_packets_total counter\n"));
    EXPECT_THAT(text,
                HasSubstr("beeline_edge_packets_total{rule=\"src @blocklist -> drop\",verdict=\"drop\"} 1000000\n"));
    EXPECT_THAT(text,
                HasSubstr("beeline_edge_bytes_total{rule=\"src @blocklist -> drop\",verdict=\"drop\"} 64000000\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_odd_total{reason=\"short_ip\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_device_attached{device=\"eth0\",mode=\"native\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_device_attached{device=\"eth1\",mode=\"generic\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_set_entries{set=\"blocklist\",type=\"prefix\"} 12\n"));
    EXPECT_THAT(text, HasSubstr("beeline_reloads_total{result=\"good\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_events_total 77\n"));
}

TEST(Metrics, EscapeRuleTextsAndTellTwinsApart) {
    const std::string text = metrics_text({.status = sample_status(), .verdicts = {}, .counts = {}});
    EXPECT_THAT(text, HasSubstr(R"(rule="tcp dport 22 -> \"pass\" \\ \n",verdict="")"));
    EXPECT_THAT(text, HasSubstr(R"(rule="tcp dport 22 -> \"pass\" \\ \n #2",verdict="")"));
}

TEST(Metrics, OfAHostWithoutAnEdge) {
    const std::string text = metrics_text({.status = std::nullopt, .verdicts = {}, .counts = {}});
    EXPECT_THAT(text, HasSubstr("beeline_edge_up 0\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("beeline_edge_packets_total")));
}

} // namespace
} // namespace beeline::daemon
