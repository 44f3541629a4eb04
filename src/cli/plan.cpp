// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string file;
    bool json = false;
};

void print_plan(Output &out, const edge::Plan &plan) {
    const auto all = [&out](const std::vector<std::string> &list, char sign, const char *what, Style style) {
        for (const std::string &item : list)
            out.line(fmt::format("{} {:<7} {}", sign, what, item), style);
    };
    if (!plan.live)
        out.line("nothing is up: all of it would be new");
    all(plan.devices_removed, '-', "device", Style::bad);
    all(plan.devices_added, '+', "device", Style::good);
    all(plan.sets_removed, '-', "set", Style::bad);
    all(plan.sets_added, '+', "set", Style::good);
    all(plan.sets_changed, '~', "set", Style::warning);
    all(plan.rules_removed, '-', "rule", Style::bad);
    all(plan.rules_added, '+', "rule", Style::good);
    if (plan.reordered)
        out.line("~ rules that stay change places", Style::warning);
    if (plan.empty())
        out.line("no difference to what is live");
}

Result<int> show_plan(Context &context, const Options &options) {
    BL_TRY(const auto loaded, context.load_policy(context.config_file(options.file)));
    BL_TRY(const edge::Edge edge, context.edge(loaded.first));
    BL_TRY(const edge::Plan plan, edge.plan(loaded.second));
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
