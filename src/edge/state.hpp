// SPDX-License-Identifier: Apache-2.0
//
// What a generation has to tell those who come later: kept in a pinned map beside the program, as JSON. It is the only
// record of an edge that is up; nothing about it is in a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/tables.hpp>
#include <beeline/result.hpp>

#include "live/rule_record.hpp"
#include "live/set_maps.hpp"

namespace beeline::edge {

struct State : live::RuleRecord {
    std::uint32_t abi = BL_ABI_VERSION;
    std::uint32_t generation = 0;
    std::uint32_t highest = 0; ///< Highest number given out: a rollback does not free numbers.
    std::string file;
    std::int64_t since = 0;         ///< Seconds of the wall clock.
    std::int64_t confirm_until = 0; ///< The same; 0: nothing waits to be confirmed.
    std::uint64_t netns = 0;        ///< Inode of the network namespace whose devices these are.
    std::vector<DeviceStatus> devices;
    std::map<std::string, std::uint32_t> xsks;
};

/// Name of the pin.
inline constexpr const char *kStatePin = "edge_state";

/// Puts the record into a map of its own, pinned in directory.
[[nodiscard]] Result<> write_state(const State &state, const std::filesystem::path &directory);
/// Replaces the record in its map.
[[nodiscard]] Result<> rewrite_state(const State &state, const std::filesystem::path &directory);
/// Kind::state when it is damaged or of another ABI version.
[[nodiscard]] Result<State> read_state(const std::filesystem::path &directory);

/// The maps of its sets.
[[nodiscard]] live::SetMaps set_maps(const Program &program);

} // namespace beeline::edge
