// SPDX-License-Identifier: Apache-2.0
//
// What those who come later have to know of the short cut while it is up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <beeline/result.hpp>

#include "live/rule_record.hpp"

namespace beeline::local {

struct Record {
    std::string file;
    std::int64_t since = 0; ///< Seconds of the wall clock.
    std::uint32_t connections = 0;
    std::string cgroup;
    std::vector<std::string> trusted;
    std::uint64_t digest = 0;                     ///< Of the rows.
    std::map<std::string, std::uint64_t> cgroups; ///< Ids in the rows, by path.
    live::RuleRecord rules;
};

[[nodiscard]] Result<> write_record(const Record &record, const std::filesystem::path &directory);
[[nodiscard]] Result<Record> read_record(const std::filesystem::path &directory);

} // namespace beeline::local
