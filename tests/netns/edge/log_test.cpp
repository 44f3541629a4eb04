// SPDX-License-Identifier: Apache-2.0
//
// The log of live frames: what rules with `log` tell, through the public API, and the capture file made of it as other
// programs read it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sched.h>

#include <beeline/edge.h>
#include <beeline/edge/capture.hpp>
#include <beeline/edge/events.hpp>

#include "host.hpp"
#include "ways.hpp"
#include "wire.hpp"

namespace beeline::edge {
namespace {

using namespace harness;

/// One CPU until it ends: every n-th packet is counted on each CPU for itself.
class OneCpu {
public:
    OneCpu() {
        ::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(::sched_getcpu(), &one);
        ::sched_setaffinity(0, sizeof one, &one);
    }
    ~OneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
    OneCpu(const OneCpu &) = delete;
    OneCpu &operator=(const OneCpu &) = delete;

private:
    cpu_set_t before_{};
};

class EdgeLog : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        ASSERT_VALUE(auto host, pair_->host_b());
        host_.emplace(std::move(host));
        ASSERT_VALUE(auto from, Wire::open(*pair_->a, "va"));
        from_.emplace(std::move(from));
    }
    [[nodiscard]] Result<> up(const std::vector<std::string> &rules) {
        BL_TRY([[maybe_unused]] const auto report,
               host_->up({.devices = {"vb"}, .rules = rules, .mode = GetParam().mode}));
        return {};
    }
    /// Inside the host's namespace: events name its devices.
    [[nodiscard]] Result<EventReader> reader() {
        return EventReader::open(host_->edge(), host_->pins(),
                                 [this](LogEvent event) { events_.push_back(std::move(event)); });
    }
    /// Waits for so many events, and a moment for one too many.
    [[nodiscard]] Result<> collect(EventReader &reader, std::size_t wanted) {
        return pair_->b->within([&]() -> Result<> {
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
            while (events_.size() < wanted && std::chrono::steady_clock::now() < end) {
                pollfd wait{.fd = reader.epoll_fd(), .events = POLLIN, .revents = 0};
                ::poll(&wait, 1, 100);
                BL_CHECK(reader.consume());
            }
            ::poll(nullptr, 0, 50);
            BL_CHECK(reader.consume());
            return {};
        });
    }
    [[nodiscard]] static Bytes udp(std::uint16_t dport, std::size_t size) {
        const Packet head = GetParam().v6 ? Eth{} / Ip6{} : Eth{} / Ip4{};
        return (head / Udp{.dport = dport} / Payload(size)).bytes();
    }
    [[nodiscard]] static Bytes cut(const Bytes &frame) { return truncate(frame, BL_EDGE_SNAP); }

    std::unique_ptr<Pair> pair_;
    std::optional<Host> host_;
    std::optional<Wire> from_;
    std::vector<LogEvent> events_;
};

INSTANTIATE_TEST_SUITE_P(By, EdgeLog, testing::ValuesIn(kWays), kNameOf);

TEST_P(EdgeLog, tells_rule_verdict_device_and_the_frame_as_it_came) {
    const std::vector<std::string> rules = {"udp dport 6 -> drop", "udp dport 7 -> log drop",
                                            "udp dport 8 -> log rewrite dport 9 ttl 3", "udp dport 5 -> log xsk app"};
    ASSERT_OK(up(rules));
    ASSERT_VALUE(EventReader reader, pair_->b->within([&] { return this->reader(); }));
    const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::seconds(1);
    struct Sent {
        std::uint32_t rule, verdict;
        Bytes frame;
    };
    const std::vector<Sent> all = {{1, BL_EDGE_DROP, udp(7, 18)}, {1, BL_EDGE_DROP, udp(7, 1400)},
                                   {2, BL_EDGE_PASS, udp(8, 18)}, {2, BL_EDGE_PASS, udp(8, 900)},
                                   {3, BL_EDGE_XSK, udp(5, 100)}, {1, BL_EDGE_DROP, udp(7, 0)}};
    const OneCpu one; // the order of events, too
    for (const Sent &sent : all) {
        ASSERT_OK(from_->send(sent.frame));
        ASSERT_OK(from_->send(udp(6, 18))); // another rule's, that does not log
    }
    ASSERT_OK(collect(reader, all.size()));
    ASSERT_EQ(events_.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(events_[i].number, i + 1);
        EXPECT_EQ(events_[i].device, "vb");
        EXPECT_EQ(events_[i].rule, all[i].rule);
        EXPECT_EQ(events_[i].rule_text, rules[all[i].rule]);
        EXPECT_EQ(events_[i].verdict, all[i].verdict);
        EXPECT_EQ(events_[i].length, all[i].frame.size());
        EXPECT_EQ(hex(events_[i].bytes), hex(cut(all[i].frame)));
        EXPECT_GE(events_[i].time, start);
        EXPECT_LE(events_[i].time, std::chrono::system_clock::now().time_since_epoch() + std::chrono::seconds(1));
    }
    EXPECT_EQ(host_->odd("event_lost"), 0U);
}

TEST_P(EdgeLog, samples_one_packet_in_n) {
    const std::string rule = "udp dport 7 -> log every 7 drop";
    ASSERT_OK(up({rule}));
    ASSERT_VALUE(EventReader reader, pair_->b->within([&] { return this->reader(); }));
    constexpr unsigned kFrames = 100;
    {
        const OneCpu one;
        for (unsigned i = 0; i < kFrames; ++i)
            ASSERT_OK(from_->send(udp(7, 18 + i)));
    }
    ASSERT_OK(collect(reader, 15));
    EXPECT_EQ(host_->packets(rule), kFrames);
    ASSERT_EQ(events_.size(), 15U) << "0, 7, ... 98";
    for (std::size_t i = 0; i < events_.size(); ++i)
        EXPECT_EQ(hex(events_[i].bytes), hex(udp(7, 18 + 7 * i)));
}

TEST_P(EdgeLog, goes_on_over_a_reload_and_names_the_rule_of_each_generation) {
    ASSERT_OK(up({"udp dport 7 -> log drop"}));
    ASSERT_VALUE(EventReader reader, pair_->b->within([&] { return this->reader(); }));
    ASSERT_OK(from_->send(udp(7, 18)));
    ASSERT_OK(collect(reader, 1));
    ASSERT_OK(up({"udp dport 9 -> drop", "udp dport 7 -> log pass"}));
    ASSERT_VALUE(const bool same, pair_->b->within([&] { return reader.refresh(host_->edge()); }));
    EXPECT_TRUE(same);
    ASSERT_OK(from_->send(udp(7, 18)));
    ASSERT_OK(collect(reader, 2));
    ASSERT_EQ(events_.size(), 2U);
    EXPECT_EQ(events_[0].rule_text, "udp dport 7 -> log drop");
    EXPECT_EQ(events_[1].rule_text, "udp dport 7 -> log pass");
    EXPECT_EQ(events_[1].rule, 1U);
    EXPECT_EQ(events_[1].generation, events_[0].generation + 1);
}

TEST_P(EdgeLog, that_nobody_reads_is_counted_as_lost_and_loses_no_packet) {
    const std::string rule = "udp dport 7 -> log pass";
    ASSERT_OK(up({rule}));
    constexpr unsigned kFrames = 5000; // of 288 bytes and more, where 1 MiB holds 3,600
    for (unsigned i = 0; i < kFrames; ++i)
        ASSERT_OK(from_->send(udp(7, 18)));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (host_->packets(rule) != kFrames && std::chrono::steady_clock::now() < end)
        ::poll(nullptr, 0, 20);
    EXPECT_EQ(host_->packets(rule), kFrames);
    const std::uint64_t lost = host_->odd("event_lost");
    EXPECT_GT(lost, 0U);
    ASSERT_VALUE(EventReader reader, pair_->b->within([&] { return this->reader(); }));
    ASSERT_OK(collect(reader, kFrames - lost));
    EXPECT_EQ(events_.size(), kFrames - lost) << "what was not lost is there";
}

/// Writes the events as pcapng.
Result<> write(const std::string &path, const std::vector<LogEvent> &events) {
    BL_TRY(PcapngWriter writer, PcapngWriter::create(path));
    for (const LogEvent &event : events)
        BL_CHECK(writer.write(packet_of(event)));
    return writer.flush();
}

TEST_P(EdgeLog, becomes_a_capture_that_tools_read_with_rule_and_verdict) {
    const std::string rule = "udp dport 7 -> log drop";
    ASSERT_OK(up({"udp dport 9 -> drop", rule}));
    ASSERT_VALUE(EventReader reader, pair_->b->within([&] { return this->reader(); }));
    {
        const OneCpu one;
        for (const std::size_t size : {18U, 100U, 1000U})
            ASSERT_OK(from_->send(udp(7, size)));
    }
    ASSERT_OK(collect(reader, 3));
    ASSERT_EQ(events_.size(), 3U);
    const std::string file = pair_->lab.folder() / "log.pcapng";
    ASSERT_OK(write(file, events_));
    ASSERT_VALUE(CaptureReader back, CaptureReader::open(file));
    for (const LogEvent &event : events_) {
        ASSERT_VALUE(const auto packet, back.next());
        ASSERT_TRUE(packet);
        EXPECT_EQ(packet->length, event.length);
        EXPECT_EQ(hex(packet->bytes), hex(event.bytes));
        EXPECT_EQ(packet->time, event.time);
    }
    unsigned readers = 0;
    if (lab::find_program("tshark")) {
        ASSERT_VALUE(
            const std::string said,
            lab::run_checked({.words = {"tshark", "-r", file, "-T", "fields", "-E", "separator=|", "-e", "frame.len",
                                        "-e", "frame.interface_name", "-e", "udp.dstport", "-e", "frame.comment"}}));
        for (const LogEvent &event : events_)
            EXPECT_THAT(said, testing::HasSubstr(fmt::format("{}|vb|7|rule 2 ({}): drop\n", event.length, rule)));
        ++readers;
    }
    if (lab::find_program("capinfos")) {
        ASSERT_VALUE(const std::string said, lab::run_checked({.words = {"capinfos", "-c", "-E", "-t", file}}));
        EXPECT_THAT(said, testing::HasSubstr("pcapng"));
        EXPECT_THAT(said, testing::ContainsRegex("Number of packets: +3\n"));
        ++readers;
    }
    if (lab::find_program("tcpdump")) {
        ASSERT_VALUE(const std::string said, lab::run_checked({.words = {"tcpdump", "-n", "-r", file}}));
        EXPECT_THAT(said, testing::ContainsRegex("\\.40000 > [0-9a-f:.]+\\.7: UDP, length 1000"));
        ++readers;
    }
    if (readers == 0)
        GTEST_SKIP() << "none of tshark, capinfos, tcpdump is installed; our own reader read it";
}

} // namespace
} // namespace beeline::edge
