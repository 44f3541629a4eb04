// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/command.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::kernel {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    UniqueFd read, write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_errno(errno, "make a pipe");
    return Pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

std::vector<char *> pointers(std::vector<std::string> &words) {
    std::vector<char *> list;
    for (std::string &word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::string_view name_of(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

/// Ours, with what the command sets.
std::vector<std::string> environment_of(const Command &command) {
    std::vector<std::string> all = command.environment;
    for (char **entry = environ; *entry != nullptr; ++entry)
        if (std::none_of(command.environment.begin(), command.environment.end(),
                         [&](const std::string &set) { return name_of(set) == name_of(*entry); }))
            all.emplace_back(*entry);
    return all;
}

/// The child gets the three descriptors and a clean signal state: whoever started it may block signals.
Result<pid_t> spawn(const std::string &path, const Command &command, int input, int output) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (!command.errors_apart)
        ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    std::vector<std::string> words = command.words, environment = environment_of(command);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, path.c_str(), &files, &attributes, pointers(words).data(), pointers(environment).data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0)
        return fail_errno(error, "start " + path);
    return pid;
}

/// Feeds input and collects what is printed until the child closes its output. False: the time was over before.
Result<bool> talk(Pipe &to, Pipe &from, std::string_view input, Clock::time_point end, std::string &printed) {
    ::fcntl(to.write.get(), F_SETFL, O_NONBLOCK);
    if (input.empty())
        to.write = UniqueFd();
    while (true) {
        std::array<pollfd, 2> wait{{{.fd = from.read.get(), .events = POLLIN, .revents = 0},
                                    {.fd = to.write.get(), .events = POLLOUT, .revents = 0}}};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        const int ready = left > 0 ? ::poll(wait.data(), wait.size(), static_cast<int>(left)) : 0;
        if (ready < 0 && errno != EINTR)
            return fail_errno(errno, "poll");
        if (ready == 0)
            return false;
        if (wait[1].revents != 0) {
            const ssize_t n = ::write(to.write.get(), input.data(), input.size());
            if (n > 0)
                input.remove_prefix(static_cast<std::size_t>(n));
            if (input.empty() || (n < 0 && errno != EAGAIN)) // EPIPE: it does not want the rest.
                to.write = UniqueFd();
        }
        if (wait[0].revents != 0) {
            std::array<char, 4096> part{};
            const ssize_t n = ::read(from.read.get(), part.data(), part.size());
            if (n == 0)
                return true;
            if (n > 0)
                printed.append(part.data(), static_cast<std::size_t>(n));
        }
    }
}

/// Reaps the child; one that has not ended by then is killed.
int reap(pid_t pid, Clock::time_point end, bool &killed) {
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
        if (Clock::now() >= end && !killed) {
            killed = true;
            ::kill(pid, SIGKILL);
        }
        ::poll(nullptr, 0, 2);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Writing to a program that has gone must not end us; the signal is blocked in this thread, and eaten if it came.
class NoSigpipe {
public:
    NoSigpipe() {
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    NoSigpipe(const NoSigpipe &) = delete;
    NoSigpipe &operator=(const NoSigpipe &) = delete;
    ~NoSigpipe() {
        const timespec now{};
        ::sigtimedwait(&pipe_, nullptr, &now);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_{}, before_{};
};

} // namespace

std::optional<std::string> find_program(const std::string &name) {
    if (name.find('/') != std::string::npos)
        return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
    const char *path = std::getenv("PATH");
    std::string folders = std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin:";
    for (std::size_t at = 0, end = 0; (end = folders.find(':', at)) != std::string::npos; at = end + 1) {
        const std::string candidate = folders.substr(at, end - at) + "/" + name;
        if (end > at && ::access(candidate.c_str(), X_OK) == 0)
            return candidate;
    }
    return std::nullopt;
}

Result<Finished> run(const Command &command) {
    const auto path = command.words.empty() ? std::nullopt : find_program(command.words[0]);
    if (!path)
        return fail(Kind::host, ENOENT, "run " + (command.words.empty() ? std::string("nothing") : command.words[0]),
                    "install it");
    BL_TRY(Pipe to, make_pipe());
    BL_TRY(Pipe from, make_pipe());
    const auto end = Clock::now() + command.timeout;
    const NoSigpipe quiet;
    BL_TRY(const pid_t pid, spawn(*path, command, to.read.get(), from.write.get()));
    to.read = UniqueFd();
    from.write = UniqueFd();

    Finished finished;
    const auto talked = talk(to, from, command.input, end, finished.output);
    bool killed = !talked || !*talked;
    if (killed)
        ::kill(pid, SIGKILL);
    finished.status = reap(pid, end, killed);
    if (!talked)
        return std::unexpected(talked.error());
    if (killed)
        return fail(Kind::host, ETIMEDOUT, fmt::format("{} did not end and was killed", fmt::join(command.words, " ")));
    return finished;
}

Result<std::string> run_checked(const Command &command) {
    BL_TRY(Finished finished, run(command));
    if (finished.status == 0)
        return std::move(finished.output);
    std::string said = finished.output;
    while (!said.empty() && (said.back() == '\n' || said.back() == ' '))
        said.pop_back();
    said.erase(0, said.rfind('\n') + 1);
    return fail(Kind::host, 0,
                fmt::format("{}: exit status {}{}{}", fmt::join(command.words, " "), finished.status,
                            said.empty() ? "" : ": ", said));
}

} // namespace beeline::kernel
