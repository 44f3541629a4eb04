// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <beeline/result.hpp>

namespace beeline::config {

/// The bytes of a file, at most `most` of them; more is an error, and so are folders and devices.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path &path, std::size_t most);

} // namespace beeline::config
