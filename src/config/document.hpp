// SPDX-License-Identifier: Apache-2.0
//
// A parsed TOML file that knows the places of what is in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include <beeline/rules/source_string.hpp>

namespace beeline::config {

/// "a string", "an integer", ... for messages.
[[nodiscard]] std::string_view type_name(const toml::node &node);

class Document {
public:
    Document(std::string name, std::string text, rules::Diagnostics &diagnostics);

    /// Parses; false, with a diagnostic, when the text is no TOML.
    [[nodiscard]] bool parse();
    [[nodiscard]] const toml::table &root() const { return root_; }
    [[nodiscard]] const std::string &name() const { return file_->name(); }
    [[nodiscard]] rules::Diagnostics &diagnostics() const { return diagnostics_; }

    void error(const toml::source_region &where, std::string message, std::string hint = {}) const;
    void warning(const rules::Span &where, std::string message, std::string hint = {}) const;
    /// The text of a string node, every byte with its place.
    [[nodiscard]] rules::SourceString string(const toml::node &node) const;

private:
    /// The library counts columns in code points, diagnostics count bytes.
    [[nodiscard]] rules::Span span(const toml::source_region &where) const;
    [[nodiscard]] std::uint32_t byte_column(const toml::source_position &position) const;

    std::shared_ptr<const rules::SourceFile> file_;
    rules::Diagnostics &diagnostics_;
    toml::table root_;
};

} // namespace beeline::config
