// SPDX-License-Identifier: Apache-2.0
#include "objects.hpp"

#include <charconv>
#include <fstream>

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>

namespace beeline::edge {
namespace {

namespace fs = std::filesystem;
using Id = std::pair<Object, std::uint32_t>;

template <class Next>
void add_all(Object kind, Next next, ObjectIds &objects) {
    for (std::uint32_t id = 0; next(id, &id) == 0;)
        objects.emplace(kind, id);
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// f(pid, number of the descriptor) for the BPF descriptors of a process.
template <class F>
void for_each_bpf_fd(const fs::path &process, F &&f) {
    std::error_code error;
    for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(fd->path(), gone).string();
        if (!gone && (target.starts_with("anon_inode:bpf") || target.starts_with("anon_inode:[perf_event]")))
            f(fd->path().filename().string(), target);
    }
}

/// An object by its descriptor, and what it holds if it is a map. Maps are never opened by id here: a program array
/// that is opened while it goes away may stay for ever (prog_array_map_clear in kernel/bpf/arraymap.c takes a reference
/// for work that may be pending already). One without a descriptor or a pin has been cleared, so nothing is missed.
void add_object(int fd, ObjectIds &objects) {
    const auto object = object_of(fd);
    if (!object)
        return;
    objects.insert(*object);
    const auto map = object->first == Object::map ? kernel::map_info(fd) : fail(Kind::host, 0, "no map");
    if (!map)
        return;
    const bool of_programs = map->type == BPF_MAP_TYPE_PROG_ARRAY;
    if (!of_programs && map->type != BPF_MAP_TYPE_ARRAY_OF_MAPS && map->type != BPF_MAP_TYPE_HASH_OF_MAPS)
        return;
    for (std::uint32_t key = 0; key < map->max_entries; ++key) {
        std::uint32_t id = 0;
        if (bpf_map_lookup_elem(fd, &key, &id) == 0)
            objects.emplace(of_programs ? Object::program : Object::map, id);
    }
}

/// The BPF objects that a process has descriptors of.
void add_descriptors_of(const fs::path &process, ObjectIds &objects) {
    const auto pid = number(process.filename().string());
    const kernel::UniqueFd handle(pid ? static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)) : -1);
    if (!handle.valid())
        return; // it has ended
    for_each_bpf_fd(process, [&](const std::string &name, const std::string &) {
        const auto there = number(name);
        const kernel::UniqueFd fd(there ? static_cast<int>(::syscall(SYS_pidfd_getfd, handle.get(), *there, 0)) : -1);
        if (fd.valid())
            add_object(fd.get(), objects);
    });
}

/// What a program or a link keeps alive.
ObjectIds held_by(const Id &object) {
    ObjectIds held;
    const auto [kind, id] = object;
    if (kind == Object::map)
        return held;
    const kernel::UniqueFd fd(kind == Object::program ? bpf_prog_get_fd_by_id(id) : bpf_link_get_fd_by_id(id));
    if (!fd.valid())
        return held;
    if (const auto program = kernel::prog_info(fd.get()); kind == Object::program && program)
        for (const std::uint32_t map : program->map_ids)
            held.emplace(Object::map, map);
    if (const auto link = kernel::link_info(fd.get()); kind == Object::link && link && link->prog_id != 0)
        held.emplace(Object::program, link->prog_id);
    return held;
}

/// With the programs of the links and the maps of the programs.
ObjectIds with_all_they_hold(ObjectIds objects) {
    std::vector<Id> open(objects.begin(), objects.end());
    while (!open.empty()) {
        const Id object = open.back();
        open.pop_back();
        for (const Id &held : held_by(object))
            if (objects.insert(held).second)
                open.push_back(held);
    }
    return objects;
}

/// f(path below root, descriptor) for every pin below a directory of a bpffs.
template <class F>
void for_each_pin(const fs::path &root, F &&f) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        if (entry->is_directory(gone) || gone)
            continue;
        const kernel::UniqueFd fd(bpf_obj_get(entry->path().c_str()));
        if (fd.valid())
            f(fs::relative(entry->path(), root, gone).string(), fd.get());
    }
}

/// Mount points of bpffs as a process sees them.
std::vector<fs::path> bpffs_of(const fs::path &process) {
    std::vector<fs::path> found;
    std::ifstream mounts(process / "mounts");
    for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);)
        if (type == "bpf")
            found.emplace_back(where);
    return found;
}

bool is_process(const fs::path &entry) {
    return number(entry.filename().string()).has_value();
}

} // namespace

ObjectIds all_objects() {
    ObjectIds objects;
    add_all(Object::program, bpf_prog_get_next_id, objects);
    add_all(Object::map, bpf_map_get_next_id, objects);
    add_all(Object::link, bpf_link_get_next_id, objects);
    return objects;
}

std::optional<Id> object_of(int fd) {
    if (const auto prog = kernel::prog_info(fd))
        return Id{Object::program, prog->id};
    if (const auto map = kernel::map_info(fd))
        return Id{Object::map, map->id};
    if (const auto link = kernel::link_info(fd))
        return Id{Object::link, link->id};
    return std::nullopt;
}

std::string describe(const Id &object) {
    const auto [kind, id] = object;
    const kernel::UniqueFd fd(kind == Object::program ? bpf_prog_get_fd_by_id(id)
                              : kind == Object::map   ? bpf_map_get_fd_by_id(id)
                                                      : bpf_link_get_fd_by_id(id));
    std::string name;
    if (const auto info = kind == Object::map && fd.valid() ? kernel::map_info(fd.get()) : fail(Kind::host, 0, ""))
        name = info->name;
    if (const auto info = kind == Object::program && fd.valid() ? kernel::prog_info(fd.get()) : fail(Kind::host, 0, ""))
        name = info->name;
    return fmt::format("{} {} ({})",
                       kind == Object::program ? "program"
                       : kind == Object::map   ? "map"
                                               : "link",
                       id, name);
}

std::map<std::string, Id> pins_below(const fs::path &root) {
    std::map<std::string, Id> pins;
    for_each_pin(root, [&](const std::string &path, int fd) {
        if (const auto object = object_of(fd))
            pins.emplace(path, *object);
    });
    return pins;
}

ObjectIds pinned_below(const fs::path &root) {
    ObjectIds objects;
    for_each_pin(root, [&](const std::string &, int fd) { add_object(fd, objects); });
    return with_all_they_hold(std::move(objects));
}

ObjectIds held_by_others(const fs::path &own_bpffs) {
    ObjectIds objects;
    std::set<fs::path> namespaces;
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end; process.increment(error)) {
        if (!is_process(process->path()))
            continue;
        if (process->path().filename() != std::to_string(::getpid()))
            add_descriptors_of(process->path(), objects);
        std::error_code gone;
        const fs::path mounts = fs::read_symlink(process->path() / "ns" / "mnt", gone);
        if (gone || !namespaces.insert(mounts).second)
            continue;
        for (const fs::path &bpffs : bpffs_of(process->path()))
            if (bpffs != own_bpffs)
                for_each_pin(process->path() / "root" / bpffs.relative_path(),
                             [&](const std::string &, int fd) { add_object(fd, objects); });
    }
    return with_all_they_hold(std::move(objects));
}

std::map<std::string, std::string> own_descriptors() {
    std::map<std::string, int> counts;
    for_each_bpf_fd("/proc/self", [&](const std::string &number_text, const std::string &target) {
        const auto fd = number(number_text);
        const auto object = fd ? object_of(static_cast<int>(*fd)) : std::nullopt;
        ++counts[object ? describe(*object) : target];
    });
    std::map<std::string, std::string> texts;
    for (const auto &[name, count] : counts)
        texts.emplace("descriptors of this process of " + name, std::to_string(count));
    return texts;
}

} // namespace beeline::edge
