// SPDX-License-Identifier: Apache-2.0
//
// What becomes of each section. All say what is wrong to the document and go on, so that one run tells everything.
#pragma once

#include <filesystem>
#include <vector>

#include <beeline/config/config.hpp>

#include "config/section.hpp"

namespace beeline::config {

/// [host]
void read_host(const Section &section, Config &config);
/// [sets.NAME]; files are relative to folder.
[[nodiscard]] std::vector<edge::Set> read_sets(const Section &section, const std::filesystem::path &folder);
/// [guests]
[[nodiscard]] guest::HostSettings read_guest_settings(const Section &section);
/// Each [[guest]] of the file.
[[nodiscard]] std::vector<guest::Policy> read_guests(const Section &file, const std::vector<policy::Set> &sets,
                                                     const guest::HostSettings &settings);
/// [local]
[[nodiscard]] local::Policy read_local(const Section &section, const std::vector<policy::Set> &sets);
/// Those of the sets that rules name.
[[nodiscard]] std::vector<policy::Set> sets_of(const std::vector<policy::Rule> &rules,
                                               const std::vector<policy::Set> &sets);
/// [edge]
[[nodiscard]] edge::Policy read_edge(const Section &section, std::vector<edge::Set> sets);

} // namespace beeline::config
