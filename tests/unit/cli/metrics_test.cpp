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

TEST(Metrics, AreThoseOfTheGuests) {
    const std::string text =
        metrics_text({.status = std::nullopt, .verdicts = {}, .counts = {.guests_gone = 2}, .guests = sample_guests()});
    EXPECT_THAT(text, HasSubstr("beeline_guest_up 1\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_packets_total{guest=\"web\",rule=\"in tcp dport 80 -> pass\"} 5\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_bytes_total{guest=\"web\",rule=\"fallback -> pass\"} 420\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_attached{guest=\"web\",wiring=\"veth\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_guests{wiring=\"veth\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_guests{wiring=\"tap\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_flows 4\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_odd_total{reason=\"rule\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("beeline_guest_gone_total 2\n"));
}

TEST(Metrics, AreThoseOfLocal) {
    const std::string text =
        metrics_text({.status = std::nullopt, .verdicts = {}, .counts = {}, .local = sample_local()});
    EXPECT_THAT(text, HasSubstr("beeline_local_up 1\n"));
    EXPECT_THAT(text, HasSubstr("beeline_local_connections{state=\"on\"} 4\n"));
    EXPECT_THAT(text, HasSubstr("beeline_local_chosen_total{rule=\"dport 5432 -> accelerate\"} 9\n"));
    EXPECT_THAT(text, HasSubstr("beeline_local_bytes_total{rule=\"dport 5432 -> accelerate\",way=\"short\"} 640\n"));
    EXPECT_THAT(text, HasSubstr("beeline_local_messages_total{rule=\"dport 5432 -> accelerate\",way=\"tcp\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("beeline_local_reasons_total{reason=\"small\"} 3\n"));
}

TEST(Metrics, OfAHostWithoutAnEdge) {
    const std::string text = metrics_text({.status = std::nullopt, .verdicts = {}, .counts = {}});
    EXPECT_THAT(text, HasSubstr("beeline_edge_up 0\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("beeline_edge_packets_total")));
    EXPECT_THAT(text, HasSubstr("beeline_guest_up 0\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("beeline_guest_packets_total")));
    EXPECT_THAT(text, HasSubstr("beeline_local_up 0\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("beeline_local_connections")));
}

} // namespace
} // namespace beeline::daemon
