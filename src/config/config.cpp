// SPDX-License-Identifier: Apache-2.0
#include <beeline/config/config.hpp>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "config/read_file.hpp"
#include "config/sections.hpp"

namespace beeline::config {

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

/// In the order of the file; what is said about set files comes behind.
void sort(rules::Diagnostics &diagnostics, const std::string &file) {
    const auto key = [&](const rules::Diagnostic &d) {
        return std::tuple(d.where.file != file, std::string_view(d.where.file), d.where.line, d.where.column);
    };
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [&](const auto &a, const auto &b) { return key(a) < key(b); });
}

Config read(const Document &document, const std::filesystem::path &folder) {
    Config config;
    config.file = document.name();
    const Section file(document, document.root(), "");
    file.only({"host", "sets", "edge"}, {"local", "meter", "guest", "proxy", "xsk"});
    if (const toml::table *host = file.table("host"))
        read_host({document, *host, "[host]"}, config);
    std::vector<edge::Set> sets = read_sets(file, folder);
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
        sort(diagnostics, name);
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
