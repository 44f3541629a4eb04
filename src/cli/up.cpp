// SPDX-License-Identifier: Apache-2.0
//
// up, reload and confirm.
#include <array>
#include <csignal>

#include <beeline/edge/judge.hpp>
#include <beeline/local/parse.hpp>

#include "cli/command.hpp"
#include "cli/duration.hpp"
#include "cli/guard.hpp"
#include "daemon/json.hpp"
#include "daemon/report.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string file;
    std::string confirm;
    std::vector<std::string> no_accelerate;
};

void print_edge(Context &context, const edge::UpReport &report, const std::string &file) {
    context.out.print("generation {} is live from {}", report.generation, file);
    for (const edge::DeviceStatus &device : report.devices)
        context.out.print("{}: {}{}{}", device.name, edge::mode_name(device.mode), device.why.empty() ? "" : ": ",
                          device.why);
    for (const std::string &warning : report.warnings)
        context.warn(warning);
}

void print_guests(Context &context, const guest::UpReport &report, const std::string &file) {
    context.out.print("guests are up from {}: {}", file, daemon::summary(report));
    for (const std::string &warning : report.warnings)
        context.warn(warning);
}

void print_report(Context &context, const host::UpReport &report, const std::string &file,
                  const std::optional<std::chrono::seconds> &confirm) {
    if (report.edge)
        print_edge(context, *report.edge, file);
    if (report.edge_down)
        context.out.print("the edge is down: {} has none", file);
    if (report.guests)
        print_guests(context, *report.guests, file);
    if (report.guests_down)
        context.out.print("the guests are down: {} has none", file);
    if (report.local)
        context.out.print("[local] is up from {}{}", file, report.local->changed ? "" : ": no change");
    if (report.local_down)
        context.out.print("[local] is down: {} has none", file);
    if (!confirm || !report.edge)
        return;
    context.out.line(fmt::format("rolls back in {} unless you say: beeline confirm", to_text(*confirm)),
                     Style::warning);
    if (report.guests || report.guests_down || report.local || report.local_down)
        context.out.line("this is about the edge only: all else stays as it is now", Style::warning);
}

/// Connections from and to these addresses stay on TCP, where tcpdump sees them, whatever the rules of the file say.
Result<> keep_on_tcp(const std::vector<std::string> &addresses, config::Config &config) {
    if (addresses.empty())
        return {};
    if (!config.local)
        return fail(Kind::usage, 0, "--no-accelerate is for [local], and " + config.file + " has none",
                    "leave --no-accelerate out: nothing is accelerated");
    std::vector<policy::Rule> &rules = config.local->rules;
    for (const std::string &address : addresses)
        for (const char *end : {"src", "dst"}) {
            rules::Diagnostics diagnostics;
            const std::string text = fmt::format("{} {} -> tcp", end, address);
            const std::array sources = {rules::SourceString(text)};
            const auto parsed = local::parse_rules(sources, {}, diagnostics);
            if (!diagnostics.empty() || parsed.rules.size() != 2) // the fallback is the second one
                return fail(Kind::usage, 0, "--no-accelerate " + address + " is no address and no prefix",
                            "for example --no-accelerate 10.0.0.7, or 10.0.0.0/8");
            rules.insert(rules.begin(), parsed.rules.front());
            rules.front().where = {};
        }
    return {};
}

/// Makes the host what the file says.
Result<int> up(Context &context, const std::string &file, const Options &options) {
    std::optional<std::chrono::seconds> confirm;
    if (!options.confirm.empty()) {
        BL_TRY(confirm, read_duration(options.confirm));
    }
    BL_TRY(config::Config config, context.load(file));
    BL_CHECK(host::Host::check(config));
    BL_CHECK(keep_on_tcp(options.no_accelerate, config));
    if (confirm && !config.edge)
        return fail(Kind::usage, 0, "--confirm is for the edge, and " + file + " has no [edge]",
                    "leave --confirm out: the other parts have no rollback");
    BL_TRY(host::Host host, context.host(config));
    std::signal(SIGPIPE, SIG_IGN); // nobody reading the output is no reason to stop half way
    std::optional<Guard> guard;
    if (confirm) {
        BL_TRY(auto started, Guard::start(context.globals.pins.value_or(config.pins), *confirm));
        guard.emplace(std::move(started));
    }
    std::error_code error;
    const std::string absolute = std::filesystem::absolute(file, error).lexically_normal().string();
    const auto report = host.up(config, {.file = error ? file : absolute, .confirm = confirm});
    if (!report) {
        if (guard)
            guard->dismiss();
        return std::unexpected(report.error());
    }
    if (guard)
        BL_CHECK(guard->arm(report->edge->generation));
    print_report(context, *report, file, confirm);
    return 0;
}

Result<int> reload(Context &context, const Options &options) {
    if (!options.file.empty() || context.globals.config)
        return up(context, context.config_file(options.file), options);
    BL_TRY(const host::Host host, context.host());
    BL_TRY(const host::Status status, host.status());
    if (status.nothing())
        return fail(Kind::usage, 0, "nothing is up", "beeline up FILE");
    return up(context, status.file(), options);
}

Result<int> confirm(Context &context) {
    const Result<> done = context.either([](host::Host &host) { return host.edge().confirm(); },
                                         [](const daemon::Client &client) -> Result<> {
                                             BL_CHECK(client.post("/v1/confirm"));
                                             return {};
                                         });
    BL_CHECK(done);
    context.out.line("confirmed: it stays");
    return 0;
}

void add_options(Command command, Options &options) {
    command.argument("FILE", options.file, "Config file (that of -c)");
    command.option("--confirm", "TIME", options.confirm, "Roll the edge back after TIME unless confirmed: 60s");
    command.option("--no-accelerate", "ADDRESS", options.no_accelerate, "[local]: TCP from and to it; again for more");
}

} // namespace

void add_up(Commands &commands) {
    auto options = std::make_shared<Options>();
    add_options(
        commands.add("up", "Make the host what a file says, all or nothing",
                     "sudo beeline up beeline.toml\n"
                     "sudo beeline up beeline.toml --confirm 60s   # over SSH",
                     [options](Context &context) { return up(context, context.config_file(options->file), *options); }),
        *options);
    commands.add("confirm", "Keep what up --confirm changed", "sudo beeline confirm", confirm);
    auto again = std::make_shared<Options>();
    add_options(commands.add("reload", "Read the file that is live again", "sudo beeline reload",
                             [again](Context &context) { return reload(context, *again); }),
                *again);
}

} // namespace beeline::cli
