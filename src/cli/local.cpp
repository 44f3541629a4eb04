// SPDX-License-Identifier: Apache-2.0
//
// local list: the connections that [local] looks after.
#include "cli/command.hpp"
#include "cli/local_view.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    bool json = false;
};

using Connections = std::optional<std::vector<local::Connection>>;

Result<Connections> connections_here(const host::Host &host) {
    BL_TRY(const bool up, host.local().is_up());
    if (!up)
        return std::nullopt;
    BL_TRY(local::Status status, host.local().status());
    return std::move(status.connections);
}

Result<Connections> connections_by(const daemon::Client &client) {
    BL_TRY(const daemon::Json json, client.get("/v1/connections"));
    BL_TRY(auto connections, daemon::connections_from_json(json));
    if (!json.value("up", false))
        return std::nullopt;
    return connections;
}

Result<int> list(Context &context, const Options &options) {
    BL_TRY(const Connections connections, context.either(connections_here, connections_by));
    if (options.json)
        context.json(daemon::connections_to_json(connections));
    else if (!connections)
        context.out.line("[local] is not up");
    else if (connections->empty())
        context.out.line("no connection");
    else
        print_connections(context.out, *connections);
    return 0;
}

} // namespace

void add_local(Commands &commands) {
    Command group = commands.add_group("local", "Connections within this host: list", "beeline local list");
    auto options = std::make_shared<Options>();
    Command command = commands.add_to(group, "list", "One line for each connection that [local] looks after",
                                      "sudo beeline local list\n"
                                      "\n"
                                      "States: watched (on TCP, not proven yet), wanted (enters when it is read\n"
                                      "empty), on (short cut), tcp (for good, and why), half (one end is known).\n"
                                      "Reasons: docs/local.md.",
                                      [options](Context &context) { return list(context, *options); });
    command.flag("--json", options->json, "As JSON (docs/control.md)");
}

} // namespace beeline::cli
