// SPDX-License-Identifier: Apache-2.0
//
// The owner of one file descriptor.
#pragma once

#include <utility>

#include <beeline/result.hpp>

namespace beeline::kernel {

/// Owns one file descriptor and closes it. Empty is -1; 0 is a descriptor like any other.
class [[nodiscard]] UniqueFd {
public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd &&other) noexcept : fd_(other.release()) {}
    UniqueFd &operator=(UniqueFd &&other) noexcept {
        UniqueFd taken(std::move(other)); // what was owned here is closed with it
        std::swap(fd_, taken.fd_);
        return *this;
    }
    UniqueFd(const UniqueFd &) = delete;
    UniqueFd &operator=(const UniqueFd &) = delete;
    ~UniqueFd();

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
    /// Gives the descriptor away; the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// A second descriptor for the same open file, close-on-exec.
    [[nodiscard]] Result<UniqueFd> duplicate() const;

private:
    int fd_ = -1;
};

/// A second, owned descriptor for a file that somebody else (a skeleton, for one) owns.
[[nodiscard]] Result<UniqueFd> duplicate(int fd);

} // namespace beeline::kernel
