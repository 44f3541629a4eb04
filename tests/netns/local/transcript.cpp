// SPDX-License-Identifier: Apache-2.0
#include "transcript.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

namespace beeline::conformance {

std::string Transcript::text() const {
    std::string text = fmt::format("    {}\n    end: {}\n", fmt::join(notes, "\n    "), end);
    for (const auto &[name, bytes] : amounts)
        text += fmt::format("    {}: {} bytes\n", name, bytes);
    return text + fmt::format("    paths: {}\n", fmt::join(paths, ", "));
}

void Notes::line(char kind, const std::string &text) {
    const std::string line = fmt::format("{} {}\n", kind, text);
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::write(fd_, line.data() + sent, line.size() - sent);
        if (n > 0)
            sent += static_cast<std::size_t>(n);
        else if (errno != EINTR)
            ::_exit(1); // The parent is gone.
    }
}

void Notes::amount(const std::string &name, std::uint64_t bytes) {
    line('A', fmt::format("{} {}", bytes, name));
}

void Notes::stop(const std::string &what) {
    const int code = errno;
    line('N', fmt::format("stopped: {}: {}", what, error_name(code)));
    ::_exit(1);
}

void Notes::skip(const std::string &why) {
    line('S', why);
    ::_exit(0);
}

void Notes::done() {
    line('D', "");
    ::_exit(0);
}

Transcript parse(const std::string &written) {
    Transcript transcript{.notes = {}, .amounts = {}, .paths = {}, .skipped = {}, .end = "stopped"};
    std::istringstream lines(written);
    for (std::string line; std::getline(lines, line);) {
        const std::string text = line.substr(2);
        const std::size_t space = text.find(' ');
        switch (line[0]) {
        case 'N':
            transcript.notes.push_back(text);
            break;
        case 'A':
            transcript.amounts[text.substr(space + 1)] = std::stoull(text.substr(0, space));
            break;
        case 'P':
            transcript.paths.push_back(text);
            break;
        case 'S':
            transcript.skipped = text;
            break;
        default:
            transcript.end = "done";
        }
    }
    return transcript;
}

std::string error_name(int code) {
    const char *name = ::strerrorname_np(code);
    return name == nullptr ? fmt::format("error {}", code) : name;
}

std::string result(long value) {
    return value < 0 ? "= " + error_name(errno) : fmt::format("= {}", value);
}

std::string event_names(unsigned events) {
    static constexpr std::array<std::pair<unsigned, const char *>, 6> kNames{{{POLLIN, "IN"},
                                                                              {POLLPRI, "PRI"},
                                                                              {POLLOUT, "OUT"},
                                                                              {POLLERR, "ERR"},
                                                                              {POLLHUP, "HUP"},
                                                                              {0x2000 /* POLLRDHUP */, "RDHUP"}}};
    std::vector<std::string> names;
    for (const auto &[bit, name] : kNames)
        if ((events & bit) != 0)
            names.emplace_back(name);
    return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, " "));
}

} // namespace beeline::conformance
