// SPDX-License-Identifier: Apache-2.0
#include "lab/stack_counters.hpp"

#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

namespace beeline::lab {
namespace {

/// thread-self: /proc/net is the namespace of the main thread.
Result<std::string> read_proc_net(const std::string &name) {
    const std::string path = "/proc/thread-self/net/" + name;
    std::ifstream file(path);
    if (!file)
        return fail_errno(errno, "read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
        const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
        found.push_back(line.substr(at, end - at));
        at = end;
    }
    return found;
}

std::vector<std::vector<std::string_view>> lines_of_words(std::string_view text) {
    std::vector<std::vector<std::string_view>> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(words(text.substr(at, end - at)));
        at = end + 1;
    }
    return lines;
}

std::int64_t number(std::string_view word) {
    std::int64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

} // namespace

StackCounters parse_snmp(std::string_view text) {
    StackCounters counters;
    const auto lines = lines_of_words(text);
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        const auto &names = lines[i];
        const auto &values = lines[i + 1];
        if (names.empty() || names.size() != values.size() || names[0] != values[0])
            continue;
        const std::string group(names[0].substr(0, names[0].size() - 1)); // Without the colon.
        for (std::size_t k = 1; k < names.size(); ++k)
            counters[group + std::string(names[k])] = number(values[k]);
    }
    return counters;
}

StackCounters parse_snmp6(std::string_view text) {
    StackCounters counters;
    for (const auto &line : lines_of_words(text)) {
        if (line.size() == 2)
            counters[std::string(line[0])] = number(line[1]);
    }
    return counters;
}

Result<StackCounters> read_stack_counters() {
    BL_TRY(const std::string snmp, read_proc_net("snmp"));
    BL_TRY(const std::string netstat, read_proc_net("netstat"));
    StackCounters counters = parse_snmp(snmp);
    counters.merge(parse_snmp(netstat));
    if (auto snmp6 = read_proc_net("snmp6")) // Absent when the host has IPv6 switched off.
        counters.merge(parse_snmp6(*snmp6));
    return counters;
}

StackCounters difference(const StackCounters &before, const StackCounters &after) {
    StackCounters changed;
    for (const auto &[name, value] : after) {
        const auto old = before.find(name);
        const std::int64_t by = value - (old == before.end() ? 0 : old->second);
        if (by != 0)
            changed[name] = by;
    }
    return changed;
}

std::int64_t checksum_errors(const StackCounters &counters) {
    std::int64_t sum = 0;
    for (const auto &[name, value] : counters) {
        if (name.ends_with("CsumErrors"))
            sum += value;
    }
    return sum;
}

Result<std::uint64_t> received_frames(std::string_view device) {
    BL_TRY(const std::string text, read_proc_net("dev"));
    for (const auto &line : lines_of_words(text)) {
        if (line.size() > 2 && line[0].ends_with(':') && line[0].substr(0, line[0].size() - 1) == device)
            return static_cast<std::uint64_t>(number(line[2]));
    }
    return fail(Kind::host, ENODEV, "count the frames of " + std::string(device));
}

} // namespace beeline::lab
