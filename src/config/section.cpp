// SPDX-License-Identifier: Apache-2.0
#include "config/section.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <beeline/rules/words.hpp>

namespace beeline::config {

namespace {

std::string in(const std::string &section) {
    return section.empty() ? "" : " in " + section;
}

} // namespace

void Section::only(std::initializer_list<std::string_view> known, std::initializer_list<std::string_view> later) const {
    const std::vector<std::string_view> keys(known);
    for (auto &&[key, value] : table_) {
        if (std::find(keys.begin(), keys.end(), key.str()) != keys.end())
            continue;
        if (std::find(later.begin(), later.end(), key.str()) != later.end()) {
            document_.error(key.source(),
                            fmt::format("{}{} is not in this version", rules::in_quotes(key.str()), in(name_)),
                            fmt::format("known: {}", fmt::join(keys, ", ")));
            continue;
        }
        const std::string near = rules::did_you_mean(key.str(), keys);
        document_.error(key.source(),
                        fmt::format("unknown {} {}{}", value.is_table() ? "section" : "key",
                                    rules::in_quotes(key.str()), in(name_)),
                        near.empty() ? fmt::format("known: {}", fmt::join(keys, ", ")) : near);
    }
}

void Section::error(std::string_view key, std::string message, std::string hint) const {
    const toml::node *value = table_.get(key);
    document_.error(value != nullptr ? value->source() : table_.source(), std::move(message), std::move(hint));
}

void Section::error(const rules::SourceString &value, std::string message, std::string hint) const {
    document_.diagnostics().push_back(
        value.diagnostic(rules::Severity::error, 0, value.text().size(), std::move(message), std::move(hint)));
}

template <class T>
const toml::node *Section::node(std::string_view key, std::string_view expected) const {
    const toml::node *value = table_.get(key);
    if (value == nullptr || value->is<T>())
        return value;
    error(key, fmt::format("'{}'{} is {}", key, in(name_), type_name(*value)), fmt::format("expected {}", expected));
    return nullptr;
}

std::optional<rules::SourceString> Section::string(std::string_view key) const {
    const toml::node *value = node<std::string>(key, "a string");
    if (value == nullptr)
        return std::nullopt;
    return document_.string(*value);
}

std::optional<bool> Section::boolean(std::string_view key) const {
    const toml::node *value = node<bool>(key, "true or false");
    return value == nullptr ? std::nullopt : value->value<bool>();
}

const toml::table *Section::table(std::string_view key) const {
    const toml::node *value = node<toml::table>(key, "a table");
    return value == nullptr ? nullptr : value->as_table();
}

std::vector<const toml::table *> Section::tables(std::string_view key) const {
    std::vector<const toml::table *> result;
    const toml::node *array = table_.get(key);
    if (array == nullptr)
        return result;
    if (!array->is_array_of_tables()) {
        error(key, fmt::format("'{}'{} is {}", key, in(name_), type_name(*array)),
              fmt::format("expected sections that begin with [[{}]]", key));
        return result;
    }
    for (const toml::node &element : *array->as_array())
        result.push_back(element.as_table());
    return result;
}

std::optional<std::uint64_t> Section::integer(std::string_view key, rules::Interval limits) const {
    const toml::node *value = node<std::int64_t>(key, "an integer");
    if (value == nullptr)
        return std::nullopt;
    const std::int64_t number = value->value_or(std::int64_t{-1});
    const auto positive = static_cast<std::uint64_t>(number);
    if (number >= 0 && positive >= limits.low && positive <= limits.high)
        return positive;
    error(key, fmt::format("'{}'{} is {}", key, in(name_), number),
          fmt::format("expected {} to {}", limits.low, limits.high));
    return std::nullopt;
}

std::vector<rules::SourceString> Section::one_or_more(std::string_view key) const {
    const toml::node *value = table_.get(key);
    if (value == nullptr || value->is_array())
        return strings(key);
    if (value->is_string())
        return {document_.string(*value)};
    error(key, fmt::format("'{}'{} is {}", key, in(name_), type_name(*value)),
          "expected a string or an array of strings");
    return {};
}

std::vector<rules::SourceString> Section::strings(std::string_view key) const {
    std::vector<rules::SourceString> result;
    const toml::node *array = node<toml::array>(key, "an array of strings");
    if (array == nullptr)
        return result;
    for (const toml::node &element : *array->as_array()) {
        if (element.is_string())
            result.push_back(document_.string(element));
        else
            document_.error(element.source(), fmt::format("{} in '{}'", type_name(element), key),
                            "expected an array of strings");
    }
    return result;
}

std::optional<std::size_t> Section::choice(std::string_view key,
                                           std::initializer_list<std::string_view> choices) const {
    const auto value = string(key);
    if (!value)
        return std::nullopt;
    const auto found = std::find(choices.begin(), choices.end(), value->text());
    if (found != choices.end())
        return static_cast<std::size_t>(found - choices.begin());
    error(*value, fmt::format("unknown {} {}", key, rules::in_quotes(value->text())),
          rules::joined(fmt::format("expected {}", fmt::join(choices, ", ")),
                        rules::did_you_mean(value->text(), std::vector(choices))));
    return std::nullopt;
}

} // namespace beeline::config
