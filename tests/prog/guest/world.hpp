// SPDX-License-Identifier: Apache-2.0
//
// A host with guests as the guests' programs see it: the maps filled as user space fills them, and a namespace whose
// routes lead to the world. Nothing is attached anywhere: packets are put through the programs one by one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <linux/bpf.h>

#include <beeline/guest.h>
#include <beeline/guest/tables.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <harness/assert.hpp>
#include <harness/packet.hpp>
#include <harness/packet_sum.hpp>
#include <harness/test_net.hpp>

#include <guest.skel.h>

namespace beeline::guest::test {

using harness::Addr4;
using harness::Addr6;
using harness::Bytes;

/// Verdicts. kPass, from netkit to another guest: with a mark, for guest_across.
inline constexpr std::uint32_t kNext = 0xffffffff, kPass = 0, kDrop = 2, kRedirect = 7;

/// Slots of the guests that there are. Web and mail go to the world with the uplink's address.
inline constexpr std::uint32_t kWeb = 1;   ///< netkit L3
inline constexpr std::uint32_t kMail = 2;  ///< netkit L2
inline constexpr std::uint32_t kPlain = 3; ///< veth, no masquerade, no IPv6

inline constexpr const char *kWeb4 = "10.88.0.2", *kMail4 = "10.88.0.3", *kPlain4 = "10.88.0.4";
inline constexpr const char *kWeb6 = "2001:db8:88::2", *kMail6 = "2001:db8:88::3";
inline constexpr const char *kHost4 = "203.0.113.1", *kHost6 = "2001:db8:f::1"; ///< Of the uplink.
inline constexpr const char *kBack4 = "192.168.7.1";                            ///< Of a device that is no uplink.
inline constexpr const char *kWorld4 = "198.51.100.2", *kWorld6 = "2001:db8:1::2";
inline constexpr std::uint16_t kNatLow = 61000, kNatHigh = 61999;

/// What a program made of a packet.
struct Ran {
    std::uint32_t verdict = 0;
    Bytes frame;
    __sk_buff skb{};
};

/// One flow entry of the kernel.
using Flow = std::pair<bl_tuple, bl_flow>;

class World : public testing::Test {
protected:
    void SetUp() override;

    /// What traffic meets: at the guest's device, from the host's stack to the guest, at the uplink.
    Ran out(std::uint32_t slot, const Bytes &frame, __sk_buff skb = {}, bool no_device = false);
    Ran in(std::uint32_t slot, const Bytes &frame, __sk_buff skb = {});
    Ran wire(const Bytes &frame, __sk_buff skb = {});
    /// A program as it is, with this context.
    Ran run(const bpf_program *program, const Bytes &frame, const __sk_buff &skb);

    /// The rules of a guest, `fallback -> pass` behind them; the generation stays unless judge_anew() follows.
    void rules(std::uint32_t slot, const std::vector<std::string> &rules, std::vector<policy::Set> sets = {});
    void load(std::uint32_t slot, const Policy &policy);
    void erase_rules(std::uint32_t slot, std::uint32_t direction);
    /// Every flow is judged by the rules of now.
    void judge_anew() { settle(++generation_); }
    void publish(const char *address, std::uint16_t port, std::uint8_t proto, std::uint32_t slot,
                 std::uint16_t guest_port, bool six = false);
    void set_guest(std::uint32_t slot, const bl_guest &guest);
    [[nodiscard]] bl_guest guest(std::uint32_t slot);
    /// As user space marks a guest whose rules pass everything.
    void open(std::uint32_t slot);
    void settle(std::uint32_t generation, std::uint16_t low = kNatLow, std::uint16_t high = kNatHigh);

    [[nodiscard]] std::vector<Flow> flows();
    [[nodiscard]] std::optional<bl_flow> flow(const bl_tuple &key);
    void write_flow(const bl_tuple &key, const bl_flow &flow);
    void forget_flows();
    /// As if nothing had come for so long.
    void age_flows(std::uint64_t seconds);
    /// Reason counters that are not 0, since the last time this was asked.
    std::map<std::string, std::uint64_t> counted();
    /// Log events since the last time.
    [[nodiscard]] std::vector<bl_guest_event> logged();
    /// Packets of a rule.
    [[nodiscard]] std::uint64_t hits(std::uint32_t slot, std::size_t rule);

    /// Gives the world's routes, or takes them away.
    [[nodiscard]] Result<> set_uplink(bool up);
    [[nodiscard]] Result<> set_uplink_mtu(std::uint32_t mtu) {
        return net_->links().set_mtu(static_cast<int>(uplink_), mtu);
    }

    /// A rule's slot in guest_hits.
    [[nodiscard]] std::uint32_t counter(std::uint32_t slot, std::size_t rule) const {
        return tables_.at(slot).rules.at(rule).counter;
    }

    template <class K, class V>
    kernel::Map<K, V> map(const bpf_map *map) {
        auto typed = kernel::Map<K, V>::share(bpf_map__fd(map));
        EXPECT_TRUE(typed) << typed.error().message();
        return *std::move(typed);
    }
    [[nodiscard]] const kernel::Loaded<guest_bpf> &programs() const { return *programs_; }
    [[nodiscard]] std::uint32_t uplink() const { return uplink_; }

private:
    void wire_up();
    [[nodiscard]] Result<> add_routes();
    void add_guests();
    void add_guest(std::uint32_t slot, const char *device, std::uint32_t kind, std::uint32_t flags, const char *four,
                   const char *six);

    std::optional<kernel::Loaded<guest_bpf>> programs_;
    std::optional<harness::TestNet> net_;
    std::map<std::uint32_t, Tables> tables_;
    std::map<std::string, std::uint64_t> counted_;
    std::uint32_t uplink_ = 0, generation_ = 1, next_counter_ = 1;
};

/// Addresses as the maps hold them.
[[nodiscard]] std::uint32_t word(const char *address4);
void set_words(std::uint32_t (&to)[4], const char *address);

/// The L4 ports (or echo identifier) of an IP frame without options.
struct Ends {
    std::string src, dst;
    std::uint16_t sport = 0, dport = 0;
    int ttl = 0;
    bool operator==(const Ends &) const = default;
};
[[nodiscard]] Ends ends_of(const Bytes &frame);
std::ostream &operator<<(std::ostream &out, const Ends &ends);

} // namespace beeline::guest::test
