// SPDX-License-Identifier: Apache-2.0
//
// BPF maps: what the kernel says about one, and making one. Typed access: typed_map.hpp, per_cpu_map.hpp,
// map_in_map.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <linux/bpf.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

struct MapInfo {
    bpf_map_type type = BPF_MAP_TYPE_UNSPEC;
    std::uint32_t id = 0;
    std::uint32_t key_size = 0;   ///< Bytes.
    std::uint32_t value_size = 0; ///< Bytes, of one CPU.
    std::uint32_t max_entries = 0;
    std::uint32_t flags = 0;
    std::string name = {}; ///< At most 15 characters: the kernel cuts it.

    /// Values of this map come once per possible CPU.
    [[nodiscard]] bool per_cpu() const;
};

struct MapSpec {
    bpf_map_type type = BPF_MAP_TYPE_HASH;
    std::string name = {};
    std::uint32_t key_size = 4;
    std::uint32_t value_size = 4;
    std::uint32_t max_entries = 1;
    std::uint32_t flags = 0; ///< LPM tries need BPF_F_NO_PREALLOC.
    int inner_map_fd = -1;   ///< Map-in-map: the template of the inner maps.
    std::uint64_t extra = 0; ///< map_extra.
};

[[nodiscard]] Result<UniqueFd> create_map(const MapSpec &spec);
[[nodiscard]] Result<UniqueFd> map_by_id(std::uint32_t id);
[[nodiscard]] Result<MapInfo> map_info(int fd);

/// Pins any BPF object (map, program, link) at path, which must be on a bpffs. No dots in the last component.
[[nodiscard]] Result<> pin_object(int fd, const std::filesystem::path &path);
/// Opens the BPF object pinned at path, whatever its type.
[[nodiscard]] Result<UniqueFd> pinned_object(const std::filesystem::path &path);

/// The number of CPUs a per-CPU value is kept for (/sys/devices/system/cpu/possible).
[[nodiscard]] Result<unsigned> possible_cpus();

/// What may be there already when an entry is written.
enum class Update : std::uint64_t { any = BPF_ANY, insert = BPF_NOEXIST, replace = BPF_EXIST };

/// The untyped operations behind the typed maps. Sizes are those of the map; a mismatch is undefined.
namespace raw {
/// True when the key was there; value is written then only.
[[nodiscard]] Result<bool> lookup(int fd, const MapInfo &map, const void *key, std::span<std::byte> value);
[[nodiscard]] Result<> update(int fd, const MapInfo &map, const void *key, const void *value, Update flags);
/// False when there was no such key.
[[nodiscard]] Result<bool> erase(int fd, const MapInfo &map, const void *key);
/// All keys, one behind the other.
[[nodiscard]] Result<std::vector<std::byte>> keys(int fd, const MapInfo &map);
struct Entries {
    std::vector<std::byte> keys = {};   ///< count * key size.
    std::vector<std::byte> values = {}; ///< count * value_bytes.
    std::size_t count = 0;
};
/// All entries; value_bytes is the size of a whole value (all CPUs). Entries that come or go meanwhile may be missed.
[[nodiscard]] Result<Entries> entries(int fd, const MapInfo &map, std::size_t value_bytes);
/// Fails, naming the map and both sizes, unless the map has exactly these.
[[nodiscard]] Result<> check_sizes(const MapInfo &map, std::size_t key_size, std::size_t value_size);
/// "map edge_counters (id 17)".
[[nodiscard]] std::string describe(const MapInfo &map);
} // namespace raw

} // namespace beeline::kernel
