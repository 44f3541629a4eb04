// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/rules/values.hpp>

#include "config/document.hpp"

namespace beeline::config {

/// One table of the file. Values of another type than asked for are errors that name both; what is absent is nothing.
class Section {
public:
    /// name as shown: "[edge]"; empty for the file itself.
    Section(const Document &document, const toml::table &table, std::string name)
        : document_(document), table_(table), name_(std::move(name)) {}

    /// Says which keys are not among `known`; those among `later` belong to parts that this version has not.
    void only(std::initializer_list<std::string_view> known, std::initializer_list<std::string_view> later = {}) const;

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    [[nodiscard]] std::optional<rules::SourceString> string(std::string_view key) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
    /// The strings of an array; elements of other types are errors and left out.
    [[nodiscard]] std::vector<rules::SourceString> strings(std::string_view key) const;
    /// The same, or one string alone.
    [[nodiscard]] std::vector<rules::SourceString> one_or_more(std::string_view key) const;
    [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key, rules::Interval limits) const;
    [[nodiscard]] const toml::table *table(std::string_view key) const;
    /// The tables of [[key]], in their order.
    [[nodiscard]] std::vector<const toml::table *> tables(std::string_view key) const;
    /// The index of the string among `choices`.
    [[nodiscard]] std::optional<std::size_t> choice(std::string_view key,
                                                    std::initializer_list<std::string_view> choices) const;

    /// About a key; about the section's head when the key is not there.
    void error(std::string_view key, std::string message, std::string hint = {}) const;
    void error(const rules::SourceString &value, std::string message, std::string hint = {}) const;

    [[nodiscard]] const Document &document() const { return document_; }
    [[nodiscard]] const std::string &name() const { return name_; }

private:
    /// The value of a key if it is of the type; an error names `expected` otherwise.
    template <class T>
    const toml::node *node(std::string_view key, std::string_view expected) const;

    const Document &document_;
    const toml::table &table_;
    std::string name_;
};

} // namespace beeline::config
