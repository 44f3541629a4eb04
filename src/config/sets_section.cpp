// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <beeline/edge/parse.hpp>
#include <beeline/rules/words.hpp>

#include "config/read_file.hpp"
#include "config/sections.hpp"

namespace beeline::config {

namespace {

constexpr std::size_t kMaxSetFileBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxErrorsPerFile = 10;
constexpr std::size_t kMaxSetName = 31;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == text.npos ? text.substr(0, 0) : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string expected(edge::SetType type) {
    switch (type) {
    case edge::SetType::prefix:
        return "expected an address or a prefix";
    case edge::SetType::port:
        return "expected a port, a range or a service";
    case edge::SetType::mac:
        return "expected a MAC address";
    }
    return {};
}

void say(rules::Diagnostics &diagnostics, const rules::SourceString &entry, const Error &wrong, edge::SetType type) {
    diagnostics.push_back(entry.diagnostic(rules::Severity::error, 0, entry.text().size(), wrong.what,
                                           wrong.remedy.empty() ? expected(type) : wrong.remedy));
}

/// One entry a line; '#' begins a comment.
void read_lines(const std::shared_ptr<const rules::SourceFile> &file, edge::Set &set, rules::Diagnostics &diagnostics) {
    std::size_t errors = 0;
    for (std::uint32_t number = 1; number <= file->lines(); ++number) {
        const std::string_view line = file->line(number);
        const std::string_view entry = trimmed(line.substr(0, line.find('#')));
        if (entry.empty())
            continue;
        if (const auto added = edge::add_entry(set, entry); !added) {
            const auto column = static_cast<std::uint32_t>(entry.data() - line.data() + 1);
            const rules::SourceString place(file, std::string(entry), {{0, number, column}});
            if (++errors > kMaxErrorsPerFile) {
                diagnostics.push_back(place.diagnostic(rules::Severity::error, 0, entry.size(),
                                                       "too many errors; the rest of the file was not read"));
                return;
            }
            say(diagnostics, place, added.error(), set.type);
        }
    }
}

void read_set_file(const Section &section, const std::filesystem::path &folder, edge::Set &set) {
    const auto name = section.string("file");
    if (!name)
        return;
    const std::filesystem::path path = folder / name->text(); // an absolute name stays
    auto text = read_file(path, kMaxSetFileBytes);
    if (!text)
        return section.error(*name, text.error().message());
    read_lines(std::make_shared<const rules::SourceFile>(path.string(), std::move(*text)), set,
               section.document().diagnostics());
}

bool good_name(std::string_view name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kMaxSetName && std::all_of(name.begin(), name.end(), good);
}

std::vector<edge::Set> read_set(const Section &section, const std::string &name, const std::filesystem::path &folder) {
    edge::Set set{.name = name, .type = edge::SetType::prefix, .prefixes = {}, .ports = {}, .macs = {}};
    section.only({"type", "entries", "file"});
    if (!section.has("type"))
        section.error("type", fmt::format("{} has no type", section.name()), "type = \"prefix\", \"port\" or \"mac\"");
    const auto type = section.choice("type", {"prefix", "port", "mac"});
    // Without a type its entries cannot be judged, and rules that name it are not to blame: it passes for any type.
    if (!type)
        return {{name, edge::SetType::prefix, {}, {}, {}},
                {name, edge::SetType::port, {}, {}, {}},
                {name, edge::SetType::mac, {}, {}, {}}};
    set.type = static_cast<edge::SetType>(*type);
    std::size_t errors = 0;
    for (const rules::SourceString &entry : section.strings("entries"))
        if (const auto added = edge::add_entry(set, entry.text()); !added && ++errors <= kMaxErrorsPerFile)
            say(section.document().diagnostics(), entry, added.error(), set.type);
    read_set_file(section, folder, set);
    edge::normalise(set);
    return {std::move(set)};
}

} // namespace

std::vector<edge::Set> read_sets(const Section &section, const std::filesystem::path &folder) {
    std::vector<edge::Set> sets;
    const toml::table *table = section.table("sets");
    if (table == nullptr)
        return sets;
    for (auto &&[key, value] : *table) {
        const std::string name(key.str());
        if (!value.is_table()) {
            section.document().error(value.source(), fmt::format("'{}' in [sets] is {}", name, type_name(value)),
                                     fmt::format("expected a section [sets.{}] with type and entries or file", name));
            continue;
        }
        if (!good_name(name))
            section.document().error(key.source(),
                                     fmt::format("{} cannot be the name of a set", rules::in_quotes(name)),
                                     fmt::format("letters, digits, '-' and '_', at most {}", kMaxSetName));
        auto read = read_set({section.document(), *value.as_table(), "[sets." + name + "]"}, name, folder);
        std::move(read.begin(), read.end(), std::back_inserter(sets));
    }
    return sets;
}

std::vector<policy::Set> sets_of(const std::vector<policy::Rule> &rules, const std::vector<policy::Set> &sets) {
    std::vector<policy::Set> named;
    std::copy_if(sets.begin(), sets.end(), std::back_inserter(named), [&](const policy::Set &set) {
        const auto in = [&](const auto &condition) { return condition && condition->set == set.name; };
        return std::any_of(rules.begin(), rules.end(), [&](const policy::Rule &rule) {
            return in(rule.match.src) || in(rule.match.dst) || in(rule.match.sport) || in(rule.match.dport);
        });
    });
    return named;
}

} // namespace beeline::config
