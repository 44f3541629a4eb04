// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace beeline::kernel {

UniqueFd::~UniqueFd() {
    // No retry on EINTR: Linux has released the descriptor by then (close(2), NOTES).
    if (fd_ >= 0)
        ::close(fd_);
}

Result<UniqueFd> duplicate(int fd) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return fail_errno(errno, "duplicate file descriptor " + std::to_string(fd));
    return UniqueFd(copy);
}

Result<UniqueFd> UniqueFd::duplicate() const {
    return kernel::duplicate(fd_);
}

} // namespace beeline::kernel
