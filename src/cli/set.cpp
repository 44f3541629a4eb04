// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/duration.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

struct Options {
    std::string name, entry, lifetime;
    bool json = false;
};

std::string path(const Options &options) {
    return "/v1/sets/" + daemon::url_encoded(options.name);
}

Result<int> add(Context &context, const Options &options) {
    std::optional<std::chrono::seconds> lifetime;
    if (!options.lifetime.empty()) {
        BL_TRY(lifetime, read_duration(options.lifetime));
    }
    const Result<> added =
        context.either([&](host::Host &host) { return host.set_add(options.name, options.entry, lifetime); },
                       [&](const daemon::Client &client) -> Result<> {
                           daemon::Json body = {{"entry", options.entry}};
                           if (lifetime)
                               body["for_seconds"] = lifetime->count();
                           BL_CHECK(client.post(path(options), body));
                           return {};
                       });
    BL_CHECK(added);
    context.out.print("{} is in {}{}", options.entry, options.name,
                      lifetime ? " for " + to_text(*lifetime) : std::string());
    return 0;
}

Result<int> del(Context &context, const Options &options) {
    BL_TRY(const bool removed,
           context.either([&](host::Host &host) { return host.set_del(options.name, options.entry); },
                          [&](const daemon::Client &client) -> Result<bool> {
                              BL_TRY(const daemon::Json json,
                                     client.remove(path(options) + "?entry=" + daemon::url_encoded(options.entry)));
                              return json.value("removed", false);
                          }));
    context.out.print("{} {} in {}", options.entry, removed ? "is no longer" : "was not", options.name);
    return 0;
}

Result<int> list(Context &context, const Options &options) {
    using Entries = Result<std::vector<edge::SetEntry>>;
    BL_TRY(const auto entries, context.either([&](host::Host &host) { return host.set_list(options.name); },
                                              [&](const daemon::Client &client) -> Entries {
                                                  BL_TRY(const daemon::Json json, client.get(path(options)));
                                                  return daemon::set_entries_from_json(json);
                                              }));
    if (options.json) {
        context.json(daemon::to_json(entries));
        return 0;
    }
    Table table{{{"entry"}, {"from"}, {"expires"}}, {}};
    for (const edge::SetEntry &entry : entries)
        table.rows.push_back({entry.text, entry.runtime ? "set add" : "file",
                              entry.expires_in ? "in " + to_text(*entry.expires_in) : "never"});
    context.out.table(table);
    return 0;
}

} // namespace

void add_set(Commands &commands) {
    Command set = commands.add_group("set", "Entries of live sets: add, del, list",
                                     "sudo beeline set add blocklist 203.0.113.0/24 --for 10m");
    const auto name = [](Command command, Options &options) { command.required("NAME", options.name, "The set"); };
    const auto entry = [](Command command, Options &options) {
        command.required("ENTRY", options.entry, "A prefix, port or MAC address");
    };

    auto adding = std::make_shared<Options>();
    Command command = commands.add_to(set, "add", "Add an entry, or change its time",
                                      "sudo beeline set add blocklist 203.0.113.0/24 --for 10m",
                                      [adding](Context &context) { return add(context, *adding); });
    name(command, *adding);
    entry(command, *adding);
    command.option("--for", "TIME", adding->lifetime, "Remove it after TIME: 30s, 10m, 1h30m, 7d");

    auto deleting = std::make_shared<Options>();
    command = commands.add_to(set, "del", "Remove an entry", "sudo beeline set del blocklist 203.0.113.0/24",
                              [deleting](Context &context) { return del(context, *deleting); });
    name(command, *deleting);
    entry(command, *deleting);

    auto listing = std::make_shared<Options>();
    command = commands.add_to(set, "list", "Show the entries", "sudo beeline set list blocklist",
                              [listing](Context &context) { return list(context, *listing); });
    name(command, *listing);
    command.flag("--json", listing->json, "As JSON");
}

} // namespace beeline::cli
