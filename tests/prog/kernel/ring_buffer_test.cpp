// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/ring_buffer.hpp>

#include <array>

#include <gtest/gtest.h>
#include <poll.h>

#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <harness/assert.hpp>
#include <kernel_test.skel.h>

namespace beeline::kernel {
namespace {

using std::chrono::milliseconds;
constexpr std::array<std::byte, 60> kFrame{};

struct Event {
    std::uint32_t marker;
    std::uint32_t length;
};
struct LongerEvent {
    Event event;
    std::uint64_t more;
};

class RingBuffers : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
        opened.rodata()->cfg.marker = 0xbee;
        opened.rodata()->cfg.verdict = XDP_DROP;
        ASSERT_VALUE(auto loaded, std::move(opened).load());
        loaded_.emplace(std::move(loaded));
    }
    [[nodiscard]] int events() const { return bpf_map__fd((*loaded_)->maps.events); }
    void send(std::uint32_t packets) const {
        ASSERT_OK(test_run(bpf_program__fd((*loaded_)->progs.report), {.data = kFrame, .repeat = packets}));
    }
    std::optional<Loaded<kernel_test_bpf>> loaded_;
};

TEST_F(RingBuffers, bring_every_record_to_the_callback) {
    std::vector<Event> seen;
    ASSERT_VALUE(auto ring,
                 RingBuffer::open_typed<Event>(events(), [&seen](const Event &event) { seen.push_back(event); }));
    send(3);
    ASSERT_VALUE(const unsigned count, ring.poll(milliseconds(1000)));
    EXPECT_EQ(count, 3U);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[2].marker, 0xbeeU);
    EXPECT_EQ(seen[2].length, kFrame.size());
    ASSERT_VALUE(const unsigned nothing, ring.poll(milliseconds(0)));
    EXPECT_EQ(nothing, 0U);
}

TEST_F(RingBuffers, are_readable_when_there_is_something) {
    unsigned calls = 0;
    ASSERT_VALUE(auto ring, RingBuffer::open(events(), [&calls](std::span<const std::byte> record) {
                     EXPECT_EQ(record.size(), sizeof(Event));
                     ++calls;
                 }));
    pollfd waiting{.fd = ring.epoll_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiting, 1, 0), 0);
    send(2);
    EXPECT_EQ(::poll(&waiting, 1, 1000), 1);
    ASSERT_VALUE(const unsigned count, ring.consume());
    EXPECT_EQ(count, 2U);
    EXPECT_EQ(calls, 2U);
}

TEST_F(RingBuffers, skip_records_that_are_too_short) {
    unsigned calls = 0;
    ASSERT_VALUE(auto ring, RingBuffer::open_typed<LongerEvent>(events(), [&calls](const LongerEvent &) { ++calls; }));
    send(1);
    ASSERT_VALUE(const unsigned count, ring.consume());
    EXPECT_EQ(count, 1U);
    EXPECT_EQ(calls, 0U);
}

TEST_F(RingBuffers, survive_being_moved_and_losing_the_callers_descriptor) {
    unsigned calls = 0;
    ASSERT_VALUE(UniqueFd own, duplicate(events()));
    ASSERT_VALUE(auto first, RingBuffer::open(own.get(), [&calls](auto) { ++calls; }));
    own = UniqueFd();
    RingBuffer ring = std::move(first);
    send(1);
    ASSERT_OK(ring.poll(milliseconds(1000)));
    EXPECT_EQ(calls, 1U);
}

TEST_F(RingBuffers, can_be_several_behind_one_descriptor) {
    ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
    ASSERT_VALUE(const auto other, std::move(opened).load());
    unsigned first = 0;
    unsigned second = 0;
    ASSERT_VALUE(auto ring, RingBuffer::open(events(), [&first](auto) { ++first; }));
    ASSERT_OK(ring.add(bpf_map__fd(other->maps.events), [&second](auto) { ++second; }));
    send(2);
    ASSERT_OK(test_run(bpf_program__fd(other->progs.report), {.data = kFrame}));
    ASSERT_OK(ring.consume());
    EXPECT_EQ(first, 2U);
    EXPECT_EQ(second, 1U);
}

TEST_F(RingBuffers, are_not_any_map) {
    const auto ring = RingBuffer::open(bpf_map__fd((*loaded_)->maps.counters), [](auto) {});
    ASSERT_FALSE(ring);
    EXPECT_NE(ring.error().what.find("is no ring buffer"), std::string::npos);
}

} // namespace
} // namespace beeline::kernel
