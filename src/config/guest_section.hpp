// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <beeline/guest/policy.hpp>

#include "config/section.hpp"

namespace beeline::config {

/// What no two guests can have: whose each is.
struct Taken {
    std::map<std::string, std::string> names, places, host_devices, addresses;
    std::vector<std::pair<guest::Publish, std::string>> ports;
};

/// One [[guest]]. taken: by those before it; what it takes itself is added.
[[nodiscard]] guest::Policy read_guest(const Section &section, const std::vector<policy::Set> &sets,
                                       const guest::HostSettings &settings, Taken &taken);

} // namespace beeline::config
