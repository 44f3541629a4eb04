// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/ring_buffer.hpp>

#include <cerrno>
#include <vector>

#include <bpf/libbpf.h>

namespace beeline::kernel {

struct RingBuffer::State {
    /// What one ring needs: libbpf watches the descriptor, so it must stay open.
    struct Ring {
        UniqueFd fd;
        Callback callback;
    };
    struct Free {
        void operator()(ring_buffer *ring) const { ::ring_buffer__free(ring); }
    };
    std::vector<std::unique_ptr<Ring>> rings;
    std::unique_ptr<ring_buffer, Free> libbpf; // destroyed first: it knows addresses in rings

    static int on_record(void *context, void *data, std::size_t size) noexcept {
        static_cast<Ring *>(context)->callback({static_cast<const std::byte *>(data), size});
        return 0;
    }
};

RingBuffer::RingBuffer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RingBuffer::RingBuffer(RingBuffer &&) noexcept = default;
RingBuffer &RingBuffer::operator=(RingBuffer &&) noexcept = default;
RingBuffer::~RingBuffer() = default;

Result<RingBuffer> RingBuffer::open(int fd, Callback callback) {
    RingBuffer rings(std::make_unique<State>());
    BL_CHECK(rings.add(fd, std::move(callback)));
    return rings;
}

Result<> RingBuffer::add(int fd, Callback callback) {
    BL_TRY(const MapInfo info, map_info(fd));
    if (info.type != BPF_MAP_TYPE_RINGBUF)
        return fail(Kind::state, 0, raw::describe(info) + " is no ring buffer");
    BL_TRY(UniqueFd own, duplicate(fd));
    auto ring = std::make_unique<State::Ring>(State::Ring{std::move(own), std::move(callback)});
    if (!state_->libbpf)
        state_->libbpf.reset(::ring_buffer__new(ring->fd.get(), State::on_record, ring.get(), nullptr));
    else if (::ring_buffer__add(state_->libbpf.get(), ring->fd.get(), State::on_record, ring.get()) != 0)
        return fail_errno(errno, "add " + raw::describe(info));
    if (!state_->libbpf)
        return fail_errno(errno, "open " + raw::describe(info));
    state_->rings.push_back(std::move(ring));
    return {};
}

namespace {
Result<unsigned> records(int count, std::string_view verb) {
    if (count >= 0)
        return static_cast<unsigned>(count);
    if (count == -EINTR)
        return 0U;
    return fail_errno(-count, std::string(verb) + " a ring buffer");
}
} // namespace

Result<unsigned> RingBuffer::poll(std::chrono::milliseconds timeout) {
    return records(::ring_buffer__poll(state_->libbpf.get(), static_cast<int>(timeout.count())), "poll");
}

Result<unsigned> RingBuffer::consume() {
    return records(::ring_buffer__consume(state_->libbpf.get()), "consume");
}

int RingBuffer::epoll_fd() const {
    return ::ring_buffer__epoll_fd(state_->libbpf.get());
}

} // namespace beeline::kernel
