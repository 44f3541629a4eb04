// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <beeline/rules/values.hpp>
#include <beeline/rules/words.hpp>

#include "config/sections.hpp"

namespace beeline::config {

namespace {

constexpr std::size_t kMaxSocketPath = 107; // sun_path less the final zero, unix(7)

/// An absolute path; the default when the key is not there.
std::string path(const Section &section, std::string_view key, std::string otherwise, std::size_t most) {
    const auto value = section.string(key);
    if (!value)
        return otherwise;
    if (!value->text().starts_with('/'))
        section.error(*value, fmt::format("'{}' is not an absolute path", key), "it begins with '/'");
    else if (value->text().size() > most || value->text().find('\0') != std::string::npos)
        section.error(*value, fmt::format("'{}' is no path of at most {} bytes", key, most));
    return value->text();
}

/// "127.0.0.1:9469" or "[::1]:9469".
void read_metrics(const Section &section, Metrics &metrics) {
    const auto value = section.string("metrics");
    if (!value)
        return;
    const std::string_view text = value->text();
    const std::string hint = "expected address:port, for example 127.0.0.1:9469 or [::1]:9469";
    const auto colon = text.rfind(':');
    if (colon == text.npos)
        return section.error(*value, fmt::format("{} is no address with a port", rules::in_quotes(text)), hint);
    std::string_view host = text.substr(0, colon);
    const bool brackets = host.starts_with('[') && host.ends_with(']');
    if (brackets)
        host = host.substr(1, host.size() - 2);
    const auto address = rules::read_address(host);
    if (!address || address->v6 != brackets)
        return section.error(*value, fmt::format("{} is no address with a port", rules::in_quotes(text)), hint);
    const auto port = rules::read_number(text.substr(colon + 1), {1, 65535});
    if (!port)
        return section.error(*value, fmt::format("the port {}", port.error().what),
                             port.error().remedy.empty() ? hint : port.error().remedy);
    metrics.address = host;
    metrics.port = static_cast<std::uint16_t>(*port);
}

} // namespace

void read_host(const Section &section, Config &config) {
    section.only({"pins", "socket", "group", "metrics", "log"});
    config.pins = path(section, "pins", config.pins, 4095);
    config.control.socket = path(section, "socket", config.control.socket, kMaxSocketPath);
    if (const auto group = section.string("group")) {
        if (group->text().empty())
            section.error(*group, "'group' is empty", "leave it out: then the socket is root's alone");
        config.control.group = group->text();
    }
    read_metrics(section, config.metrics);
    if (const auto level = section.choice("log", {"debug", "info", "warning", "error"}))
        config.log = static_cast<LogLevel>(*level);
}

} // namespace beeline::config
