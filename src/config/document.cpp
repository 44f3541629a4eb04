// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include <algorithm>
#include <utility>

#include "config/toml_string.hpp"

namespace beeline::config {

namespace {

/// "Error while parsing string: ..." and the like, as our messages begin.
std::string tidy(std::string_view description) {
    constexpr std::string_view kPrefix = "Error while parsing ";
    std::string text;
    for (const char c : description.substr(description.starts_with(kPrefix) ? kPrefix.size() : 0))
        text += c == '\n' || c == '\r' ? ' ' : c;
    return "not TOML: " + text;
}

} // namespace

std::string_view type_name(const toml::node &node) {
    switch (node.type()) {
    case toml::node_type::none:
        return "nothing";
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::string:
        return "a string";
    case toml::node_type::integer:
        return "an integer";
    case toml::node_type::floating_point:
        return "a floating-point number";
    case toml::node_type::boolean:
        return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
        return "a date or time";
    }
    return "something else";
}

Document::Document(std::string name, std::string text, rules::Diagnostics &diagnostics) : diagnostics_(diagnostics) {
    if (text.starts_with("\xef\xbb\xbf")) // a byte order mark has no column
        text.erase(0, 3);
    file_ = std::make_shared<const rules::SourceFile>(std::move(name), std::move(text));
}

bool Document::parse() {
    try {
        root_ = toml::parse(std::string_view(file_->text()), std::string_view(file_->name()));
        return true;
    } catch (const toml::parse_error &e) {
        error(e.source(), tidy(e.description()));
    } catch (const std::exception &e) { // the library has no other, but the boundary stays tight
        error({}, tidy(e.what()));
    }
    return false;
}

std::uint32_t Document::byte_column(const toml::source_position &position) const {
    const std::string_view line = file_->line(position.line);
    std::size_t byte = 0;
    for (std::uint32_t column = 1; column < position.column && byte < line.size(); ++column) {
        ++byte;
        while (byte < line.size() && (static_cast<unsigned char>(line[byte]) & 0xc0) == 0x80)
            ++byte;
    }
    return static_cast<std::uint32_t>(byte + 1);
}

rules::Span Document::span(const toml::source_region &where) const {
    rules::Span span{.file = file_->name(), .line = where.begin.line};
    if (where.begin.line == 0)
        return span;
    span.column = byte_column(where.begin);
    if (where.end.line == where.begin.line && where.end.column > where.begin.column)
        span.length = std::max(1u, byte_column(where.end) - span.column);
    return span;
}

void Document::error(const toml::source_region &where, std::string message, std::string hint) const {
    rules::Diagnostic said{rules::Severity::error, span(where), std::move(message), {}, std::move(hint)};
    said.line = file_->line(said.where.line);
    diagnostics_.push_back(std::move(said));
}

void Document::warning(const rules::Span &where, std::string message, std::string hint) const {
    diagnostics_.push_back(
        {rules::Severity::warning, where, std::move(message), std::string(file_->line(where.line)), std::move(hint)});
}

rules::SourceString Document::string(const toml::node &node) const {
    const std::string value = node.value_or(std::string{});
    const rules::Span start = span(node.source());
    if (start.line != 0) {
        const std::size_t offset = file_->line_start(start.line) + start.column - 1;
        if (auto found = toml_string(file_, start.line, offset); found && found->text() == value)
            return std::move(*found);
    }
    // Not read as the library did: then the place of the first byte has to do for all of it.
    return {file_, value, {{0, start.line, start.column}}};
}

} // namespace beeline::config
