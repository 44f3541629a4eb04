// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <beeline/rules/source_string.hpp>

namespace beeline::config {

/// Reads the TOML string whose opening quote is at `offset` of the file, with the place of each of its bytes (the TOML
/// library tells the start only). Nothing when there is no whole string, or it has an escape that TOML 1.0 has not.
[[nodiscard]] std::optional<rules::SourceString> toml_string(std::shared_ptr<const rules::SourceFile> file,
                                                             std::uint32_t line, std::size_t offset);

} // namespace beeline::config
