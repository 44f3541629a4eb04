// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netns/local/row.hpp>

namespace beeline::conformance {
namespace {

struct Child {
    pid_t pid = -1;
    kernel::UniqueFd written; ///< Reading end of what it notes; it fits into a pipe.
};

[[noreturn]] void play(const Row &row, const Way &way, const World &world, const Accelerator &accelerator,
                       kernel::Cgroup &cgroup, unsigned seconds, int fd) {
    Notes notes(fd);
    ::setpgid(0, 0);
    ::alarm(seconds);
    if (seconds < kSeconds)
        patience = std::chrono::milliseconds(400);
    ::signal(SIGPIPE, SIG_IGN);
    if (const auto moved = cgroup.add(0); !moved) {
        notes.note(moved.error().message());
        ::_exit(1);
    }
    Stage stage(way, world, accelerator, notes);
    row.run(stage);
    notes.done();
}

Child start(const Row &row, const Way &way, const World &world, const Accelerator &accelerator, kernel::Cgroup &cgroup,
            unsigned seconds) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return {};
    kernel::UniqueFd reading(ends[0]), writing(ends[1]);
    const pid_t pid = ::fork();
    if (pid == 0)
        play(row, way, world, accelerator, cgroup, seconds, writing.get());
    return {.pid = pid, .written = std::move(reading)};
}

Transcript finish(const Child &child) {
    int status = 0;
    if (child.pid < 0 || ::waitpid(child.pid, &status, 0) != child.pid)
        return {.notes = {}, .amounts = {}, .paths = {}, .skipped = {}, .end = "cannot be started"};
    ::kill(-child.pid, SIGKILL); // What it has forked and left.
    ::fcntl(child.written.get(), F_SETFL, O_NONBLOCK);
    std::string written;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(child.written.get(), buffer.data(), buffer.size())) > 0;)
        written.append(buffer.data(), static_cast<std::size_t>(n));
    Transcript transcript = parse(written);
    if (WIFSIGNALED(status))
        transcript.end = WTERMSIG(status) == SIGALRM ? "hangs" : fmt::format("signal {}", WTERMSIG(status));
    return transcript;
}

} // namespace

std::vector<Transcript> run(const Row &row, const std::vector<Way> &ways, const World &world,
                            const Accelerator &accelerator, kernel::Cgroup &cgroup, unsigned seconds) {
    std::vector<Child> children;
    children.reserve(ways.size());
    for (const Way &way : ways)
        children.push_back(start(row, way, world, accelerator, cgroup, seconds));
    std::vector<Transcript> transcripts;
    transcripts.reserve(children.size());
    for (const Child &child : children)
        transcripts.push_back(finish(child));
    return transcripts;
}

std::string difference(const Transcript &plain, const Transcript &seen) {
    if (plain.end != seen.end)
        return fmt::format("ends: {}, TCP: {}", seen.end, plain.end);
    for (std::size_t i = 0; i < std::max(plain.notes.size(), seen.notes.size()); ++i) {
        const std::string expected = i < plain.notes.size() ? plain.notes[i] : "nothing more";
        const std::string got = i < seen.notes.size() ? seen.notes[i] : "nothing more";
        if (expected != got)
            return fmt::format("line {}: {}\n                TCP: {}", i + 1, got, expected);
    }
    return plain.skipped == seen.skipped ? "" : "skipped in one of them: " + plain.skipped + seen.skipped;
}

std::string excess(const Transcript &plain, const Transcript &seen) {
    for (const auto &[name, bytes] : seen.amounts) {
        const auto found = plain.amounts.find(name);
        if (found == plain.amounts.end() || bytes * 10 > found->second * 11)
            return fmt::format("{}: {} bytes, TCP: {}", name, bytes, found == plain.amounts.end() ? 0 : found->second);
    }
    return "";
}

} // namespace beeline::conformance
