// SPDX-License-Identifier: Apache-2.0
//
// The life of guests: up, add, change, remove, down.
#include <algorithm>

#include <harness/packet.hpp>

#include "guest_test.hpp"

namespace beeline::guest {
namespace {

using testing::Contains, testing::ElementsAre, testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

class GuestLife : public GuestTest {};

TEST_P(GuestLife, up_wires_guests_that_reach_the_host_and_down_leaves_nothing) {
    ASSERT_VALUE(const UpReport report, scene_->up({web(), db()}));
    EXPECT_TRUE(report.first);
    EXPECT_THAT(report.added, ElementsAre("web", "db"));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_EQ(status.file, "guests.toml");
    ASSERT_THAT(status.guests, SizeIs(2));
    const GuestStatus &guest = status.guests[0];
    EXPECT_EQ(guest.name, "web");
    EXPECT_EQ(guest.slot, 0U);
    EXPECT_TRUE(guest.attached);
    EXPECT_EQ(guest.wiring, wiring());
    EXPECT_EQ(guest.why, "");
    EXPECT_EQ(guest.mtu, 1500U);
    EXPECT_THAT(guest.addresses, SizeIs(2));
    EXPECT_THAT(guest.rules, SizeIs(3));
    const bool netkit = guest.wiring == Wiring::netkit_l3 || guest.wiring == Wiring::netkit_l2;
    EXPECT_THAT(guest.hooks, SizeIs(netkit ? 3 : 2));
    for (const HookProgram &program : guest.hooks)
        EXPECT_TRUE(program.ours) << program.program;
    ASSERT_THAT(status.uplinks, SizeIs(1));
    EXPECT_EQ(status.uplinks[0].name, "up0");
    EXPECT_TRUE(status.uplinks[0].attached);
    ASSERT_TRUE(status.uplinks[0].address4 && status.uplinks[0].address6);
    EXPECT_EQ(to_string(*status.uplinks[0].address4), "10.9.0.1");
    EXPECT_EQ(to_string(*status.uplinks[0].address6), "fd09::1");
    const lab::Node &web_node = scene_->node("web"), &db_node = scene_->node("db");
    EXPECT_TRUE(talks(*scene_->host, web_node, "10.88.0.2"));
    EXPECT_TRUE(talks(*scene_->host, web_node, "fd88::2"));
    EXPECT_TRUE(talks(web_node, *scene_->host, "10.9.0.1"));
    EXPECT_TRUE(talks(web_node, *scene_->host, "fd09::1"));
    EXPECT_TRUE(talks(web_node, db_node, "10.88.0.3"));
    EXPECT_TRUE(talks(web_node, db_node, "fd88::3"));
    ASSERT_VALUE(const bool was_up, scene_->down());
    EXPECT_TRUE(was_up);
    expect_as_before();
}

TEST_P(GuestLife, add_and_remove_leave_nothing_and_an_up_keeps_what_was_added) {
    ASSERT_OK(scene_->up({web()}));
    ASSERT_VALUE(const GuestStatus added, scene_->add(db()));
    EXPECT_EQ(added.name, "db");
    EXPECT_TRUE(added.runtime);
    ASSERT_OK(scene_->up({web()}));
    EXPECT_TRUE(scene_->status_of("db").has_value());
    ASSERT_VALUE(const bool removed, scene_->remove("web"));
    EXPECT_TRUE(removed);
    ASSERT_VALUE(const bool again, scene_->remove("web"));
    EXPECT_FALSE(again);
    ASSERT_VALUE(const auto inside, inside_->changes_since());
    EXPECT_THAT(inside, testing::Each(testing::Not(HasSubstr("eth0"))));
    ASSERT_OK(scene_->remove("db"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestLife, up_lets_guests_reach_the_world_and_the_world_reach_them) {
    ASSERT_OK(scene_->up({web(), db()}));
    const lab::Node &guest = scene_->node("web"), &world = *scene_->world;
    EXPECT_TRUE(talks(world, guest, "10.88.0.2"));
    EXPECT_TRUE(talks(world, guest, "fd88::2"));
    EXPECT_TRUE(talks(guest, world, "10.9.0.2"));
    EXPECT_TRUE(talks(guest, world, "fd09::2"));
}

TEST_P(GuestLife, a_reload_swaps_rules_keeps_their_counters_and_leaves_the_device_alone) {
    Text text = db();
    text.rules = {"in udp dport 4000 -> pass", "in udp dport 4001 -> drop", "fallback -> pass"};
    ASSERT_OK(scene_->up({text}));
    const lab::Node &guest = scene_->node("db"), &host = *scene_->host;
    EXPECT_TRUE(talks(host, guest, "10.88.0.3"));
    EXPECT_FALSE(talks(host, guest, "10.88.0.3", 4001));
    ASSERT_VALUE(const GuestStatus before, scene_->status_of("db"));
    ASSERT_THAT(before.rules, SizeIs(3));
    EXPECT_GE(before.rules[0].packets, 1U);
    EXPECT_GE(before.rules[1].packets, 1U);
    text.rules = {"in udp dport 4001 -> pass", "in udp dport 4000 -> pass", "fallback -> pass"};
    ASSERT_VALUE(const Plan plan, scene_->plan({text}));
    EXPECT_THAT(plan.changed, ElementsAre("db"));
    ASSERT_VALUE(const UpReport report, scene_->up({text}));
    EXPECT_THAT(report.changed, ElementsAre("db"));
    EXPECT_THAT(report.rewired, IsEmpty());
    ASSERT_VALUE(const GuestStatus after, scene_->status_of("db"));
    EXPECT_EQ(after.ifindex, before.ifindex);
    ASSERT_THAT(after.rules, SizeIs(3));
    EXPECT_EQ(after.rules[0].packets, 0U);
    EXPECT_EQ(after.rules[1].text, before.rules[0].text);
    EXPECT_EQ(after.rules[1].packets, before.rules[0].packets);
    EXPECT_TRUE(talks(host, guest, "10.88.0.3", 4001));
    ASSERT_VALUE(const Plan same, scene_->plan({text}));
    EXPECT_TRUE(same.empty());
    ASSERT_VALUE(const UpReport again, scene_->up({text}));
    EXPECT_THAT(again.changed, IsEmpty());
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestLife, another_address_makes_the_device_anew_and_rules_count_on) {
    ASSERT_OK(scene_->up({web(), db()}));
    EXPECT_TRUE(talks(*scene_->host, scene_->node("db"), "10.88.0.3"));
    ASSERT_VALUE(const GuestStatus before, scene_->status_of("db"));
    Text moved = db();
    moved.address4 = "10.88.0.9/24";
    ASSERT_VALUE(const UpReport report, scene_->up({web(), moved}));
    EXPECT_THAT(report.rewired, ElementsAre("db"));
    EXPECT_THAT(report.changed, IsEmpty());
    ASSERT_VALUE(const GuestStatus after, scene_->status_of("db"));
    EXPECT_GE(after.rules.at(0).packets, before.rules.at(0).packets);
    EXPECT_TRUE(talks(*scene_->host, scene_->node("db"), "10.88.0.9"));
    ASSERT_VALUE(const UpReport less, scene_->up({web()}));
    EXPECT_THAT(less.removed, ElementsAre("db"));
    ASSERT_OK(scene_->down());
    expect_as_before();
}

TEST_P(GuestLife, explain_tells_the_rule_that_the_loaded_program_goes_by) {
    Text text = web();
    text.rules = {"out udp dport 53 -> drop", "fallback -> pass"};
    ASSERT_OK(scene_->up({text}));
    ASSERT_VALUE(const GuestStatus status, scene_->status_of("web"));
    const auto ask = [&](std::uint16_t port) {
        const auto packet = (harness::Eth{} / harness::Ip4{.src = "10.88.0.2", .dst = "10.9.0.2"} /
                             harness::Udp{.dport = port} / harness::Payload("a question"))
                                .bytes();
        return scene_->host->within([&]() -> Result<Verdict> {
            BL_TRY(const Asker asker, scene_->guests.asker());
            BL_TRY(const KnownGuest *const guest, asker.guest("web"));
            return asker.explain(Seen::out, *guest, std::as_bytes(std::span(packet)));
        });
    };
    ASSERT_VALUE(const Verdict dropped, ask(53));
    EXPECT_EQ(dropped.rule, 0U);
    EXPECT_EQ(dropped.reason_name, "rule");
    EXPECT_EQ(dropped.action, 2);
    ASSERT_VALUE(const Verdict passed, ask(54));
    EXPECT_EQ(passed.rule, 1U);
    EXPECT_NE(passed.action, 2);
    ASSERT_VALUE(const GuestStatus after, scene_->status_of("web"));
    EXPECT_EQ(after.rules.at(0).packets, 0U);
    EXPECT_EQ(after.flows, status.flows);
}

INSTANTIATE_TEST_SUITE_P(By, GuestLife, every_mode(), mode_name);

} // namespace
} // namespace beeline::guest
