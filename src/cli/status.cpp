// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/duration.hpp"
#include "cli/guest_view.hpp"
#include "cli/local_view.hpp"
#include "daemon/json.hpp"

#include <beeline/edge/judge.hpp>
#include <beeline/edge/parse.hpp>

namespace beeline::cli {
namespace {

struct Options {
    bool json = false;
    bool all = false;
};

void print_head(Output &out, const edge::Status &status) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - status.since);
    out.print("generation {} from {}", status.generation, status.file);
    out.print("live since {} ({})", local_time(status.since), to_text(std::max(age, std::chrono::seconds(0))));
    if (status.rollback_in)
        out.line(fmt::format("rolls back in {} unless you say: beeline confirm", to_text(*status.rollback_in)),
                 Style::warning);
}

void print_devices(Output &out, const edge::Status &status) {
    Table table{{{"device"}, {"mode"}, {"state"}}, {}};
    for (const edge::DeviceStatus &device : status.devices) {
        std::string state = device.attached ? "attached" : "gone: the device was removed (beeline reload)";
        if (!device.why.empty())
            state += "; not native: " + device.why;
        table.rows.push_back({device.name, std::string(edge::mode_name(device.mode)), state});
    }
    out.line();
    out.table(table);
}

void print_rules(Output &out, const edge::Status &status) {
    Table table{{{"#", true}, {"packets", true}, {"bytes", true}, {"line", true}, {"rule"}}, {}};
    for (std::size_t i = 0; i < status.rules.size(); ++i) {
        const edge::RuleStatus &rule = status.rules[i];
        table.rows.push_back({std::to_string(i + 1), grouped(rule.packets), grouped(rule.bytes),
                              rule.line == 0 ? "" : std::to_string(rule.line), rule.text});
    }
    out.line();
    out.table(table);
}

void print_sets(Output &out, const edge::Status &status) {
    if (status.sets.empty())
        return;
    Table table{{{"set"}, {"type"}, {"entries", true}}, {}};
    for (const edge::SetStatus &set : status.sets)
        table.rows.push_back({set.name, std::string(edge::to_text(set.type)), grouped(set.entries)});
    out.line();
    out.table(table);
}

/// Where programs put their AF_XDP sockets.
void print_xsks(Output &out, const edge::Status &status) {
    if (status.xsks.empty())
        return;
    Table table{{{"xsk"}, {"queue 0 at", true}, {"queues", true}, {"map"}}, {}};
    for (const edge::XskStatus &xsk : status.xsks)
        table.rows.push_back({xsk.name, grouped(xsk.first), grouped(xsk.queues), xsk.map.string()});
    out.line();
    out.table(table);
}

/// Programs on our devices: their order tells who sees a packet first.
void print_hooks(Output &out, const edge::Status &status) {
    Table table{{{"device"}, {"hook"}, {"program"}, {"whose"}}, {}};
    for (const edge::HookProgram &hook : status.hooks)
        table.rows.push_back({hook.device, hook.hook, hook.program, hook.ours ? "beeline" : "another's"});
    if (table.rows.empty())
        return;
    out.line();
    out.table(table);
}

void print_edge(Output &out, const edge::Status &status, bool all) {
    print_head(out, status);
    print_devices(out, status);
    print_rules(out, status);
    print_sets(out, status);
    print_xsks(out, status);
    print_hooks(out, status);
    print_odd(out, status.odd, all);
}

Result<int> show_status(Context &context, const Options &options) {
    BL_TRY(const host::Status host, context.status());
    const std::optional<edge::Status> &status = host.edge;
    if (options.json) {
        context.json(daemon::to_json(host));
        return 0;
    }
    Output &out = context.out;
    if (host.nothing())
        out.line("nothing is up");
    if (status)
        print_edge(out, *status, options.all);
    if (host.guests) {
        if (status)
            out.line();
        print_guests(out, *host.guests, options.all);
    }
    if (host.local) {
        if (status || host.guests)
            out.line();
        print_local(out, *host.local);
    }
    return 0;
}

} // namespace

void add_status(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("status", "What is attached where, and what went through it",
                                   "beeline status\nbeeline status --json | jq '.edge.rules[] | {text, packets}'",
                                   [options](Context &context) { return show_status(context, *options); });
    command.flag("--json", options->json, "As JSON (docs/control.md)");
    command.flag("--all", options->all, "Odd counters that are zero, too");
}

} // namespace beeline::cli
