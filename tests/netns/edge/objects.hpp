// SPDX-License-Identifier: Apache-2.0
//
// The BPF objects of a host, and who holds them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <beeline/kernel/fd.hpp>

#include "world.hpp"

namespace beeline::edge {

/// All there are, whoever made them.
[[nodiscard]] ObjectIds all_objects();
/// Which object a descriptor is.
[[nodiscard]] std::optional<std::pair<Object, std::uint32_t>> object_of(int fd);
/// "map 17 (edge_hits)".
[[nodiscard]] std::string describe(const std::pair<Object, std::uint32_t> &object);

/// Every pin below a directory of a bpffs: path relative to it, and the object.
[[nodiscard]] std::map<std::string, std::pair<Object, std::uint32_t>> pins_below(const std::filesystem::path &root);

/// The objects pinned below a directory, and what they keep alive: the maps of programs, what maps hold, the programs
/// of links.
[[nodiscard]] ObjectIds pinned_below(const std::filesystem::path &root);

/// Objects that other processes hold by a descriptor or that are pinned on another bpffs than this one, with the maps
/// that their programs use and the programs and maps that their maps hold.
[[nodiscard]] ObjectIds held_by_others(const std::filesystem::path &own_bpffs);

/// Descriptors of BPF objects of this process: kind and id, how many.
[[nodiscard]] std::map<std::string, std::string> own_descriptors();

} // namespace beeline::edge
