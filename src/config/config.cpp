// SPDX-License-Identifier: Apache-2.0
#include <beeline/config/config.hpp>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <tuple>

#include "config/read_file.hpp"
#include "config/sections.hpp"

namespace beeline::config {

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

/// In the order of the file, and at one place as they were said; what is said about set files comes behind.
rules::Diagnostics sorted(rules::Diagnostics diagnostics, const std::string &file) {
    std::vector<std::size_t> order(diagnostics.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) {
        const rules::Span &where = diagnostics[i].where;
        return std::tuple(where.file != file, std::string_view(where.file), where.line, where.column, i);
    };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    rules::Diagnostics result;
    for (const std::size_t i : order)
        result.push_back(std::move(diagnostics[i]));
    return result;
}

Config read(const Document &document, const std::filesystem::path &folder) {
    Config config;
    config.file = document.name();
    const Section file(document, document.root(), "");
    file.only({"host", "sets", "edge", "guests", "guest", "local"}, {"meter", "proxy", "xsk"});
    if (const toml::table *host = file.table("host"))
        read_host({document, *host, "[host]"}, config);
    std::vector<edge::Set> sets = read_sets(file, folder);
    if (const toml::table *guests = file.table("guests"))
        config.guest_settings = read_guest_settings({document, *guests, "[guests]"});
    config.guests = read_guests(file, sets, config.guest_settings);
    config.has_guests = file.has("guests") || !config.guests.empty();
    if (const toml::table *local = file.table("local"))
        config.local = read_local({document, *local, "[local]"}, sets);
    if (const toml::table *edge = file.table("edge"))
        config.edge = read_edge({document, *edge, "[edge]"}, std::move(sets));
    return config;
}

} // namespace

Loaded parse(std::string_view text, const std::string &name) {
    Loaded result;
    auto &[config, diagnostics] = result;
    Document document(name, std::string(text), diagnostics);
    if (document.parse()) {
        config = read(document, std::filesystem::path(name).parent_path());
        diagnostics = sorted(std::move(diagnostics), name);
    }
    if (rules::has_errors(diagnostics))
        config.reset();
    return result;
}

Loaded load(const std::string &path) {
    auto text = read_file(path, kMaxFileBytes);
    if (text)
        return parse(*text, path);
    const Error &wrong = text.error();
    Loaded result;
    result.second.push_back({rules::Severity::error, {.file = {}, .line = 0}, wrong.message(), {}, {}});
    return result;
}

} // namespace beeline::config
