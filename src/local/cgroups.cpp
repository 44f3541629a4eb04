// SPDX-License-Identifier: Apache-2.0
#include "local/cgroups.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <map>

#include <beeline/kernel/cgroup.hpp>
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/pin_dir.hpp>

#include "local/objects.hpp"
#include "local/record.hpp"

namespace beeline::local {
namespace {

using RowMap = kernel::Map<std::uint32_t, bl_local_row>;
using Ids = std::map<std::uint64_t, std::uint64_t>; ///< Of cgroups that have gone, and of those in their places.

/// The id of what has the path now; that which is known when nothing has.
std::uint64_t id_now(const std::string &path, std::uint64_t known) {
    const auto cgroup = kernel::Cgroup::open(path);
    return cgroup ? cgroup->id().value_or(known) : known;
}

Ids moved_ones(Record &record) {
    Ids moved;
    for (auto &[path, id] : record.cgroups)
        if (const std::uint64_t now = id_now(path, id); now != id)
            moved[std::exchange(id, now)] = now;
    return moved;
}

Result<> rewrite_rows(const Ids &moved, const kernel::ObjectSet &objects) {
    BL_TRY(const auto tables, objects.map<kernel::MapInMap>("local_tables"));
    BL_TRY(auto table, tables.lookup(0));
    if (!table)
        return {};
    BL_TRY(auto rows, RowMap::adopt(std::move(*table)));
    BL_TRY(const auto entries, rows.entries());
    for (auto [index, row] : entries)
        if (const auto now = moved.find(row.cgroup); (row.flags & BL_LOCAL_CGROUP) != 0 && now != moved.end()) {
            row.cgroup = now->second;
            BL_CHECK(rows.update(index, row));
        }
    return {};
}

} // namespace

Result<CgroupWatch> CgroupWatch::open() {
    kernel::UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd.valid())
        return fail_errno(errno, "inotify_init");
    return CgroupWatch(std::move(fd));
}

bool CgroupWatch::noticed() {
    std::array<char, 4096> events{};
    bool any = false;
    while (::read(fd_.get(), events.data(), events.size()) > 0)
        any = true;
    return any;
}

/// The directory that it is made in, or the one that this is made in...
void CgroupWatch::watch(const std::filesystem::path &path) {
    const auto mount = kernel::cgroup2_mount();
    if (!mount)
        return;
    for (std::filesystem::path below = path.relative_path(); !below.empty();) {
        below = below.parent_path();
        if (::inotify_add_watch(fd_.get(), (*mount / below).c_str(), IN_CREATE | IN_ONLYDIR) >= 0)
            return;
    }
}

Result<> CgroupWatch::follow(const kernel::ObjectSet &objects, const std::filesystem::path &directory) {
    BL_TRY(Record record, read_record(directory));
    for (const auto &[path, id] : record.cgroups)
        watch(path);
    if (moved_ones(record).empty())
        return {};
    const auto lock = kernel::PinDir::lock(directory.parent_path());
    if (!lock)
        return lock.error().kind == Kind::conflict ? Result<>() : std::unexpected(lock.error());
    BL_TRY(record, read_record(directory)); // it may have changed before
    BL_CHECK(rewrite_rows(moved_ones(record), objects));
    return write_record(record, directory);
}

} // namespace beeline::local
