// SPDX-License-Identifier: Apache-2.0
//
// What each verdict does to a frame, apart from rewriting (rewrite_test.cpp).
#include <gtest/gtest.h>

#include <linux/bpf.h>
#include <sys/socket.h>

#include <beeline/kernel/typed_map.hpp>

#include "prog/edge/subject.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

class EdgeAction : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

const Eth kSwapped{.dst = Eth{}.src, .src = Eth{}.dst};
const Ip4 kSwapped4{.src = Ip4{}.dst, .dst = Ip4{}.src};
const Ip6 kSwapped6{.src = Ip6{}.dst, .dst = Ip6{}.src};

Bytes dns4() {
    return (Eth{} / Ip4{} / Udp{} / Payload("question")).bytes();
}

TEST_F(EdgeAction, PassDropAbort) {
    check(std::vector<Case>{
        {"pass", {"udp -> pass", "fallback -> drop"}, dns4(), 0, XDP_PASS},
        {"drop", {"udp -> drop"}, dns4(), 0, XDP_DROP},
        {"abort", {"udp -> abort"}, dns4(), 0, XDP_ABORTED},
        {"the first rule that matches decides",
         {"tcp -> abort", "udp -> pass", "dport 53 -> drop"},
         dns4(),
         1,
         XDP_PASS},
        {"the fallback", {"tcp -> pass", "fallback -> drop"}, dns4(), 1, XDP_DROP},
        {"an implied fallback passes", {"tcp -> drop"}, dns4(), 1, XDP_PASS},
    });
}

/// Around the lengths where the program scans its table another way, the last rule is found, and none behind it.
TEST_F(EdgeAction, TablesOfEveryLength) {
    for (const std::size_t length : {1u, 2u, 31u, 32u, 33u, 63u, 64u, 65u, 96u, 1023u, 1024u}) {
        SCOPED_TRACE(length);
        std::vector<std::string> rules;
        for (std::size_t i = 1; i < length; ++i)
            rules.push_back("udp dport " + std::to_string(i) + " -> drop");
        rules.push_back("fallback -> abort");
        ASSERT_VALUE(const Subject subject, Subject::load(rules));
        ASSERT_EQ(subject.tables().entries.size(), length);
        const auto to_port = [](std::size_t port) {
            return (Eth{} / Ip6{} / Udp{.dport = static_cast<std::uint16_t>(port)}).bytes();
        };
        ASSERT_VALUE(const Judgement last, subject.judge(to_port(length)));
        EXPECT_EQ(last.rule, length - 1);
        EXPECT_EQ(last.xdp, unsigned{XDP_ABORTED});
        if (length == 1)
            continue;
        ASSERT_VALUE(const Judgement before, subject.judge(to_port(length - 1)));
        EXPECT_EQ(before.rule, length - 2);
        ASSERT_VALUE(const Judgement first, subject.judge(to_port(1)));
        EXPECT_EQ(first.rule, 0u);
    }
}

TEST_F(EdgeAction, TxSwapsWhatIsThere) {
    const std::vector<std::string> tx{"fallback -> tx"};
    check(std::vector<Case>{
        {"UDP over IPv4",
         tx,
         dns4(),
         0,
         XDP_TX,
         {},
         (kSwapped / kSwapped4 / Udp{.sport = 53, .dport = 40000} / Payload("question")).bytes()},
        {"TCP over IPv6 behind a tag and an extension header",
         tx,
         (Eth{} / Vlan{.id = 7} / Ip6{} / Ext{} / Tcp{} / Payload(3)).bytes(),
         0,
         XDP_TX,
         {},
         (kSwapped / Vlan{.id = 7} / kSwapped6 / Ext{} / Tcp{.sport = 443, .dport = 40000} / Payload(3)).bytes()},
        {"ICMP has no ports",
         tx,
         (Eth{} / Ip4{} / Icmp{} / Payload(9)).bytes(),
         0,
         XDP_TX,
         {},
         (kSwapped / kSwapped4 / Icmp{} / Payload(9)).bytes()},
        {"ARP: the MACs only", tx, (Eth{} / Arp{}).bytes(), 0, XDP_TX, {}, (kSwapped / Arp{}).bytes()},
        {"a later fragment: addresses, not its first bytes",
         tx,
         (Eth{} / Ip4{.offset = 5, .proto = 17} / Payload(20)).bytes(),
         0,
         XDP_TX,
         {},
         (kSwapped / Ip4{.src = Ip4{}.dst, .dst = Ip4{}.src, .offset = 5, .proto = 17} / Payload(20)).bytes()},
        {"UDP-Lite",
         tx,
         (Eth{} / Ip4{} / UdpLite{} / Payload(5)).bytes(),
         0,
         XDP_TX,
         {},
         (kSwapped / kSwapped4 / UdpLite{.sport = 53, .dport = 40000} / Payload(5)).bytes()},
        {"DCCP",
         tx,
         (Eth{} / Ip4{} / Dccp{} / Payload(5)).bytes(),
         0,
         XDP_TX,
         {},
         (kSwapped / kSwapped4 / Dccp{.sport = 5000, .dport = 40000} / Payload(5)).bytes()},
        {"SCTP's CRC would be wrong: dropped",
         tx,
         (Eth{} / Ip4{} / Sctp{} / Payload(5)).bytes(),
         0,
         XDP_DROP,
         {{"csum_failed", 1}}},
        {"ports that cannot be read cannot be swapped: dropped",
         tx,
         (Eth{} / Ip4{} / Tcp{.doff = 4}).bytes(),
         0,
         XDP_DROP,
         {{"bad_doff", 1}, {"rewrite_short", 1}}},
        {"a partial checksum leaves finished",
         tx,
         (Eth{} / Ip4{} / Udp{.sum = Sum::partial} / Payload(11)).bytes(),
         0,
         XDP_TX,
         {{"csum_completed", 1}},
         (kSwapped / kSwapped4 / Udp{.sport = 53, .dport = 40000} / Payload(11)).bytes()},
    });
}

TEST_F(EdgeAction, Redirect) {
    const Bytes partial = (Eth{} / Ip6{} / Tcp{.sum = Sum::partial} / Payload(1000)).bytes();
    check(std::vector<Case>{
        {"the frame as it is", {"udp -> redirect lo"}, dns4(), 0, XDP_REDIRECT},
        {"a partial checksum leaves finished",
         {"tcp -> redirect lo"},
         partial,
         0,
         XDP_REDIRECT,
         {{"csum_completed", 1}},
         (Eth{} / Ip6{} / Tcp{} / Payload(1000)).bytes()},
        {"a malformed frame leaves as it is",
         {"malformed -> redirect lo"},
         (Eth{} / Ip4{} / Tcp{.doff = 4}).bytes(),
         0,
         XDP_REDIRECT,
         {{"bad_doff", 1}}},
    });
    ASSERT_VALUE(const Subject subject, Subject::load({"fallback -> redirect lo"}));
    ASSERT_VALUE(auto devices, (kernel::Map<std::uint32_t, std::uint32_t>::share(subject.program().fd("edge_devs"))));
    ASSERT_OK(devices.erase(0)); // as the kernel does when the device goes
    ASSERT_VALUE(const Outcome run, subject.run(partial));
    EXPECT_EQ(run.xdp, XDP_DROP);
    ASSERT_VALUE(const auto counted, subject.reasons());
    EXPECT_EQ(counted, (std::map<std::string, std::uint64_t>{{"redirect_failed", 1}}));
}

TEST_F(EdgeAction, CpuAndXsk) {
    const Bytes partial = (Eth{} / Ip4{} / Tcp{.sum = Sum::partial} / Payload(7)).bytes();
    check(std::vector<Case>{
        {"to a CPU as a bare frame: the checksum is finished",
         {"tcp -> cpu 0"},
         partial,
         0,
         XDP_REDIRECT,
         {{"csum_completed", 1}},
         (Eth{} / Ip4{} / Tcp{} / Payload(7)).bytes()},
        {"nobody listens: passed, and still partial for the stack",
         {"tcp -> xsk capture"},
         partial,
         0,
         XDP_PASS,
         {{"xsk_absent", 1}}},
    });
    ASSERT_VALUE(const Subject subject, Subject::load({"fallback -> cpu 0"}));
    ASSERT_VALUE(const kernel::MapInfo cpus, kernel::map_info(subject.kept().fd("edge_cpus")));
    const std::uint32_t zero = 0;
    ASSERT_OK(kernel::raw::erase(subject.kept().fd("edge_cpus"), cpus, &zero));
    ASSERT_VALUE(const Outcome run, subject.run(partial));
    EXPECT_EQ(run.xdp, XDP_PASS);
    EXPECT_EQ(hex(run.frame), hex(partial));
    ASSERT_VALUE(const auto counted, subject.reasons());
    EXPECT_EQ(counted, (std::map<std::string, std::uint64_t>{{"cpu_failed", 1}}));
}

/// User space reads bytes: nobody finishes a checksum for it, in generic mode either.
TEST_F(EdgeAction, XskGetsFinishedChecksums) {
    const Bytes partial = (Eth{} / Ip4{} / Tcp{.sum = Sum::partial} / Payload(7)).bytes();
    ASSERT_VALUE(const Subject subject, Subject::load({"tcp -> xsk capture", "fallback -> xsk other"}));
    const kernel::UniqueFd socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    ASSERT_GE(socket.get(), 0);
    ASSERT_VALUE(const kernel::MapInfo sockets, kernel::map_info(subject.kept().fd("edge_xsks")));
    const std::uint32_t first = subject.tables().xsks.at("capture") * BL_EDGE_XSK_QUEUES;
    const int fd = socket.get();
    ASSERT_OK(kernel::raw::update(subject.kept().fd("edge_xsks"), sockets, &first, &fd, kernel::Update::any));
    ASSERT_VALUE(auto modes, (kernel::Map<std::uint32_t, std::uint32_t>::share(subject.kept().fd("edge_modes"))));
    for (const std::uint32_t mode : {BL_EDGE_MODE_NATIVE, BL_EDGE_MODE_GENERIC}) {
        ASSERT_OK(modes.update(kLo, mode));
        ASSERT_VALUE(const Outcome run, subject.run(partial, kLo));
        EXPECT_EQ(run.xdp, unsigned{XDP_REDIRECT});
        EXPECT_EQ(hex(run.frame), hex((Eth{} / Ip4{} / Tcp{} / Payload(7)).bytes()));
    }
    ASSERT_VALUE(const Outcome other, subject.run(dns4(), kLo));
    EXPECT_EQ(other.xdp, unsigned{XDP_PASS}) << "the other name has no socket";
}

/// Generic XDP sends and redirects the skb itself, with its mark that the checksum is still to be finished.
TEST_F(EdgeAction, GenericModeKeepsPartialChecksums) {
    const Bytes partial = (Eth{} / Ip4{} / Tcp{.sum = Sum::partial} / Payload(7)).bytes();
    for (const char *rule : {"fallback -> redirect lo", "fallback -> cpu 0"}) {
        SCOPED_TRACE(rule);
        ASSERT_VALUE(const Subject subject, Subject::load({rule}));
        ASSERT_VALUE(auto modes, (kernel::Map<std::uint32_t, std::uint32_t>::share(subject.kept().fd("edge_modes"))));
        ASSERT_OK(modes.update(kLo, BL_EDGE_MODE_GENERIC));
        ASSERT_VALUE(const Outcome generic, subject.run(partial, kLo));
        EXPECT_EQ(hex(generic.frame), hex(partial));
        ASSERT_OK(modes.update(kLo, BL_EDGE_MODE_NATIVE));
        ASSERT_VALUE(const Outcome native, subject.run(partial, kLo));
        EXPECT_EQ(hex(native.frame), hex((Eth{} / Ip4{} / Tcp{} / Payload(7)).bytes()));
    }
}

} // namespace
} // namespace beeline::edge
