// SPDX-License-Identifier: Apache-2.0
//
// A config file (TOML) as typed values. docs/config.md describes every key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <beeline/edge/policy.hpp>
#include <beeline/guest/policy.hpp>
#include <beeline/local/policy.hpp>
#include <beeline/rules/source.hpp>

namespace beeline::config {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Where the daemon can be reached.
struct Control {
    std::string socket = "/run/beeline/beeline.sock";
    std::string group; ///< Group that may use the socket besides root; empty: root alone.
};

/// Where Prometheus finds the metrics.
struct Metrics {
    std::string address; ///< IPv4 or IPv6 address, without brackets; empty: no metrics.
    std::uint16_t port = 0;
    [[nodiscard]] bool enabled() const { return !address.empty(); }
};

struct Config {
    std::string file; ///< As given to load() or parse().
    std::string pins = "/sys/fs/bpf/beeline";
    Control control;
    Metrics metrics;
    LogLevel log = LogLevel::info;
    std::optional<edge::Policy> edge;   ///< There when the file has [edge].
    std::optional<local::Policy> local; ///< There when the file has [local].
    bool has_guests = false;            ///< The file has [guests] or a [[guest]].
    guest::HostSettings guest_settings; ///< [guests]; its defaults without.
    std::vector<guest::Policy> guests;  ///< Each [[guest]], in their order. No two share what only one can have.
};

/// The config, and everything there is to say about the file. No config exactly when diagnostics has an error.
using Loaded = std::pair<std::optional<Config>, rules::Diagnostics>;

/// Reads a file, and the set files it names (relative to it).
[[nodiscard]] Loaded load(const std::string &path);
/// The same for text; name is used in messages, set files are relative to its folder.
[[nodiscard]] Loaded parse(std::string_view text, const std::string &name);

} // namespace beeline::config
