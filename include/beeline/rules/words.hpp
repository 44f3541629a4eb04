// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace beeline::rules {

/// The candidate a misspelt word most likely meant: the least edit distance (insert, delete, replace, swap neighbours),
/// at most a third of the word's length and never all of it; or a word that begins like it. Empty when none is near.
/// Bounded for words of any length.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view> &candidates);

/// 'word', cut when it is long.
[[nodiscard]] std::string in_quotes(std::string_view word);

/// Joins what is not empty with "; ".
[[nodiscard]] std::string joined(std::string first, std::string_view second);

/// "did you mean 'x'?", or empty.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string_view> &candidates);

} // namespace beeline::rules
