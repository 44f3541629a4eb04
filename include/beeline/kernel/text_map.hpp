// SPDX-License-Identifier: Apache-2.0
//
// A text in a BPF array of its own, pinned: what those who come later have to know of something that lives in the
// kernel. Nothing about it is in a file.
#pragma once

#include <filesystem>
#include <string>

#include <beeline/result.hpp>

namespace beeline::kernel {

/// Makes the map and pins it. name: the map's, at most 15 characters.
[[nodiscard]] Result<> pin_text(const std::string &name, const std::string &text, const std::filesystem::path &pin);
/// The same in the place of what is pinned there: whoever looks meanwhile sees the old text or the new one.
[[nodiscard]] Result<> repin_text(const std::string &name, const std::string &text, const std::filesystem::path &pin);
/// Kind::state when something else is pinned there.
[[nodiscard]] Result<std::string> pinned_text(const std::string &name, const std::filesystem::path &pin);

} // namespace beeline::kernel
