// SPDX-License-Identifier: Apache-2.0
#include "raw_xsk.hpp"

#include <atomic>
#include <cerrno>
#include <thread>

#include <linux/if_xdp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/map.hpp>

namespace beeline::edge {
namespace {

constexpr std::uint32_t kFrames = 64, kFrameBytes = 4096;
constexpr std::size_t kUmemBytes = std::size_t{kFrames} * kFrameBytes;

/// Memory of mmap().
class Mapping {
public:
    static Result<Mapping> make(std::size_t size, int flags, int fd, off_t offset) {
        void *at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, offset);
        if (at == MAP_FAILED)
            return fail_errno(errno, "map " + std::to_string(size) + " bytes of an AF_XDP socket");
        return Mapping(static_cast<std::byte *>(at), size);
    }
    Mapping(Mapping &&other) noexcept : at_(std::exchange(other.at_, nullptr)), size_(other.size_) {}
    Mapping &operator=(Mapping &&) = delete;
    ~Mapping() {
        if (at_ != nullptr)
            ::munmap(at_, size_);
    }
    [[nodiscard]] std::byte *at(std::size_t offset) const { return at_ + offset; }

private:
    Mapping(std::byte *at, std::size_t size) : at_(at), size_(size) {}
    std::byte *at_;
    std::size_t size_;
};

/// One ring of descriptors D that the kernel shares.
template <class D>
struct Ring {
    Mapping memory;
    xdp_ring_offset offsets;

    [[nodiscard]] std::atomic_ref<std::uint32_t> producer() const { return word(offsets.producer); }
    [[nodiscard]] std::atomic_ref<std::uint32_t> consumer() const { return word(offsets.consumer); }
    [[nodiscard]] D &operator[](std::uint32_t i) const {
        return reinterpret_cast<D *>(memory.at(offsets.desc))[i % kFrames];
    }
    static Result<Ring> map(int fd, const xdp_ring_offset &offsets, off_t where) {
        BL_TRY(Mapping memory, Mapping::make(offsets.desc + kFrames * sizeof(D), MAP_SHARED | MAP_POPULATE, fd, where));
        return Ring{std::move(memory), offsets};
    }

private:
    [[nodiscard]] std::atomic_ref<std::uint32_t> word(std::uint64_t offset) const {
        return std::atomic_ref(*reinterpret_cast<std::uint32_t *>(memory.at(offset)));
    }
};

Result<> set(int fd, int option, const char *name, const void *value, socklen_t size) {
    if (::setsockopt(fd, SOL_XDP, option, value, size) != 0)
        return fail_errno(errno, std::string("set ") + name + " of an AF_XDP socket");
    return {};
}

/// The kernel frees the queue of a closed socket a moment later (net/xdp/xdp_umem.c, by a work item).
Result<> bind(int fd, const sockaddr_xdp &at, const std::string &device) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (::bind(fd, reinterpret_cast<const sockaddr *>(&at), sizeof at) != 0) {
        if (errno != EBUSY || std::chrono::steady_clock::now() > end)
            return fail_errno(errno, "bind an AF_XDP socket to " + device);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
}

} // namespace

struct RawXsk::State {
    Mapping umem;
    kernel::UniqueFd fd;
    Ring<std::uint64_t> fill;
    Ring<xdp_desc> rx;
    std::uint32_t queue;

    void give_back(std::uint64_t frame) const {
        const std::uint32_t next = fill.producer().load(std::memory_order_relaxed);
        fill[next] = frame;
        fill.producer().store(next + 1, std::memory_order_release);
    }
};

Result<RawXsk> RawXsk::open(const lab::Node &node, const std::string &device, std::uint32_t queue) {
    BL_TRY(const kernel::Device found, node.device(device));
    BL_TRY(Mapping umem, Mapping::make(kUmemBytes, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    BL_TRY(const int made, node.within([] { return ::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0); }));
    kernel::UniqueFd fd(made);
    if (!fd.valid())
        return fail_errno(errno, "open an AF_XDP socket");
    xdp_umem_reg area{};
    area.addr = reinterpret_cast<std::uint64_t>(umem.at(0));
    area.len = kUmemBytes;
    area.chunk_size = kFrameBytes;
    BL_CHECK(set(fd.get(), XDP_UMEM_REG, "XDP_UMEM_REG", &area, sizeof area));
    const std::uint32_t entries = kFrames;
    BL_CHECK(set(fd.get(), XDP_UMEM_FILL_RING, "XDP_UMEM_FILL_RING", &entries, sizeof entries));
    BL_CHECK(set(fd.get(), XDP_UMEM_COMPLETION_RING, "XDP_UMEM_COMPLETION_RING", &entries, sizeof entries));
    BL_CHECK(set(fd.get(), XDP_RX_RING, "XDP_RX_RING", &entries, sizeof entries));
    xdp_mmap_offsets offsets{};
    socklen_t size = sizeof offsets;
    if (::getsockopt(fd.get(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) != 0)
        return fail_errno(errno, "ask for the rings of an AF_XDP socket");
    BL_TRY(auto fill, Ring<std::uint64_t>::map(fd.get(), offsets.fr, static_cast<off_t>(XDP_UMEM_PGOFF_FILL_RING)));
    BL_TRY(auto rx, Ring<xdp_desc>::map(fd.get(), offsets.rx, XDP_PGOFF_RX_RING));
    sockaddr_xdp at{};
    at.sxdp_family = AF_XDP;
    at.sxdp_flags = XDP_COPY;
    at.sxdp_ifindex = static_cast<std::uint32_t>(found.ifindex);
    at.sxdp_queue_id = queue;
    BL_CHECK(bind(fd.get(), at, device));
    auto state = std::make_unique<State>(State{std::move(umem), std::move(fd), std::move(fill), std::move(rx), queue});
    for (std::uint32_t frame = 0; frame < kFrames; ++frame)
        state->give_back(std::uint64_t{frame} * kFrameBytes);
    return RawXsk(std::move(state));
}

RawXsk::RawXsk(std::unique_ptr<State> state) : state_(std::move(state)) {}
RawXsk::RawXsk(RawXsk &&) noexcept = default;
RawXsk &RawXsk::operator=(RawXsk &&) noexcept = default;
RawXsk::~RawXsk() = default;

Result<> RawXsk::join(const XskStatus &place) const {
    BL_TRY(const kernel::UniqueFd map, kernel::pinned_object(place.map));
    BL_TRY(const kernel::MapInfo info, kernel::map_info(map.get()));
    BL_CHECK(kernel::raw::check_sizes(info, sizeof(std::uint32_t), sizeof(std::uint32_t)));
    const std::uint32_t index = place.first + state_->queue;
    const auto fd = static_cast<std::uint32_t>(state_->fd.get());
    return kernel::raw::update(map.get(), info, &index, &fd, kernel::Update::any);
}

std::optional<harness::Bytes> RawXsk::receive(std::chrono::milliseconds timeout) {
    const std::uint32_t next = state_->rx.consumer().load(std::memory_order_relaxed);
    if (state_->rx.producer().load(std::memory_order_acquire) == next) {
        pollfd wait{.fd = state_->fd.get(), .events = POLLIN, .revents = 0};
        ::poll(&wait, 1, static_cast<int>(timeout.count()));
        if (state_->rx.producer().load(std::memory_order_acquire) == next)
            return std::nullopt;
    }
    const xdp_desc frame = state_->rx[next];
    const std::byte *bytes = state_->umem.at(frame.addr);
    harness::Bytes copy(bytes, bytes + frame.len);
    state_->rx.consumer().store(next + 1, std::memory_order_release);
    state_->give_back(frame.addr & ~std::uint64_t{kFrameBytes - 1});
    return copy;
}

} // namespace beeline::edge
