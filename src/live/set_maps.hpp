// SPDX-License-Identifier: Apache-2.0
//
// The sets that live rules name, in their maps: bpf/lib/set_maps.h has the kernel's side.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <beeline/live/status.hpp>
#include <beeline/policy/expand.hpp>
#include <beeline/result.hpp>

#include "live/rule_record.hpp"

namespace beeline::live {

/// Entries that `set add` may bring to a prefix set on top of the file's.
inline constexpr std::uint32_t kSetRoom = 1 << 20;

/// Descriptors of a part's maps; they stay the part's.
struct SetMaps {
    const char *name = ""; ///< Of the map of a prefix set: "edge_set".
    int sets4 = -1, sets6 = -1, members = -1;
    /// For user space alone, by index of the set: how many entries with an end it was given since it was last swept.
    /// -1 where nothing is added at run time.
    int timed = -1;
};

/// The set as the config says it. A port or MAC set goes beside what has its index already.
[[nodiscard]] Result<> fill_set(const policy::SetTable &set, const SetMaps &maps);
/// Nothing is in the place of the set any more.
[[nodiscard]] Result<> clear_set(const SetPlace &set, const SetMaps &maps);

/// Copies what was added at run time into the sets of the same name and type of new maps.
[[nodiscard]] Result<> carry_runtime_entries(const std::vector<SetPlace> &before, const SetMaps &from,
                                             const std::vector<policy::SetTable> &sets, const SetMaps &to);

/// Writes, deletes and lists entries; entry is the text of one.
[[nodiscard]] Result<> add_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry,
                                 std::optional<std::chrono::seconds> lifetime);
/// What stands in the maps under an entry's keys, and putting it back: for whoever changes sets of several parts.
struct StoredEntry {
    std::vector<std::optional<bl_set_entry>> values; ///< By key.
};
[[nodiscard]] Result<StoredEntry> stored_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry);
[[nodiscard]] Result<> restore_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry,
                                     const StoredEntry &stored);
[[nodiscard]] Result<bool> del_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry);
[[nodiscard]] Result<std::vector<SetEntry>> list_entries(const SetPlace &set, const SetMaps &maps);
[[nodiscard]] Result<std::uint64_t> count_entries(const SetPlace &set, const SetMaps &maps);
/// Deletes what is past its time. Looks only into sets that were ever given an entry with an end.
[[nodiscard]] Result<std::uint64_t> sweep_entries(const std::vector<SetPlace> &sets, const SetMaps &maps);

} // namespace beeline::live
