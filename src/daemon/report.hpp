// SPDX-License-Identifier: Apache-2.0
//
// What was done, in words, for the log and for people.
#pragma once

#include <string>
#include <vector>

#include <beeline/guest/guest.hpp>

namespace beeline::daemon {

/// "web, db"
[[nodiscard]] std::string list(const std::vector<std::string> &names);
/// "new: web, db; gone: old; wired anew: dns; changed: mail"; "no change".
[[nodiscard]] std::string summary(const guest::UpReport &report);

} // namespace beeline::daemon
