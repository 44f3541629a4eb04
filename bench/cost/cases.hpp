// SPDX-License-Identifier: Apache-2.0
//
// What is measured. A new row is one entry of the table in cases.cpp.
#pragma once

#include <string>
#include <vector>

#include <beeline/result.hpp>

#include "lab/figures.hpp"

namespace beeline::cost {

/// The rows whose "CASE SUBJECT" contains any of the words; all without words. A word that is in none is an error that
/// names the rows there are.
[[nodiscard]] Result<std::vector<lab::Row>> measure(const std::vector<std::string> &words);

} // namespace beeline::cost
