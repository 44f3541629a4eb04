// SPDX-License-Identifier: Apache-2.0
//
// From what the config says of where a guest is to its network namespace.
#pragma once

#include <filesystem>
#include <string>

#include <beeline/guest/policy.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

/// Path of the namespace: that of a netns by name or path, that of a container as its runtime tells. Not for taps.
[[nodiscard]] Result<std::filesystem::path> netns_path(const Place &place);

} // namespace beeline::guest
