// SPDX-License-Identifier: Apache-2.0
//
// Rules name cgroups by their paths, the kernel knows them by ids: a service that starts again has another one.
#pragma once

#include <filesystem>

#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/object_set.hpp>
#include <beeline/result.hpp>

namespace beeline::local {

class [[nodiscard]] CgroupWatch {
public:
    [[nodiscard]] static Result<CgroupWatch> open();

    /// Readable when a cgroup was made where one of a rule may be.
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Whether it was, since the last time.
    [[nodiscard]] bool noticed();
    /// Rules judge by the cgroups that have the paths now. Does nothing while somebody else changes the rules.
    [[nodiscard]] Result<> follow(const kernel::ObjectSet &objects, const std::filesystem::path &directory);

private:
    explicit CgroupWatch(kernel::UniqueFd fd) : fd_(std::move(fd)) {}
    void watch(const std::filesystem::path &path);
    kernel::UniqueFd fd_; ///< inotify(7).
};

} // namespace beeline::local
