// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

namespace beeline::cli {
namespace {

Result<int> check(Context &context, const std::string &file) {
    BL_TRY(const config::Config config, context.load(context.config_file(file)));
    std::string what;
    if (config.edge) {
        what = plural(config.edge->rules.size(), "rule") + ", devices";
        for (const std::string &device : config.edge->devices)
            what += " " + device;
    }
    if (!config.guests.empty()) {
        what += (what.empty() ? "" : "; ") + plural(config.guests.size(), "guest");
        for (const guest::Policy &guest : config.guests)
            what += " " + guest.name;
    }
    if (what.empty() && config.has_guests)
        what = "guests that come at run time";
    if (config.local)
        what += (what.empty() ? "" : "; ") + plural(config.local->rules.size(), "rule") + " of [local]";
    if (what.empty())
        what = "nothing to do";
    context.out.print("{}: good: {}", config.file, what);
    return 0;
}

} // namespace

void add_check(Commands &commands) {
    auto file = std::make_shared<std::string>();
    Command command = commands.add("check", "Validate a config file; touches nothing", "beeline check beeline.toml",
                                   [file](Context &context) { return check(context, *file); });
    command.argument("FILE", *file, "Config file (that of -c)");
}

} // namespace beeline::cli
