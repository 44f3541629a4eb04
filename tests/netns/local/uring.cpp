// SPDX-License-Identifier: Apache-2.0
#include "uring.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace beeline::conformance {

Result<Uring> Uring::create() {
    io_uring_params params{};
    kernel::UniqueFd fd(static_cast<int>(::syscall(__NR_io_uring_setup, kEntries, &params)));
    if (!fd.valid())
        return fail_errno(errno, "io_uring_setup");
    if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0)
        return fail(Kind::unsupported, 0, "io_uring without a single mapping");
    Uring ring(std::move(fd), params);
    void *rings = ::mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd_.get(), IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED)
        return fail_errno(errno, "map the rings of io_uring");
    ring.rings_ = static_cast<char *>(rings);
    void *entries = ::mmap(nullptr, kEntries * sizeof(io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd_.get(),
                           IORING_OFF_SQES);
    if (entries == MAP_FAILED)
        return fail_errno(errno, "map the entries of io_uring");
    ring.entries_ = static_cast<io_uring_sqe *>(entries);
    return ring;
}

Uring::Uring(Uring &&other) noexcept
    : fd_(std::move(other.fd_)), params_(other.params_), rings_(std::exchange(other.rings_, nullptr)),
      entries_(std::exchange(other.entries_, nullptr)) {}

Uring::~Uring() {
    if (rings_ != nullptr)
        ::munmap(rings_, kRingBytes);
    if (entries_ != nullptr)
        ::munmap(entries_, kEntries * sizeof(io_uring_sqe));
}

unsigned *Uring::word(unsigned offset) const {
    return reinterpret_cast<unsigned *>(rings_ + offset);
}

bool Uring::submit(std::uint8_t operation, int fd, void *data, std::size_t size, int flags) {
    const unsigned tail = *word(params_.sq_off.tail);
    const unsigned index = tail & *word(params_.sq_off.ring_mask);
    io_uring_sqe &entry = entries_[index];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = operation;
    entry.fd = fd;
    entry.addr = reinterpret_cast<std::uintptr_t>(data);
    entry.len = static_cast<unsigned>(size);
    entry.msg_flags = static_cast<unsigned>(flags);
    word(params_.sq_off.array)[index] = index;
    std::atomic_ref(*word(params_.sq_off.tail)).store(tail + 1, std::memory_order_release);
    return ::syscall(__NR_io_uring_enter, fd_.get(), 1, 0, 0, nullptr, 0) == 1;
}

std::optional<int> Uring::wait(int milliseconds) {
    pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, milliseconds) != 1)
        return std::nullopt;
    const unsigned head = *word(params_.cq_off.head);
    if (head == std::atomic_ref(*word(params_.cq_off.tail)).load(std::memory_order_acquire))
        return std::nullopt;
    const auto *done = reinterpret_cast<const io_uring_cqe *>(rings_ + params_.cq_off.cqes);
    const int result = done[head & *word(params_.cq_off.ring_mask)].res;
    std::atomic_ref(*word(params_.cq_off.head)).store(head + 1, std::memory_order_release);
    return result;
}

} // namespace beeline::conformance
