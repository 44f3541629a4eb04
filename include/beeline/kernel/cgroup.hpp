// SPDX-License-Identifier: Apache-2.0
//
// cgroup v2 directories, wherever the hierarchy is mounted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

/// Mount point of the cgroup2 hierarchy by /proc/self/mountinfo: /sys/fs/cgroup, or /sys/fs/cgroup/unified on hybrid
/// hosts. Kind::unsupported with the mount command when there is none.
[[nodiscard]] Result<std::filesystem::path> cgroup2_mount();
/// The same on the text of a mountinfo file.
[[nodiscard]] Result<std::filesystem::path> cgroup2_mount_in(std::string_view mountinfo);

class [[nodiscard]] Cgroup {
public:
    /// path: below the mount ("/system.slice/redis.service", "/" is the root).
    [[nodiscard]] static Result<Cgroup> open(const std::filesystem::path &path);
    /// Makes the directory (parents must exist); removed with this object unless keep() is called.
    [[nodiscard]] static Result<Cgroup> create(const std::filesystem::path &path);
    /// The cgroup of a process.
    [[nodiscard]] static Result<Cgroup> of_process(pid_t pid);

    Cgroup(Cgroup &&other) noexcept;
    Cgroup &operator=(Cgroup &&other) noexcept;
    ~Cgroup();

    /// What bpf_get_current_cgroup_id() and bpf_skb_cgroup_id() return.
    [[nodiscard]] Result<std::uint64_t> id() const;
    /// Moves a process (0: the calling one) in.
    [[nodiscard]] Result<> add(pid_t pid);
    /// Removes the directory; EBUSY while processes are in it.
    [[nodiscard]] Result<> remove();
    void keep() noexcept { owned_ = false; }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const std::filesystem::path &directory() const noexcept { return directory_; } ///< With the mount.

private:
    Cgroup(UniqueFd fd, std::filesystem::path directory, bool owned)
        : fd_(std::move(fd)), directory_(std::move(directory)), owned_(owned) {}
    UniqueFd fd_;
    std::filesystem::path directory_;
    bool owned_ = false;
};

} // namespace beeline::kernel
