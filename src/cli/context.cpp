// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include <filesystem>

#include "daemon/json.hpp"

namespace beeline::cli {

std::string Context::config_file(const std::string &file) const {
    return !file.empty() ? file : globals.config.value_or(kDefaultConfig);
}

Result<config::Config> Context::load(const std::string &file) {
    auto [config, diagnostics] = config::load(file);
    std::uint64_t errors = 0;
    for (const rules::Diagnostic &diagnostic : diagnostics) {
        errors += diagnostic.severity == rules::Severity::error ? 1 : 0;
        err.raw(diagnostic.text() + "\n");
    }
    if (!config)
        return fail(
            Kind::config, 0,
            fmt::format("{}: {}{}", file, plural(errors, "error"),
                        diagnostics.size() > errors ? ", " + plural(diagnostics.size() - errors, "warning") : ""));
    return *std::move(config);
}

Result<std::pair<config::Config, edge::Policy>> Context::load_policy(const std::string &file) {
    BL_TRY(config::Config config, load(file));
    if (!config.edge)
        return fail(Kind::config, 0, file + " has no [edge]", "there is nothing to do without one");
    edge::Policy policy = *config.edge;
    return std::pair(std::move(config), std::move(policy));
}

Result<> Context::find_settings() {
    if (settings_)
        return {};
    const std::string file = config_file();
    std::error_code error;
    if (!globals.config && !std::filesystem::exists(file, error)) {
        settings_ = config::Config{};
        return {};
    }
    auto [config, diagnostics] = config::load(file);
    if (config) {
        settings_ = std::move(config);
        return {};
    }
    if (globals.config)
        return fail(Kind::config, 0, diagnostics.empty() ? file : diagnostics.front().one_line(),
                    "beeline check " + file + " shows all");
    // `down` and `status` must work whatever somebody wrote into the default file.
    warn(file + " has errors: the default places are looked at");
    settings_ = config::Config{};
    return {};
}

Result<std::string> Context::pins() {
    if (globals.pins)
        return *globals.pins;
    BL_CHECK(find_settings());
    return settings_->pins;
}

Result<edge::Edge> Context::edge() {
    BL_TRY(const std::string directory, pins());
    return edge::Edge::open(directory);
}

Result<host::Host> Context::host() {
    BL_TRY(const std::string directory, pins());
    return host::Host::open(directory);
}

Result<host::Host> Context::host(const config::Config &config) const {
    return host::Host::open(globals.pins.value_or(config.pins));
}

Result<daemon::Client> Context::client() {
    BL_CHECK(find_settings());
    return daemon::Client(settings_->control.socket);
}

Result<host::Status> Context::status() {
    return either([](host::Host &host) { return host.status(); },
                  [](const daemon::Client &client) -> Result<host::Status> {
                      BL_TRY(const daemon::Json json, client.get("/v1/status"));
                      return daemon::status_from_json(json);
                  });
}

void Context::json(const daemon::Json &json) {
    out.raw(json.dump(2, ' ', false, daemon::Json::error_handler_t::replace) + "\n");
}

void Context::warn(std::string_view text) {
    err.line(fmt::format("beeline: warning: {}", text), Style::warning);
}

} // namespace beeline::cli
