// SPDX-License-Identifier: Apache-2.0
#include "lab/objects.hpp"

#include <cerrno>
#include <thread>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>

namespace beeline::lab {
namespace {

namespace fs = std::filesystem;

/// What the kernel calls the file behind a descriptor: "anon_inode:bpf-map".
std::string kind_of(int fd) {
    std::error_code ignored;
    return fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), ignored);
}

} // namespace

Result<> ObjectsSeen::note(const fs::path &directory) {
    std::error_code error;
    for (const auto &entry : fs::recursive_directory_iterator(directory, error)) {
        if (entry.is_directory())
            continue;
        const auto fd = kernel::pinned_object(entry.path());
        if (!fd)
            continue; // The kernel's own maps.debug and progs.debug are not objects.
        const std::string kind = kind_of(fd->get());
        if (kind == "anon_inode:bpf-prog") {
            BL_TRY(const auto info, kernel::prog_info(fd->get()));
            ids_.emplace(Kind::program, info.id);
        } else if (kind == "anon_inode:bpf-map") {
            BL_TRY(const auto info, kernel::map_info(fd->get()));
            ids_.emplace(Kind::map, info.id);
        } else {
            BL_TRY(const auto info, kernel::link_info(fd->get()));
            ids_.emplace(Kind::link, info.id);
        }
    }
    if (error)
        return fail_errno(error.value(), "read " + directory.string());
    return {};
}

bool ObjectsSeen::exists(Kind kind, std::uint32_t id) {
    // Not by opening it: a descriptor of a program array that is going away can keep it for ever (prog_array_map_clear
    // in kernel/bpf/arraymap.c takes a reference for work that may be pending already).
    const auto next_id = kind == Kind::program ? bpf_prog_get_next_id
                         : kind == Kind::map   ? bpf_map_get_next_id
                                               : bpf_link_get_next_id;
    std::uint32_t next = 0;
    const int result = next_id(id - 1, &next);
    return result == 0 ? next == id : errno != ENOENT;
}

std::vector<std::string> ObjectsSeen::remaining(std::chrono::milliseconds patience) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
        std::vector<std::string> left;
        for (const auto &[kind, id] : ids_) {
            if (exists(kind, id))
                left.push_back(fmt::format("{} {}",
                                           kind == Kind::program ? "program"
                                           : kind == Kind::map   ? "map"
                                                                 : "link",
                                           id));
        }
        if (left.empty() || std::chrono::steady_clock::now() >= end)
            return left;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

} // namespace beeline::lab
