// SPDX-License-Identifier: Apache-2.0
//
// guest add, del, list, show: guests that come and go without the config file.
#include <algorithm>

#include "cli/command.hpp"
#include "cli/guest_view.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Adding {
    std::string name, netns, device, mode;
    std::vector<std::string> addresses, rules, publish;
    std::uint64_t mtu = 0;
    bool masquerade = false;
};

struct Naming {
    std::string name;
    bool json = false;
};

std::string quoted(const std::string &text) {
    return daemon::Json(text).dump(-1, ' ', true, daemon::Json::error_handler_t::replace); // TOML takes JSON's strings
}

std::string quoted(const std::vector<std::string> &texts) {
    std::string all;
    for (const std::string &text : texts)
        all += (all.empty() ? "" : ", ") + quoted(text);
    return "[" + all + "]";
}

/// The options as the [[guest]] that they stand for: one reader, one set of messages.
std::string as_config(const Adding &options) {
    std::string text = "[[guest]]\nname = " + quoted(options.name) + "\nnetns = " + quoted(options.netns) +
                       "\naddress = " + quoted(options.addresses) + "\n";
    if (!options.device.empty())
        text += "device = " + quoted(options.device) + "\n";
    if (!options.mode.empty())
        text += "mode = " + quoted(options.mode) + "\n";
    if (options.mtu != 0)
        text += fmt::format("mtu = {}\n", options.mtu);
    if (options.masquerade)
        text += "masquerade = true\n";
    if (!options.publish.empty())
        text += "publish = " + quoted(options.publish) + "\n";
    if (!options.rules.empty())
        text += "rules = " + quoted(options.rules) + "\n";
    return text;
}

Result<guest::Policy> read_options(Context &context, const Adding &options) {
    auto [config, diagnostics] = config::parse(as_config(options), "guest add");
    for (const rules::Diagnostic &diagnostic : diagnostics)
        context.err.raw(diagnostic.text() + "\n");
    if (!config)
        return fail(Kind::usage, 0, "guest " + options.name + " is not added", "beeline guest add --help");
    return std::move(config->guests.at(0));
}

Result<int> add(Context &context, const Adding &options) {
    BL_TRY(const guest::Policy policy, read_options(context, options));
    BL_TRY(host::Host host, context.host());
    BL_TRY(const guest::GuestStatus status, host.guests().add(policy));
    context.out.print("guest {} is up: {}, {} to {}", status.name, guest::name(status.wiring), status.host_device,
                      status.device);
    if (!status.why.empty())
        context.warn(fmt::format("{}: {}", guest::name(status.wiring), status.why));
    return 0;
}

Result<int> del(Context &context, const Naming &options) {
    BL_TRY(host::Host host, context.host());
    BL_TRY(const bool removed, host.guests().remove(options.name));
    context.out.print("guest {} {}", options.name, removed ? "is gone" : "was not up");
    return 0;
}

Result<int> list(Context &context, const Naming &options) {
    BL_TRY(const host::Status status, context.status());
    const std::vector<guest::GuestStatus> guests =
        status.guests ? status.guests->guests : std::vector<guest::GuestStatus>();
    if (options.json) {
        daemon::Json json = {{"version", daemon::kSchemaVersion}, {"guests", daemon::Json::array()}};
        for (const guest::GuestStatus &guest : guests)
            json["guests"].push_back(daemon::to_json(guest));
        context.json(json);
    } else if (guests.empty()) {
        context.out.line("no guest is up");
    } else {
        print_guest_table(context.out, guests);
    }
    return 0;
}

Result<int> show(Context &context, const Naming &options) {
    BL_TRY(const host::Status status, context.status());
    if (status.guests)
        for (const guest::GuestStatus &guest : status.guests->guests)
            if (guest.name == options.name) {
                if (options.json)
                    context.json(daemon::to_json(guest));
                else
                    print_guest(context.out, guest);
                return 0;
            }
    return fail(Kind::usage, 0, "no guest " + options.name + " is up", "beeline guest list");
}

void add_adding(Commands &commands, Command &group) {
    auto options = std::make_shared<Adding>();
    Command command = commands.add_to(group, "add", "One more guest, which stays over every up",
                                      "sudo beeline guest add web --netns web --address 10.88.0.2/24 \\\n"
                                      "  --rule 'in tcp dport 80 -> pass' --rule 'in -> drop' --masquerade\n"
                                      "\n"
                                      "Each option is the key of that name in [[guest]], docs/config.md. The file\n"
                                      "that is up needs [guests] or a [[guest]].",
                                      [options](Context &context) { return add(context, *options); });
    command.required("NAME", options->name, "The guest");
    command.option("--netns", "N", options->netns, "Network namespace: a name or a path");
    command.option("--address", "A", options->addresses, "10.88.0.2/24; again for the other family");
    command.option("--rule", "R", options->rules, "A rule; again for more, in order");
    command.flag("--masquerade", options->masquerade, "To the world with the uplink's address");
    command.option("--publish", "P", options->publish, "8080:80, a port of the host; again for more");
    command.option("--device", "D", options->device, "Name inside the guest (eth0)");
    command.option("--mode", "M", options->mode, "auto, netkit-l3, netkit-l2, veth");
    command.option("--mtu", "N", options->mtu, "IP bytes (that of the uplinks)");
}

} // namespace

void add_guest(Commands &commands) {
    Command group = commands.add_group("guest", "Guests at run time: add, del, list, show", "beeline guest list");
    add_adding(commands, group);

    auto deleting = std::make_shared<Naming>();
    Command command = commands.add_to(group, "del", "Remove a guest", "sudo beeline guest del web",
                                      [deleting](Context &context) { return del(context, *deleting); });
    command.required("NAME", deleting->name, "The guest");

    auto listing = std::make_shared<Naming>();
    command = commands.add_to(group, "list", "One line for each guest", "beeline guest list",
                              [listing](Context &context) { return list(context, *listing); });
    command.flag("--json", listing->json, "As JSON (docs/control.md)");

    auto showing = std::make_shared<Naming>();
    command = commands.add_to(group, "show", "All about one guest", "beeline guest show web",
                              [showing](Context &context) { return show(context, *showing); });
    command.required("NAME", showing->name, "The guest");
    command.flag("--json", showing->json, "As JSON (docs/control.md)");
}

} // namespace beeline::cli
