// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "daemon/daemon.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string events;
};

Result<int> run(Context &context, const Options &options) {
    daemon::DaemonOptions daemon{.config_file = context.config_file(), .pins = context.globals.pins};
    if (!options.events.empty())
        daemon.events = options.events;
    BL_CHECK(daemon::run(daemon));
    return 0;
}

} // namespace

void add_run(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("run", "The daemon in the foreground (systemd starts this)",
                                   "sudo beeline run -c /etc/beeline/beeline.toml",
                                   [options](Context &context) { return run(context, *options); });
    command.option("--events", "FILE", options->events, "Write all log events to a pcapng file");
}

} // namespace beeline::cli
