// SPDX-License-Identifier: Apache-2.0
//
// The text of a rule and the place of each of its bytes in the file it came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/rules/source.hpp>

namespace beeline::rules {

/// A file as it was read, able to show its lines.
class SourceFile {
public:
    SourceFile(std::string name, std::string text);

    [[nodiscard]] const std::string &name() const { return name_; }
    [[nodiscard]] const std::string &text() const { return text_; }
    [[nodiscard]] std::uint32_t lines() const { return static_cast<std::uint32_t>(starts_.size()); }
    /// Line `number` (from 1) without its end; empty behind the last line.
    [[nodiscard]] std::string_view line(std::uint32_t number) const;
    /// Offset of the first byte of a line; the size of the text behind the last line.
    [[nodiscard]] std::size_t line_start(std::uint32_t number) const;

private:
    std::string name_;
    std::string text_;
    std::vector<std::size_t> starts_;
};

/// A text taken out of a file. Escapes and line ends make the text differ from the file's bytes: runs say where
/// neighbouring bytes of the text are neighbours in the file, too.
class SourceString {
public:
    /// text[offset...] stands at line:column until the next run begins.
    struct Run {
        std::size_t offset = 0;
        std::uint32_t line = 1;
        std::uint32_t column = 1;
    };

    /// A text that is the whole file: a command line argument, a test.
    explicit SourceString(std::string text, std::string name = "rule");
    /// runs ascend by offset, the first one begins at 0; an empty list is a text without a place.
    SourceString(std::shared_ptr<const SourceFile> file, std::string text, std::vector<Run> runs);

    [[nodiscard]] const std::string &text() const { return text_; }
    [[nodiscard]] const std::shared_ptr<const SourceFile> &file() const { return file_; }
    /// The place of text[offset, offset + length), cut at the end of its first line.
    [[nodiscard]] Span span(std::size_t offset, std::size_t length) const;
    /// Something to say about text[offset, offset + length).
    [[nodiscard]] Diagnostic diagnostic(Severity severity, std::size_t offset, std::size_t length, std::string message,
                                        std::string hint = {}) const;

private:
    std::shared_ptr<const SourceFile> file_;
    std::string text_;
    std::vector<Run> runs_;
};

} // namespace beeline::rules
