// SPDX-License-Identifier: Apache-2.0
#include "local/wake.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::local {
namespace {

/// Its number in the process; -1: none.
int find_socket(pid_t pid, std::uint64_t inode) {
    const std::string wanted = fmt::format("socket:[{}]", inode);
    std::error_code error;
    std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid), error);
    for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
        std::error_code gone;
        if (std::filesystem::read_symlink(files->path(), gone) != wanted)
            continue;
        const std::string name = files->path().filename();
        int number = -1;
        std::from_chars(name.data(), name.data() + name.size(), number);
        return number;
    }
    return -1;
}

// <sys/pidfd.h> of glibc 2.36 declares them for C only.
kernel::UniqueFd open_process(pid_t pid) {
    return kernel::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

kernel::UniqueFd get_descriptor(const kernel::UniqueFd &process, int number) {
    return kernel::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
}

} // namespace

bool wake_reader(pid_t pid, std::uint64_t inode) {
    const kernel::UniqueFd process = open_process(pid);
    const int number = process.valid() ? find_socket(pid, inode) : -1;
    if (number < 0)
        return false;
    const kernel::UniqueFd socket = get_descriptor(process, number);
    // What is set to its own value looks whether enough is there, and says so (tcp_set_rcvlowat() in net/ipv4/tcp.c).
    int low_water = 0;
    socklen_t size = sizeof low_water;
    return socket.valid() && ::getsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &low_water, &size) == 0 &&
           ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &low_water, size) == 0;
}

} // namespace beeline::local
