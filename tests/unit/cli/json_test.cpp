// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "daemon/json.hpp"
#include "unit/cli/sample.hpp"

namespace beeline::daemon {
namespace {

/// The names are what scripts are written against: this list only ever grows.
TEST(StatusJson, HasTheFieldsOfTheSchema) {
    const Json json = to_json(std::optional(sample_status()));
    EXPECT_EQ(json.at("version"), 1);
    const Json &edge = json.at("edge");
    std::vector<std::string> names;
    for (const auto &[name, value] : edge.items())
        names.push_back(name);
    EXPECT_EQ(names, (std::vector<std::string>{"up", "generation", "file", "since", "since_unix", "rollback_in_seconds",
                                               "devices", "rules", "sets", "xsks", "odd", "hooks"}));
    EXPECT_EQ(edge.at("up"), true);
    EXPECT_EQ(edge.at("generation"), 4);
    EXPECT_EQ(edge.at("since"), "2023-11-14T22:13:20Z");
    EXPECT_EQ(edge.at("rollback_in_seconds"), 53);
    EXPECT_EQ(edge.at("rules").at(0).dump(),
              R"({"number":1,"text":"src @blocklist -> drop","line":7,"packets":1000000,"bytes":64000000})");
    EXPECT_EQ(edge.at("devices").at(1).dump(), R"({"name":"eth1","ifindex":3,"mode":"generic",)"
                                               R"("why":"the driver has no XDP","attached":false})");
    EXPECT_EQ(edge.at("sets").at(0).dump(), R"({"name":"blocklist","type":"prefix","entries":12})");
    EXPECT_EQ(edge.at("xsks").at(0).dump(),
              R"({"name":"capture","map":"/sys/fs/bpf/beeline/edge/edge_xsks","first":64,"queues":64})");
    EXPECT_EQ(edge.at("odd").dump(), R"({"short_ip":3,"many_ext":0})");
    EXPECT_EQ(edge.at("hooks").at(1).at("program"), "program other (id 18)");
    EXPECT_EQ(edge.at("hooks").at(1).at("ours"), false);
}

TEST(StatusJson, SaysWhenNothingIsUp) {
    EXPECT_EQ(to_json(std::optional<edge::Status>()).dump(), R"({"version":1,"edge":{"up":false}})");
}

TEST(StatusJson, ComesBackAsItWas) {
    const Json json = to_json(std::optional(sample_status()));
    const auto back = status_from_json(Json::parse(json.dump()));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    ASSERT_TRUE(back->edge.has_value());
    EXPECT_EQ(to_json(back->edge), json);
    EXPECT_FALSE(back->guests.has_value());
    const auto nothing = status_from_json(to_json(std::optional<edge::Status>()));
    ASSERT_TRUE(nothing.has_value());
    EXPECT_FALSE(nothing->edge.has_value());
}

TEST(StatusJson, OfLocalComesBackAsItWas) {
    const Json json = to_json(host::Status{.local = sample_local()});
    EXPECT_EQ(json.at("local").at("connections").dump(), R"({"half":1,"watched":2,"wanted":3,"on":4,"tcp":5})");
    EXPECT_EQ(json.at("local").at("reasons").dump(), R"({"small":3,"splices":1})");
    EXPECT_EQ(json.at("local").at("rules").at(0).dump(),
              R"({"number":1,"text":"dport 5432 -> accelerate","line":4,"connections":9,"short_bytes":640,)"
              R"("short_messages":10,"tcp_bytes":120,"tcp_messages":2})");
    const auto back = status_from_json(Json::parse(json.dump()));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(to_json(*back), json);
    EXPECT_FALSE(back->edge.has_value());
}

TEST(ConnectionsJson, ComesBackAsItWas) {
    const Json json = connections_to_json(sample_local().connections);
    EXPECT_EQ(json.at("connections").at(0).at("ends").at(0), nullptr);
    EXPECT_EQ(json.at("connections").at(0).at("ends").at(1).at("peer_address"), "10.0.0.9");
    EXPECT_EQ(json.at("connections").at(0).at("rule"), 1);
    EXPECT_EQ(json.at("connections").at(1).at("rule"), nullptr);
    EXPECT_EQ(json.at("connections").at(1).at("reason"), "small");
    const auto back = connections_from_json(Json::parse(json.dump()));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(connections_to_json(*back), json);
    EXPECT_EQ(connections_to_json(std::nullopt).at("up"), false);
    EXPECT_FALSE(connections_from_json(Json::object()).has_value());
}

TEST(StatusJson, OfGuestsComesBackAsItWas) {
    const Json json = to_json(host::Status{.edge = sample_status(), .guests = sample_guests()});
    const Json &guest = json.at("guests").at("guests").at(0);
    EXPECT_EQ(guest.at("wiring"), "veth");
    EXPECT_EQ(guest.at("addresses").dump(), R"(["10.88.0.2/24","fd88::2/64"])");
    EXPECT_EQ(guest.at("publish").dump(), R"(["192.0.2.1:53:5353/udp"])");
    EXPECT_EQ(guest.at("place").dump(), R"({"by":"container","name":"web-1"})");
    EXPECT_EQ(guest.at("mac"), "02:00:5e:10:00:01");
    EXPECT_EQ(json.at("guests").at("uplinks").at(0).at("address6"), nullptr);
    const auto back = status_from_json(Json::parse(json.dump()));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(to_json(*back), json);
}

TEST(StatusJson, OfAHostWithNothingSaysSo) {
    EXPECT_EQ(to_json(host::Status{}).dump(),
              R"({"version":1,"edge":{"up":false},"guests":{"up":false},"local":{"up":false}})");
}

TEST(StatusJson, RefusesWhatIsNoStatus) {
    for (const char *text : {"{}", "[]", "3", R"({"edge":{"up":true}})", R"({"edge":{"up":"yes"}})"}) {
        const auto status = status_from_json(Json::parse(text));
        ASSERT_FALSE(status.has_value()) << text;
        EXPECT_EQ(status.error().kind, Kind::state);
    }
}

TEST(EventJson, ComesBackAsItWas) {
    edge::LogEvent event;
    event.number = 9;
    event.time = std::chrono::nanoseconds(1'700'000'000'123'456'789);
    event.device = "eth0";
    event.rule = 2;
    event.rule_text = "udp -> log drop";
    event.generation = 3;
    event.verdict = 1;
    event.length = 100;
    event.bytes = {std::byte{0}, std::byte{0xff}, std::byte{0x10}};
    const Json json = to_json(event);
    EXPECT_EQ(json.at("rule"), 3) << "people count from 1";
    EXPECT_EQ(json.at("verdict"), "drop");
    EXPECT_EQ(json.at("bytes"), "00ff10");
    const auto back = event_from_json(json);
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(back->bytes, event.bytes);
}

TEST(SetJson, ComesBackAsItWas) {
    const std::vector<edge::SetEntry> entries = {{"10.0.0.0/8", false, std::nullopt},
                                                 {"192.0.2.1", true, std::chrono::seconds(5)}};
    const Json json = to_json(entries);
    const auto back = set_entries_from_json(json);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(json.at("entries").at(0).at("expires_in_seconds"), nullptr);
}

TEST(ErrorJson, KeepsKindAndMessage) {
    const Error error{.kind = Kind::conflict, .code = 16, .what = "eth0", .remedy = "detach it", .detail = "a\nb"};
    const Error back = error_from_json(to_json(error));
    EXPECT_EQ(back.kind, Kind::conflict);
    EXPECT_EQ(back.message(), error.message());
    EXPECT_EQ(back.detail, "a\nb");
    EXPECT_EQ(error_from_json(Json::object()).kind, Kind::state);
}

} // namespace
} // namespace beeline::daemon
