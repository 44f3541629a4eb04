// SPDX-License-Identifier: Apache-2.0
//
// The maps, programs and links of the short cut, and their names below <pins>/local.
#pragma once

#include <filesystem>
#include <string>

#include <beeline/kernel/object_set.hpp>
#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <beeline/local.h>
#include <beeline/local/policy.hpp>
#include <beeline/result.hpp>

#include "live/set_maps.hpp"

namespace beeline::local {

inline constexpr const char *kLive = "local";
inline constexpr const char *kRecordPin = "local_record";
/// Reading it runs local_tend.
inline constexpr const char *kTendPin = "link_tend";
inline constexpr const char *kSocketsPin = "link_sockets";

using SettingsMap = kernel::Map<std::uint32_t, bl_local_settings>;
using PairMap = kernel::Map<bl_local_key, bl_local_pair>;
using ProgramMap = kernel::Map<bl_local_program, std::uint32_t>;
using TendedMap = kernel::Map<std::uint32_t, bl_local_tended>;
using ChosenMap = kernel::PerCpuMap<std::uint32_t, bl_local_chosen>;
using ReasonMap = kernel::PerCpuMap<std::uint32_t, std::uint64_t>;

/// Fresh ones, in the kernel, attached to nothing.
[[nodiscard]] Result<kernel::ObjectSet> load(std::uint32_t connections);
[[nodiscard]] Result<kernel::ObjectSet> open_pinned(const std::filesystem::path &directory);

/// Attaches all programs and pins the links; that which lets new connections in comes last.
[[nodiscard]] Result<> attach(const kernel::ObjectSet &objects, const std::string &cgroup,
                              const std::filesystem::path &directory);
/// The last of these alone.
[[nodiscard]] Result<> attach_sockets(const kernel::ObjectSet &objects, const std::string &cgroup,
                                      const std::filesystem::path &directory);

[[nodiscard]] live::SetMaps set_maps(const kernel::ObjectSet &objects);

} // namespace beeline::local
