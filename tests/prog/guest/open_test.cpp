// SPDX-License-Identifier: Apache-2.0
//
// Guests without rules, and how packets enter guests of each kind.
#include <arpa/inet.h>

#include "world.hpp"

namespace beeline::guest::test {
namespace {

using namespace harness;
using Counted = std::map<std::string, std::uint64_t>;

class GuestKinds : public World {
protected:
    void make(std::uint32_t slot, std::uint32_t kind) {
        bl_guest made = guest(slot);
        made.kind = kind;
        set_guest(slot, made);
    }
};

TEST_F(GuestKinds, that_are_open_need_no_flow_between_them) {
    const Bytes frame = (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Tcp{}).bytes();
    open(kWeb);
    EXPECT_EQ(out(kWeb, frame).verdict, kPass);
    EXPECT_EQ(flows().size(), 2u) << "the other one has rules";
    forget_flows();
    open(kMail);
    const Ran ran = out(kWeb, frame);
    EXPECT_EQ(ran.verdict, kPass);
    EXPECT_EQ(ran.skb.mark, BL_GUEST_MARK | kMail);
    EXPECT_EQ(flows().size(), 0u);
    EXPECT_EQ(hits(kWeb, 0), 2u);
    EXPECT_EQ(hits(kMail, 0), 2u);
    EXPECT_EQ(in(kMail, (Eth{} / Ip4{.src = kBack4, .dst = kMail4} / Udp{}).bytes()).verdict, kNext);
    EXPECT_EQ(hits(kMail, 0), 3u);
    EXPECT_EQ(out(kWeb, (Eth{} / Ip4{.src = kPlain4, .dst = kMail4} / Tcp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(in(kMail, (Eth{} / Ip4{.src = kBack4, .dst = kWeb4} / Udp{}).bytes()).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"spoofed", 1}, {"not_its_address", 1}}));
}

TEST_F(GuestKinds, still_hear_that_a_packet_is_too_big) {
    open(kWeb);
    open(kMail);
    bl_guest mail = guest(kMail);
    mail.mtu = 1000;
    set_guest(kMail, mail);
    EXPECT_EQ(
        out(kWeb, (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{} / Payload(std::size_t{1000})).bytes()).verdict,
        kRedirect);
    EXPECT_EQ(counted(), (Counted{{"too_big", 1}}));
}

TEST_F(GuestKinds, are_entered_as_their_devices_need_it) {
    struct Case {
        const char *sentence;
        std::uint32_t from, to; ///< Kinds of the web guest and the mail guest.
        std::uint32_t verdict;
        bool marked, addressed;
    };
    for (const Case &c : {Case{"netkit to netkit L3", BL_GUEST_NETKIT_L3, BL_GUEST_NETKIT_L3, kPass, true, false},
                          {"netkit to netkit L2", BL_GUEST_NETKIT_L3, BL_GUEST_NETKIT_L2, kPass, true, false},
                          {"netkit to veth", BL_GUEST_NETKIT_L2, BL_GUEST_VETH, kPass, true, false},
                          {"netkit to a tap", BL_GUEST_NETKIT_L3, BL_GUEST_TAP, kRedirect, true, true},
                          {"veth to veth, by its peer", BL_GUEST_VETH, BL_GUEST_VETH, kRedirect, false, false},
                          {"a tap to netkit, by its peer", BL_GUEST_TAP, BL_GUEST_NETKIT_L3, kRedirect, false, false},
                          {"veth to a tap", BL_GUEST_VETH, BL_GUEST_TAP, kRedirect, true, true}}) {
        SCOPED_TRACE(c.sentence);
        make(kWeb, c.from);
        make(kMail, c.to);
        const Bytes frame = (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{}).bytes();
        const Ran ran = out(kWeb, frame);
        EXPECT_EQ(ran.verdict, c.verdict);
        EXPECT_EQ(ran.skb.mark, c.marked ? BL_GUEST_MARK | kMail : 0u);
        Eth eth;
        if (c.addressed)
            eth = {.dst = {0x02, 0, 0, 0, 0x88, kMail}, .src = {0x02, 0, 0, 1, 0x88, kMail}};
        EXPECT_EQ(hex(ran.frame), hex((eth / Ip4{.src = kWeb4, .dst = kMail4} / Udp{}).bytes()));
    }
}

TEST_F(GuestKinds, that_are_open_take_large_packets_of_small_segments) {
    open(kWeb);
    open(kMail);
    for (const bool six : {false, true}) {
        const Tcp tcp{.options = Bytes(12)};
        const Payload payload(std::size_t{3000});
        const Bytes frame = six ? (Eth{} / Ip6{.src = kWeb6, .dst = kMail6} / tcp / payload).bytes()
                                : (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / tcp / payload).bytes();
        __sk_buff skb{};
        skb.gso_size = six ? 1428 : 1448; // 1500 with the headers
        skb.gso_segs = 3;
        EXPECT_EQ(out(kWeb, frame, skb).verdict, kPass);
        EXPECT_EQ(flows().size(), 0u);
        EXPECT_EQ(counted(), Counted{});
        ++skb.gso_size;
        EXPECT_EQ(out(kWeb, frame, skb).verdict, kRedirect) << "the answer";
        EXPECT_EQ(counted(), (Counted{{"too_big", 1}}));
        forget_flows();
    }
}

TEST_F(GuestKinds, are_entered_from_the_far_end_of_netkit_by_the_mark) {
    const auto across = [this](std::uint32_t mark) {
        __sk_buff skb{};
        skb.mark = mark;
        return run(programs()->progs.guest_across, (Eth{} / Ip4{.src = kWeb4, .dst = kMail4} / Udp{}).bytes(), skb);
    };
    for (const std::uint32_t mark : {0u, 5u, 0xbee00000u | kMail, BL_GUEST_MARK + 0x10000u + kMail}) {
        const Ran ran = across(mark);
        EXPECT_EQ(ran.verdict, kNext) << std::hex << mark;
        EXPECT_EQ(ran.skb.mark, mark) << "not ours";
    }
    const Ran ran = across(BL_GUEST_MARK | kMail);
    EXPECT_EQ(ran.verdict, kRedirect);
    EXPECT_EQ(ran.skb.mark, 0u) << "the guest does not see it";
    EXPECT_EQ(counted(), Counted{});
    EXPECT_EQ(across(BL_GUEST_MARK | BL_GUEST_NONE).verdict, kDrop);
    bl_guest mail = guest(kMail);
    mail.flags &= ~BL_GUEST_UP;
    set_guest(kMail, mail);
    EXPECT_EQ(across(BL_GUEST_MARK | kMail).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_guest", 2}}));
}

TEST_F(GuestKinds, take_what_was_judged_for_them_and_no_others) {
    const Bytes frame = (Eth{} / Ip4{.src = kMail4, .dst = kWeb4} / Udp{}).bytes();
    __sk_buff skb{};
    skb.mark = BL_GUEST_MARK | BL_GUEST_NONE; // the slot of a stub that was given none
    const Ran ran = run(programs()->progs.guest_in_stub, frame, skb);
    EXPECT_EQ(ran.verdict, kNext);
    EXPECT_EQ(ran.skb.mark, 0u) << "the guest does not see it";
    skb.mark = BL_GUEST_MARK | kMail;
    EXPECT_EQ(run(programs()->progs.guest_in_stub, frame, skb).verdict, kDrop);
    EXPECT_EQ(counted(), (Counted{{"no_guest", 1}}));
}

} // namespace
} // namespace beeline::guest::test
