// SPDX-License-Identifier: Apache-2.0
//
// Consumer of BPF ring buffers (BPF_MAP_TYPE_RINGBUF, Linux 5.8).
#pragma once

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <beeline/kernel/typed_map.hpp>

namespace beeline::kernel {

/// Calls back for each record, in the thread that polls or consumes. The bytes are valid during the call only.
class [[nodiscard]] RingBuffer {
public:
    using Callback = std::move_only_function<void(std::span<const std::byte>)>;

    /// fd stays the caller's and may be closed afterwards.
    [[nodiscard]] static Result<RingBuffer> open(int fd, Callback callback);
    /// f(const Event &). Records shorter than Event are skipped; bytes behind Event are ignored.
    template <AbiType Event, class F>
    [[nodiscard]] static Result<RingBuffer> open_typed(int fd, F f);

    RingBuffer(RingBuffer &&) noexcept;
    RingBuffer &operator=(RingBuffer &&) noexcept;
    ~RingBuffer();

    /// One more ring of the same kind behind the same epoll descriptor.
    [[nodiscard]] Result<> add(int fd, Callback callback);

    /// Waits up to timeout and returns the number of records consumed; 0 also when a signal interrupted.
    [[nodiscard]] Result<unsigned> poll(std::chrono::milliseconds timeout);
    /// What is there now, without waiting.
    [[nodiscard]] Result<unsigned> consume();
    /// Readable when there are records, for an event loop of one's own; then call consume().
    [[nodiscard]] int epoll_fd() const;

private:
    struct State;
    explicit RingBuffer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The record as an Event; nothing when it is too short.
template <AbiType Event>
[[nodiscard]] std::optional<Event> event_as(std::span<const std::byte> record) {
    Event event{};
    if (record.size() < sizeof(Event))
        return std::nullopt;
    std::memcpy(&event, record.data(), sizeof(Event));
    return event;
}

template <AbiType Event, class F>
Result<RingBuffer> RingBuffer::open_typed(int fd, F f) {
    return open(fd, [f = std::move(f)](std::span<const std::byte> record) mutable {
        if (auto event = event_as<Event>(record))
            f(*event);
    });
}

} // namespace beeline::kernel
