// SPDX-License-Identifier: Apache-2.0
#include <beeline/rules/source_string.hpp>

#include <algorithm>
#include <utility>

namespace beeline::rules {

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i)
        if (text_[i] == '\n')
            starts_.push_back(i + 1);
}

std::size_t SourceFile::line_start(std::uint32_t number) const {
    return number == 0 || number > starts_.size() ? text_.size() : starts_[number - 1];
}

std::string_view SourceFile::line(std::uint32_t number) const {
    const std::size_t start = line_start(number);
    std::string_view line = std::string_view(text_).substr(start, text_.find('\n', start) - start);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

SourceString::SourceString(std::string text, std::string name)
    : file_(std::make_shared<const SourceFile>(std::move(name), text)), text_(std::move(text)) {
    for (std::uint32_t line = 1; line <= file_->lines(); ++line)
        runs_.push_back({file_->line_start(line), line, 1});
}

SourceString::SourceString(std::shared_ptr<const SourceFile> file, std::string text, std::vector<Run> runs)
    : file_(std::move(file)), text_(std::move(text)), runs_(std::move(runs)) {}

Span SourceString::span(std::size_t offset, std::size_t length) const {
    Span span{.file = file_->name()};
    if (runs_.empty())
        return span;
    const auto place = [this](std::size_t at) {
        const auto next = std::upper_bound(runs_.begin(), runs_.end(), at,
                                           [](std::size_t value, const Run &run) { return value < run.offset; });
        Run run = next == runs_.begin() ? *next : *std::prev(next);
        run.column += static_cast<std::uint32_t>(at - std::min(at, run.offset));
        return run;
    };
    offset = std::min(offset, text_.size());
    length = std::min(length, text_.size() - offset);
    // Behind the end means: one column behind the last byte, where the closing quote is.
    Run first = place(offset == text_.size() && offset > 0 ? offset - 1 : offset);
    if (offset == text_.size() && offset > 0)
        ++first.column;
    span.line = first.line;
    span.column = first.column;
    if (length > 1) {
        const Run last = place(offset + length - 1);
        const std::size_t line_length = file_->line(first.line).size();
        span.length =
            last.line == first.line && last.column >= first.column
                ? last.column - first.column + 1
                : static_cast<std::uint32_t>(line_length - std::min<std::size_t>(line_length, first.column - 1));
        span.length = std::max(span.length, 1u);
    }
    return span;
}

Diagnostic SourceString::diagnostic(Severity severity, std::size_t offset, std::size_t length, std::string message,
                                    std::string hint) const {
    Diagnostic result{severity, span(offset, length), std::move(message), {}, std::move(hint)};
    if (result.where.line != 0)
        result.line = file_->line(result.where.line);
    return result;
}

} // namespace beeline::rules
