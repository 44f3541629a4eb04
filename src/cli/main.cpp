// SPDX-License-Identifier: Apache-2.0
//
// The program `beeline`: reads the command line, runs one command, prints its error once.
#include <cstdlib>

#include <CLI/CLI.hpp>

#include <beeline/kernel/libbpf_log.hpp>

#include "cli/command.hpp"

namespace beeline::cli {
namespace {

void add_globals(CLI::App &app, Globals &globals) {
    app.add_option("-c,--config", globals.config, fmt::format("Config file ({})", kDefaultConfig))->type_name("FILE");
    app.add_option("--pins", globals.pins, "Where state is pinned, on a bpffs")->type_name("DIR");
    app.add_flag("--verbose", globals.verbose, "Show the details of an error");
    app.set_version_flag("--version", "beeline " BEELINE_VERSION);
    app.footer("Example:\n"
               "  beeline check beeline.toml\n"
               "  sudo beeline up beeline.toml --confirm 60s\n"
               "\n"
               "beeline COMMAND --help tells more. Exit status: 0 good, 1 the host refused,\n"
               "2 usage, 3 config, 4 unsupported, 5 permission, 6 conflict, 7 state.");
    app.get_formatter()->column_width(26); // descriptions have 54 columns
    app.require_subcommand(1);
}

void add_commands(Commands &commands) {
    add_doctor(commands);
    add_check(commands);
    add_plan(commands);
    add_up(commands); // and confirm, reload
    add_down(commands);
    add_status(commands);
    add_top(commands);
    add_explain(commands);
    add_replay(commands);
    add_set(commands);
    add_guest(commands);
    add_local(commands);
    add_lab(commands); // demo, bench
    add_run(commands);
}

int report(Context &context, const Error &error) {
    context.err.raw("beeline: " + fitted(error.message(), std::nullopt) + "\n");
    if (context.globals.verbose && !error.detail.empty())
        context.err.raw(error.detail + (error.detail.ends_with('\n') ? "" : "\n"));
    return static_cast<int>(error.kind);
}

int usage(Context &context, const CLI::App &app, const CLI::ParseError &error) {
    const auto given = app.get_subcommands();
    std::string command = "beeline";
    for (const CLI::App *sub : given)
        command += " " + sub->get_name();
    return report(context, {.kind = Kind::usage, .what = error.what(), .remedy = command + " --help"});
}

int run(int argc, char **argv) {
    kernel::LibbpfLog::silence();
    Context context;
    CLI::App app("Puts every flow of this host on its shortest path", "beeline");
    Commands commands(app);
    add_globals(app, context.globals);
    add_commands(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        if (error.get_exit_code() == 0)
            return app.exit(error); // --help, --version
        return usage(context, app, error);
    }
    const Result<int> status = commands.chosen()(context);
    std::fflush(stdout);
    return status ? *status : report(context, status.error());
}

} // namespace
} // namespace beeline::cli

int main(int argc, char **argv) {
    try {
        return beeline::cli::run(argc, argv);
    } catch (const std::exception &error) { // out of memory, for one: nothing of ours throws
        std::fprintf(stderr, "beeline: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
