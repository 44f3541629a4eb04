// SPDX-License-Identifier: Apache-2.0
//
// Names derived from the running test, so that tests may run at the same time.
#pragma once

#include <string>
#include <string_view>

namespace beeline::harness {

/// "bl-<8 hex digits of the test's full name>-<pid>-<suffix>": namespaces, cgroups, directories.
[[nodiscard]] std::string unique_name(std::string_view suffix);
/// At most 15 characters (IFNAMSIZ), for devices in a namespace shared with others: "bl<6 hex digits><suffix>". The
/// digits are over test name and pid; suffix has at most 7 characters.
[[nodiscard]] std::string device_name(std::string_view suffix);

} // namespace beeline::harness
