// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string file;
    bool json = false;
};

void print_all(Output &out, const std::vector<std::string> &list, char sign, const char *what, Style style) {
    for (const std::string &item : list)
        out.line(fmt::format("{} {:<7} {}", sign, what, item), style);
}

void print_rules(Output &out, const live::RulePlan &plan) {
    print_all(out, plan.sets_removed, '-', "set", Style::bad);
    print_all(out, plan.sets_added, '+', "set", Style::good);
    print_all(out, plan.sets_changed, '~', "set", Style::warning);
    print_all(out, plan.rules_removed, '-', "rule", Style::bad);
    print_all(out, plan.rules_added, '+', "rule", Style::good);
    if (plan.reordered)
        out.line("~ rules that stay change places", Style::warning);
}

void print_edge(Output &out, const edge::Plan &plan) {
    print_all(out, plan.devices_removed, '-', "device", Style::bad);
    print_all(out, plan.devices_added, '+', "device", Style::good);
    print_rules(out, plan);
}

void print_local(Output &out, const local::Plan &plan) {
    if (!plan.empty())
        out.line("~ [local]", Style::warning);
    print_rules(out, plan);
    if (plan.settings)
        out.line("~ limit, lowat or trusted", Style::warning);
}

void print_guests(Output &out, const guest::Plan &plan) {
    print_all(out, plan.uplinks_removed, '-', "uplink", Style::bad);
    print_all(out, plan.uplinks_added, '+', "uplink", Style::good);
    print_all(out, plan.removed, '-', "guest", Style::bad);
    print_all(out, plan.added, '+', "guest", Style::good);
    for (const std::string &name : plan.rewired)
        out.line(fmt::format("~ guest   {}: wired anew", name), Style::bad);
    print_all(out, plan.changed, '~', "guest", Style::warning);
    if (plan.settings)
        out.line("~ masquerade_ports", Style::warning);
}

void print_plan(Output &out, const host::Plan &plan) {
    if (!plan.live())
        out.line("nothing is up: all of it would be new");
    if (plan.edge_down)
        out.line("- the edge: the file has none", Style::bad);
    if (plan.edge)
        print_edge(out, *plan.edge);
    if (plan.guests_down)
        out.line("- all guests: the file has none", Style::bad);
    if (plan.guests)
        print_guests(out, *plan.guests);
    if (plan.local_down)
        out.line("- [local]: the file has none", Style::bad);
    if (plan.local)
        print_local(out, *plan.local);
    if (plan.empty())
        out.line("no difference to what is live");
}

Result<int> show_plan(Context &context, const Options &options) {
    BL_TRY(const config::Config config, context.load(context.config_file(options.file)));
    BL_TRY(const host::Host host, context.host(config));
    BL_TRY(const host::Plan plan, host.plan(config));
    if (options.json)
        context.json(daemon::to_json(plan));
    else
        print_plan(context.out, plan);
    return 0;
}

} // namespace

void add_plan(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("plan", "Show the difference of a file to what is live", "beeline plan beeline.toml",
                                   [options](Context &context) { return show_plan(context, *options); });
    command.argument("FILE", options->file, "Config file (that of -c)");
    command.flag("--json", options->json, "As JSON");
}

} // namespace beeline::cli
