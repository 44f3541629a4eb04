// SPDX-License-Identifier: Apache-2.0
//
// What all commands share: the global options, the output, the config and the way to the edge.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <beeline/config/config.hpp>
#include <beeline/edge/edge.hpp>
#include <beeline/host/host.hpp>
#include <beeline/result.hpp>

#include "cli/output.hpp"
#include "daemon/client.hpp"

namespace beeline::cli {

inline constexpr const char *kDefaultConfig = "/etc/beeline/beeline.toml";

struct Globals {
    std::optional<std::string> config; ///< -c
    std::optional<std::string> pins;   ///< --pins
    bool verbose = false;
};

class Context {
public:
    Globals globals;
    Output out{stdout};
    Output err{stderr};

    /// file when it is not empty, else that of -c, else the default one.
    [[nodiscard]] std::string config_file(const std::string &file = {}) const;
    /// The config; its diagnostics are printed on stderr. Kind::config when it has errors.
    [[nodiscard]] Result<config::Config> load(const std::string &file);
    /// The same, and its edge policy: Kind::config when it has no [edge].
    [[nodiscard]] Result<std::pair<config::Config, edge::Policy>> load_policy(const std::string &file);

    /// The edge for commands without FILE: --pins, else what the config file says, else the default.
    [[nodiscard]] Result<edge::Edge> edge();
    [[nodiscard]] Result<std::string> pins();
    /// The same for the edge and the guests.
    [[nodiscard]] Result<host::Host> host();
    /// Where this config wants them.
    [[nodiscard]] Result<host::Host> host(const config::Config &config) const;
    /// The daemon that the config file names.
    [[nodiscard]] Result<daemon::Client> client();

    /// Status from the pins, or from the daemon for those who may not read the pins.
    [[nodiscard]] Result<host::Status> status();
    /// f on the host itself; when that is not permitted and a daemon answers, g on the daemon.
    template <class F, class G>
    auto either(F &&f, G &&g) -> decltype(f(std::declval<host::Host &>())) {
        BL_TRY(host::Host host, this->host());
        auto result = f(host);
        if (result || result.error().kind != Kind::permission)
            return result;
        BL_TRY(const daemon::Client client, this->client());
        if (!client.reachable())
            return result;
        return g(client);
    }

    void json(const daemon::Json &json);
    void warn(std::string_view text);

private:
    Result<> find_settings();
    std::optional<config::Config> settings_; ///< Of find_settings(); pins and control only are used.
};

} // namespace beeline::cli
