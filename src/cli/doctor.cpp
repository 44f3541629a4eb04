// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <beeline/kernel/features.hpp>

#include "cli/command.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    bool json = false;
};

Style style_of(Fitness fitness) {
    switch (fitness) {
    case Fitness::full:
        return Style::good;
    case Fitness::fallback:
        return Style::warning;
    case Fitness::impossible:
        return Style::bad;
    case Fitness::absent:
        return Style::plain;
    }
    return Style::plain;
}

void print_features(Output &out, const std::vector<kernel::Feature> &features) {
    Table table{{{"feature"}, {"here"}, {"for, or why not"}}, {}};
    for (const kernel::Feature &feature : features) {
        std::string why(feature.needed_by);
        if (!feature.available) {
            why = feature.why;
            if (!feature.since.empty())
                why += fmt::format(" (Linux >= {})", feature.since);
        }
        table.rows.push_back({std::string(feature.title), feature.available ? "yes" : "no", why});
    }
    out.table(table);
}

void print_devices(Output &out, const std::vector<DeviceReport> &devices) {
    Table table{{{"device"}, {"driver"}, {"native XDP"}, {"redirect to"}, {"holds the hook"}}, {}};
    for (const DeviceReport &device : devices)
        table.rows.push_back({device.name, device.driver.empty() ? "-" : device.driver, device.native,
                              device.redirect_target, device.holder.empty() ? "nobody" : device.holder});
    out.line();
    out.table(table);
    for (const DeviceReport &device : devices)
        for (const std::string &note : device.notes)
            out.line(fmt::format("{}: {}", device.name, note), Style::warning);
}

Result<int> doctor(Context &context, const Options &options) {
    BL_TRY(const std::string pins, context.pins());
    BL_TRY(const Doctor report, examine(pins));
    if (options.json) {
        context.json(to_json(report));
        return report.exit_status;
    }
    Output &out = context.out;
    out.print("kernel        Linux {}", report.kernel);
    out.print("capabilities  {}", report.capabilities);
    out.print("bpffs         {}", report.bpffs);
    out.print("cgroup v2     {}", report.cgroup2);
    out.line();
    print_features(out, report.features);
    print_devices(out, report.devices);
    out.line();
    for (const PartReport &part : report.parts)
        out.line(fmt::format("{:<7} {}{}{}", part.name, name(part.fitness), part.why.empty() ? "" : ": ", part.why),
                 style_of(part.fitness));
    return report.exit_status;
}

} // namespace

void add_doctor(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("doctor", "What this kernel and these devices can do", "sudo beeline doctor",
                                   [options](Context &context) { return doctor(context, *options); });
    command.flag("--json", options->json, "As JSON");
}

} // namespace beeline::cli
