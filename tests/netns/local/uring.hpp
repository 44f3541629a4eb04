// SPDX-License-Identifier: Apache-2.0
//
// io_uring by its system calls: one request at a time.
#pragma once

#include <optional>
#include <string>

#include <linux/io_uring.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::conformance {

class [[nodiscard]] Uring {
public:
    [[nodiscard]] static Result<Uring> create();
    Uring(Uring &&other) noexcept;
    Uring &operator=(Uring &&) = delete;
    ~Uring();

    /// Gives the kernel a request. False with errno.
    [[nodiscard]] bool submit(std::uint8_t operation, int fd, void *data, std::size_t size, int flags = 0);
    /// Result of the next request that is done (a negative error number as the kernel gives it); none: not in time.
    [[nodiscard]] std::optional<int> wait(int milliseconds);

private:
    static constexpr std::size_t kRingBytes = 4096, kEntries = 8;

    Uring(kernel::UniqueFd fd, const io_uring_params &params) : fd_(std::move(fd)), params_(params) {}
    [[nodiscard]] unsigned *word(unsigned offset) const;

    kernel::UniqueFd fd_;
    io_uring_params params_{};
    char *rings_ = nullptr;
    io_uring_sqe *entries_ = nullptr;
};

} // namespace beeline::conformance
