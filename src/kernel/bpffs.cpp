// SPDX-License-Identifier: Apache-2.0
#include "kernel/bpffs.hpp"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace beeline::kernel {

bool on_bpffs(int fd) {
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

Result<> require_bpffs(const std::filesystem::path &path) {
    if (!path.is_absolute())
        return fail(Kind::usage, 0, fmt::format("'{}' is no absolute path", path.native()));
    struct statfs status {};
    std::filesystem::path there = path;
    while (::statfs(there.c_str(), &status) != 0) {
        if (errno != ENOENT || !there.has_relative_path())
            return fail_errno(errno, fmt::format("look at {}", there.native()));
        there = there.parent_path();
    }
    if (status.f_type == BPF_FS_MAGIC)
        return {};
    return fail(Kind::unsupported, 0, fmt::format("{} is not on a bpffs", path.native()),
                "mount -t bpf bpf /sys/fs/bpf");
}

namespace {

struct CloseDir {
    void operator()(DIR *directory) const { ::closedir(directory); }
};

/// Empties the directory, which is on device; place is its path for messages.
Result<> empty_directory(UniqueFd fd, dev_t device, const std::string &place) {
    const std::unique_ptr<DIR, CloseDir> list(::fdopendir(fd.get()));
    if (!list)
        return fail_errno(errno, fmt::format("read {}", place));
    const int directory = fd.release(); // list owns it now
    while (const dirent *entry = ::readdir(list.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        const std::string child = place + "/" + name;
        struct stat status {};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
            return fail_errno(errno, fmt::format("look at {}", child));
        if (!S_ISDIR(status.st_mode)) {
            if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT)
                return fail_errno(errno, fmt::format("remove {}", child));
            continue;
        }
        if (status.st_dev != device)
            return fail(Kind::state, 0, fmt::format("remove {}: something is mounted there", child));
        UniqueFd inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!inner.valid())
            return fail_errno(errno, fmt::format("open {}", child));
        BL_CHECK(empty_directory(std::move(inner), device, child));
        if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
            return fail_errno(errno, fmt::format("remove {}", child));
    }
    return {};
}

} // namespace

Result<> remove_tree(const std::filesystem::path &path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? Result<>() : fail_errno(errno, fmt::format("look at {}", path.native()));
    UniqueFd parent(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat above {};
    if (!parent.valid() || ::fstat(parent.get(), &above) != 0)
        return fail_errno(errno, fmt::format("open {}", path.parent_path().native()));
    // With the parent on a bpffs and the same device, path is no mount point, and all below it is bpffs.
    if (!on_bpffs(parent.get()) || above.st_dev != status.st_dev)
        return fail(Kind::state, 0, fmt::format("will not remove {}: it is not inside a bpffs", path.native()));
    const std::string name = path.filename();
    if (!S_ISDIR(status.st_mode)) {
        if (::unlinkat(parent.get(), name.c_str(), 0) != 0 && errno != ENOENT)
            return fail_errno(errno, fmt::format("remove {}", path.native()));
        return {};
    }
    UniqueFd directory(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory.valid())
        return fail_errno(errno, fmt::format("open {}", path.native()));
    BL_CHECK(empty_directory(std::move(directory), status.st_dev, path.native()));
    if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return fail_errno(errno, fmt::format("remove {}", path.native()));
    return {};
}

} // namespace beeline::kernel
