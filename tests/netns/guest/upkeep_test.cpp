// SPDX-License-Identifier: Apache-2.0
//
// What maintain() does each second: uplinks that follow the default routes, flows that end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/kernel/typed_map.hpp>

#include "guest_test.hpp"
#include "lab/socket.hpp"

namespace beeline::guest {
namespace {

using testing::ElementsAre, testing::IsEmpty, testing::SizeIs;
using FlowTable = kernel::Map<bl_tuple, bl_flow>;

class Upkeep : public OnScene<testing::Test> {
protected:
    void SetUp() override {
        if (!has_scene(Mode::veth))
            return;
        ASSERT_OK(scene_->add_node("web"));
    }
    static Text web() {
        return {.name = "web",
                .address4 = "10.88.0.2/24",
                .address6 = "fd88::2/64",
                .rules = {"in udp dport 4000 -> pass", "in tcp dport 4000 -> pass", "in -> drop"}};
    }
    [[nodiscard]] std::vector<std::string> uplinks() const {
        std::vector<std::string> names;
        const auto status = scene_->status();
        EXPECT_TRUE(status) << status.error().message();
        for (const UplinkStatus &uplink : status ? status->uplinks : std::vector<UplinkStatus>())
            if (uplink.attached)
                names.push_back(uplink.name);
        return names;
    }
    Result<std::string> ip(const std::vector<std::string> &words) const {
        std::vector<std::string> all = {"ip"};
        all.insert(all.end(), words.begin(), words.end());
        return scene_->host->run({.words = all});
    }
};

TEST_F(Upkeep, automatic_uplinks_are_those_of_the_default_routes_and_follow_them) {
    ASSERT_OK(scene_->lab.cable({.node = scene_->host, .device = "up1", .addresses = {"10.8.0.1/24"}},
                                {.node = scene_->world, .device = "w1", .addresses = {"10.8.0.2/24"}}));
    ASSERT_OK(ip({"route", "add", "default", "via", "10.9.0.2"}));
    scene_->settings.uplinks.clear();
    ASSERT_OK(scene_->up({web()}));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_TRUE(status.uplinks_auto);
    EXPECT_THAT(uplinks(), ElementsAre("up0"));
    EXPECT_TRUE(talks(*scene_->world, scene_->node("web"), "10.88.0.2"));

    ASSERT_OK(ip({"route", "replace", "default", "via", "10.8.0.2"}));
    ASSERT_VALUE(const Maintained moved, scene_->maintain());
    EXPECT_THAT(moved.uplinks, SizeIs(2)) << "one came, one went";
    EXPECT_THAT(uplinks(), ElementsAre("up1"));
    ASSERT_OK(ip({"-6", "route", "add", "default", "via", "fd09::2"}));
    ASSERT_OK(scene_->maintain());
    EXPECT_THAT(uplinks(), testing::UnorderedElementsAre("up0", "up1"));
    ASSERT_VALUE(const Maintained same, scene_->maintain());
    EXPECT_THAT(same.uplinks, IsEmpty());

    ASSERT_OK(ip({"route", "del", "default"}));
    ASSERT_OK(ip({"-6", "route", "del", "default"}));
    ASSERT_OK(scene_->maintain());
    EXPECT_THAT(uplinks(), IsEmpty());
    ASSERT_OK(ip({"route", "add", "default", "dev", "blweb"}));
    ASSERT_OK(scene_->maintain());
    EXPECT_THAT(uplinks(), IsEmpty()) << "a guest's device is no uplink";
}

/// A TCP connection from the host to the guest, over which words go both ways.
class Connection {
public:
    Connection(const lab::Node &from, const lab::Node &to) {
        const auto at = lab::SocketAddress::make("10.88.0.2", 4000);
        auto listener = to.within([&] { return lab::open_server(*at, lab::Transport::tcp, kWait); });
        auto client = from.within([&] { return lab::open_socket(AF_INET, lab::Transport::tcp, kWait); });
        if (!at || !listener || !client || ::connect(client->get(), at->get(), at->length) != 0)
            return;
        server_ = kernel::UniqueFd(::accept(listener->get(), nullptr, nullptr));
        client_ = std::move(*client);
    }
    [[nodiscard]] bool works() const {
        char word = 'w';
        return client_.valid() && server_.valid() && ::send(client_.get(), &word, 1, 0) == 1 &&
               ::recv(server_.get(), &word, 1, 0) == 1 && ::send(server_.get(), &word, 1, 0) == 1 &&
               ::recv(client_.get(), &word, 1, 0) == 1;
    }

private:
    static constexpr std::chrono::seconds kWait{2};
    kernel::UniqueFd client_, server_;
};

TEST_F(Upkeep, flows_that_are_over_end_and_established_ones_stay) {
    ASSERT_OK(scene_->up({web()}));
    const Connection connection(*scene_->host, scene_->node("web"));
    ASSERT_TRUE(connection.works());
    ASSERT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2"));
    ASSERT_VALUE(auto flows, FlowTable::from_pin(scene_->lab.bpffs() / "beeline/guest/guest_flows"));
    const auto count = [&flows](std::uint8_t proto) {
        const auto entries = flows.entries();
        return entries ? std::ranges::count_if(*entries, [proto](const auto &one) { return one.first.proto == proto; })
                       : -1;
    };
    /// As if no packet had come for so long; only those that answer: the others had some.
    const auto age = [&flows](std::uint64_t seconds, bool answers_only) {
        const auto entries = flows.entries();
        ASSERT_TRUE(entries);
        for (const auto &[key, flow] : *entries) {
            if (answers_only && (flow.flags & BL_FLOW_REPLY) == 0)
                continue;
            bl_flow old = flow;
            old.seen_ns -= seconds * 1'000'000'000;
            ASSERT_OK(flows.update(key, old));
        }
    };
    ASSERT_EQ(count(IPPROTO_UDP), 2);
    ASSERT_EQ(count(IPPROTO_TCP), 2);
    ASSERT_VALUE(const Maintained at_once, scene_->maintain());
    EXPECT_EQ(at_once.flows_ended, 0U);
    age(BL_FLOW_UDP_SECONDS + 10, true);
    ASSERT_VALUE(const Maintained one_way, scene_->maintain());
    EXPECT_EQ(one_way.flows_ended, 0U) << "a flow lives as long as one of its directions";
    age(BL_FLOW_UDP_SECONDS + 10, false);
    ASSERT_VALUE(const Maintained ended, scene_->maintain());
    EXPECT_EQ(ended.flows_ended, 2U);
    EXPECT_EQ(count(IPPROTO_UDP), 0);
    EXPECT_EQ(count(IPPROTO_TCP), 2);
    EXPECT_TRUE(connection.works());
    EXPECT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2")) << "it begins anew";
    age(BL_FLOW_TCP_SECONDS + 10, false);
    ASSERT_OK(scene_->maintain());
    EXPECT_EQ(count(IPPROTO_TCP), 0);
}

} // namespace
} // namespace beeline::guest
