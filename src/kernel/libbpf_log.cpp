// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/libbpf_log.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <vector>

#include <bpf/libbpf.h>

namespace beeline::kernel {

namespace {

thread_local LibbpfLog *innermost = nullptr;

int print(libbpf_print_level level, const char *format, va_list arguments) {
    if (innermost == nullptr || level == LIBBPF_DEBUG)
        return 0;
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, arguments);
    if (length > 0) { // a verifier's log comes in one piece, of up to some megabytes
        std::vector<char> text(static_cast<std::size_t>(length) + 1);
        std::vsnprintf(text.data(), text.size(), format, again);
        innermost->append(std::string_view(text.data(), static_cast<std::size_t>(length)));
    }
    va_end(again);
    return 0;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --";
constexpr std::string_view kEnd = "-- END PROG LOAD LOG --";

/// The verifier's last word: the line before its statistics; empty when there is no verifier's log in lines.
std::string_view verifiers_last(const std::vector<std::string_view> &lines) {
    std::string_view last;
    bool inside = false;
    for (const std::string_view line : lines) {
        if (line.ends_with(kBegin))
            inside = true;
        else if (line.starts_with(kEnd))
            inside = false;
        else if (inside && !line.empty() && !line.starts_with("processed ") && !line.starts_with("verification time"))
            last = line;
    }
    return last;
}

} // namespace

void LibbpfLog::silence() {
    static std::once_flag once;
    std::call_once(once, [] { ::libbpf_set_print(print); });
}

LibbpfLog::LibbpfLog() : outer_(innermost) {
    silence();
    innermost = this;
}

LibbpfLog::~LibbpfLog() {
    innermost = outer_;
}

std::string LibbpfLog::tail(std::size_t count) const {
    const std::vector<std::string_view> lines = lines_of(text_);
    std::string tail;
    for (std::size_t i = lines.size() > count ? lines.size() - count : 0; i < lines.size(); ++i)
        tail.append(lines[i]).append("\n");
    return tail;
}

std::string LibbpfLog::verifier_message() const {
    return std::string(verifiers_last(lines_of(text_)));
}

std::string LibbpfLog::summary() const {
    const std::vector<std::string_view> lines = lines_of(text_);
    if (const std::string_view last = verifiers_last(lines); !last.empty())
        return std::string(last);
    constexpr std::string_view kPrefix = "libbpf: ";
    std::string_view summary;
    for (std::string_view line : lines) {
        if (line.starts_with(kPrefix))
            line.remove_prefix(kPrefix.size());
        // These two only repeat that it failed.
        if (!line.empty() && !line.starts_with("failed to load object") &&
            !line.starts_with("failed to load BPF skeleton"))
            summary = line;
    }
    return std::string(summary);
}

} // namespace beeline::kernel
