// SPDX-License-Identifier: Apache-2.0
//
// `beeline run`: keeps the host as the config file says, in the foreground.
#pragma once

#include <optional>
#include <string>

#include <beeline/result.hpp>

namespace beeline::daemon {

struct DaemonOptions {
    std::string config_file;
    std::optional<std::string> pins = {};   ///< Instead of the file's.
    std::optional<std::string> events = {}; ///< pcapng file that takes all log events.
};

/// Runs until SIGTERM or SIGINT; SIGHUP reloads. Ending changes nothing in the kernel. Call it in a process without
/// other threads: it drops capabilities and blocks signals.
[[nodiscard]] Result<> run(const DaemonOptions &options);

} // namespace beeline::daemon
