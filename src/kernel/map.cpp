// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/map.hpp>

#include <beeline/kernel/per_cpu_map.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "kernel/bpf_object.hpp"

namespace beeline::kernel {

bool MapInfo::per_cpu() const {
    return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
           type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

Result<UniqueFd> create_map(const MapSpec &spec) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = spec.flags, .map_extra = spec.extra);
    if (spec.inner_map_fd >= 0)
        options.inner_map_fd = static_cast<std::uint32_t>(spec.inner_map_fd);
    const int fd = ::bpf_map_create(spec.type, spec.name.empty() ? nullptr : spec.name.c_str(), spec.key_size,
                                    spec.value_size, spec.max_entries, &options);
    if (fd < 0)
        return fail_errno(errno,
                          fmt::format("create map {} (type {}, key {} B, value {} B, {} entries)", spec.name,
                                      static_cast<int>(spec.type), spec.key_size, spec.value_size, spec.max_entries));
    return UniqueFd(fd);
}

Result<UniqueFd> map_by_id(std::uint32_t id) {
    const int fd = ::bpf_map_get_fd_by_id(id);
    if (fd < 0)
        return fail_errno(errno, fmt::format("open map id {}", id));
    return UniqueFd(fd);
}

Result<MapInfo> map_info(int fd) {
    BL_CHECK(check_object_kind(fd, "bpf-map"));
    bpf_map_info info{};
    std::uint32_t size = sizeof info;
    if (::bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
        return fail_errno(errno, "read a map's description");
    return MapInfo{.type = static_cast<bpf_map_type>(info.type),
                   .id = info.id,
                   .key_size = info.key_size,
                   .value_size = info.value_size,
                   .max_entries = info.max_entries,
                   .flags = info.map_flags,
                   .name = std::string(info.name, ::strnlen(info.name, sizeof info.name))};
}

Result<unsigned> possible_cpus() {
    const int cpus = ::libbpf_num_possible_cpus(); // libbpf keeps the answer
    if (cpus < 1)
        return fail_errno(-cpus, "read /sys/devices/system/cpu/possible");
    return static_cast<unsigned>(cpus);
}

Result<> raw::check_per_cpu(const MapInfo &map) {
    if (!map.per_cpu())
        return fail(Kind::state, 0, describe(map) + " does not keep a value per CPU", "adopt it as Map");
    return {};
}

namespace raw {

namespace {

/// Entries taken per system call; hash buckets are taken whole, so that more may be needed.
constexpr std::uint32_t kBatch = 1024;
/// Internal errno of the kernel that leaks to user space: this map type has no batch operations.
constexpr int kENotSupp = 524;

Result<std::size_t> value_bytes_of(const MapInfo &map) {
    if (!map.per_cpu())
        return map.value_size;
    BL_TRY(const unsigned cpus, possible_cpus());
    return cpus * per_cpu_stride(map.value_size);
}

std::unexpected<Error> map_error(int code, std::string_view verb, const MapInfo &map) {
    if (code == E2BIG || code == ENOSPC)
        return fail(Kind::host, code, fmt::format("{} {}: full at {} entries", verb, describe(map), map.max_entries));
    return fail_errno(code, fmt::format("{} {}", verb, describe(map)));
}

bool no_batches(int code) {
    return code == kENotSupp || code == ENOTSUP || code == EINVAL;
}

/// An error for which no_batches() holds says that this type of map must be walked key by key.
Result<Entries> batched_entries(int fd, const MapInfo &map, std::size_t value_bytes) {
    Entries all;
    std::uint32_t capacity = std::min(std::max(map.max_entries, 1U), kBatch);
    std::vector<std::byte> cursor(std::max<std::size_t>(map.key_size, sizeof(std::uint32_t)));
    for (bool first = true, last = false; !last;) {
        all.keys.resize((all.count + capacity) * map.key_size);
        all.values.resize((all.count + capacity) * value_bytes);
        std::uint32_t count = capacity;
        const int status = ::bpf_map_lookup_batch(fd, first ? nullptr : cursor.data(), cursor.data(),
                                                  all.keys.data() + all.count * map.key_size,
                                                  all.values.data() + all.count * value_bytes, &count, nullptr);
        const int code = status == 0 ? 0 : errno;
        if (code == ENOSPC) { // one bucket holds more than capacity; the cursor has not moved
            capacity *= 2;
            continue;
        }
        if (code != 0 && code != ENOENT)
            return map_error(code, "read", map);
        all.count += count;
        first = false;
        last = code == ENOENT || (count == 0 && code == 0);
    }
    all.keys.resize(all.count * map.key_size);
    all.values.resize(all.count * value_bytes);
    return all;
}

/// A key that is deleted between two steps sends the kernel back to the first one, so the number of steps is bounded.
Result<std::vector<std::byte>> walked_keys(int fd, const MapInfo &map) {
    std::vector<std::byte> keys;
    std::vector<std::byte> key(map.key_size);
    for (std::uint32_t step = 0; step < map.max_entries; ++step) {
        std::vector<std::byte> next(map.key_size);
        if (::bpf_map_get_next_key(fd, step == 0 ? nullptr : key.data(), next.data()) != 0) {
            if (errno == ENOENT)
                break;
            return map_error(errno, "walk", map);
        }
        keys.insert(keys.end(), next.begin(), next.end());
        key = std::move(next);
    }
    return keys;
}

Result<Entries> walked_entries(int fd, const MapInfo &map, std::size_t value_bytes) {
    Entries all;
    BL_TRY(const std::vector<std::byte> keys, walked_keys(fd, map));
    std::vector<std::byte> value(value_bytes);
    for (std::size_t at = 0; at < keys.size(); at += map.key_size) {
        BL_TRY(const bool found, lookup(fd, map, keys.data() + at, value));
        if (!found)
            continue;
        all.keys.insert(all.keys.end(), keys.begin() + static_cast<std::ptrdiff_t>(at),
                        keys.begin() + static_cast<std::ptrdiff_t>(at + map.key_size));
        all.values.insert(all.values.end(), value.begin(), value.end());
        ++all.count;
    }
    return all;
}

} // namespace

Result<bool> lookup(int fd, const MapInfo &map, const void *key, std::span<std::byte> value) {
    if (::bpf_map_lookup_elem(fd, key, value.data()) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return map_error(errno, "look up in", map);
}

Result<> update(int fd, const MapInfo &map, const void *key, const void *value, Update flags) {
    if (::bpf_map_update_elem(fd, key, value, static_cast<std::uint64_t>(flags)) == 0)
        return {};
    return map_error(errno, "write to", map);
}

Result<bool> erase(int fd, const MapInfo &map, const void *key) {
    if (::bpf_map_delete_elem(fd, key) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return map_error(errno, "delete from", map);
}

Result<Entries> entries(int fd, const MapInfo &map, std::size_t value_bytes) {
    Result<Entries> found = batched_entries(fd, map, value_bytes);
    if (found || !no_batches(found.error().code))
        return found;
    return walked_entries(fd, map, value_bytes);
}

Result<std::vector<std::byte>> keys(int fd, const MapInfo &map) {
    BL_TRY(const std::size_t value_bytes, value_bytes_of(map));
    Result<Entries> found = batched_entries(fd, map, value_bytes);
    if (found)
        return std::move(found->keys);
    if (no_batches(found.error().code))
        return walked_keys(fd, map);
    return std::unexpected(std::move(found).error());
}

Result<> check_sizes(const MapInfo &map, std::size_t key_size, std::size_t value_size) {
    if (map.key_size == key_size && map.value_size == value_size)
        return {};
    return fail(Kind::state, 0,
                fmt::format("{} has keys of {} B and values of {} B, this program expects {} B and {} B", describe(map),
                            map.key_size, map.value_size, key_size, value_size),
                "it was made by another version: take that one down first (beeline down)");
}

std::string describe(const MapInfo &map) {
    return map.name.empty() ? fmt::format("map id {}", map.id) : fmt::format("map {} (id {})", map.name, map.id);
}

} // namespace raw

} // namespace beeline::kernel
