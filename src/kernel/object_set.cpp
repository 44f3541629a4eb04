// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/object_set.hpp>

#include <cstdlib>

#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>

namespace beeline::kernel {
namespace {

/// Whoever put another object under this name knows why, we do not.
Result<> check_name(int fd, const std::string &name) {
    std::string found;
    if (const auto map = map_info(fd))
        found = map->name;
    else if (const auto program = prog_info(fd))
        found = program->name;
    if (found != name.substr(0, BPF_OBJ_NAME_LEN - 1))
        return fail(Kind::state, 0, "under the name " + name + " is '" + found + "'");
    return {};
}

std::size_t maps_of(bpf_object *object) {
    std::size_t count = 0;
    bpf_map *map = nullptr;
    bpf_object__for_each_map(map, object) count += bpf_map__is_internal(map) ? 0 : 1;
    return count;
}

} // namespace

Result<ObjectSet> ObjectSet::of(bpf_object *object, std::span<const char *const> maps,
                                std::span<const char *const> programs) {
    if (maps_of(object) != maps.size())
        std::abort();
    ObjectSet set;
    for (const char *name : maps) {
        BL_TRY(set.objects_[name], duplicate(bpf_map__fd(bpf_object__find_map_by_name(object, name))));
    }
    for (const char *name : programs) {
        BL_TRY(set.objects_[name], duplicate(bpf_program__fd(bpf_object__find_program_by_name(object, name))));
    }
    return set;
}

Result<ObjectSet> ObjectSet::from_pins(const std::filesystem::path &directory, std::span<const char *const> names) {
    ObjectSet set;
    for (const char *name : names) {
        BL_TRY(UniqueFd fd, pinned_object(directory / name));
        BL_CHECK(check_name(fd.get(), name));
        set.objects_[name] = std::move(fd);
    }
    return set;
}

Result<> ObjectSet::pin(const std::filesystem::path &directory) const {
    for (const auto &[name, fd] : objects_)
        BL_CHECK(pin_object(fd.get(), directory / name));
    return {};
}

int ObjectSet::fd(const std::string &name) const {
    const auto object = objects_.find(name);
    if (object == objects_.end())
        std::abort();
    return object->second.get();
}

} // namespace beeline::kernel
