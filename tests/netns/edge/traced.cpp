// SPDX-License-Identifier: Apache-2.0
#include "traced.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <linux/bpf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace beeline::edge {
namespace {

/// Whether a map of the child is the program array, by its descriptor.
bool is_slot(pid_t child, std::uint32_t fd) {
    std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", child, fd));
    for (std::string name, value; info >> name && std::getline(info >> std::ws, value);)
        if (name == "map_type:")
            return value == std::to_string(BPF_MAP_TYPE_PROG_ARRAY);
    return false;
}

/// The first word of the bpf(2) attributes: of a map update, the map's descriptor.
std::uint32_t first_word(pid_t child, std::uint64_t address) {
    std::uint32_t word = 0;
    const iovec here{.iov_base = &word, .iov_len = sizeof word};
    const iovec there{.iov_base = reinterpret_cast<void *>(address), .iov_len = sizeof word};
    return ::process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof word ? word : 0;
}

const char *bpf_step(pid_t child, std::uint64_t command, std::uint64_t attributes) {
    switch (command) {
    case BPF_OBJ_PIN:
        return "pin";
    case BPF_LINK_CREATE:
        return "attach";
    case BPF_LINK_UPDATE:
        return "exchange";
    case BPF_LINK_DETACH:
        return "detach";
    case BPF_MAP_UPDATE_ELEM:
        return is_slot(child, first_word(child, attributes)) ? "swap" : nullptr;
    default:
        return nullptr;
    }
}

/// What a system call changes that somebody else can see; null: nothing.
const char *step_of(pid_t child, const __ptrace_syscall_info &call) {
    switch (call.entry.nr) {
    case SYS_bpf:
        return bpf_step(child, call.entry.args[0], call.entry.args[1]);
    case SYS_renameat2:
        return "rename";
    case SYS_mkdir:
    case SYS_mkdirat:
        return "make directory";
    case SYS_rmdir:
        return "remove directory";
    case SYS_unlink:
        return "unpin";
    case SYS_unlinkat:
        return call.entry.args[2] == 0 ? "unpin" : "remove directory";
    default:
        return nullptr;
    }
}

/// Lets the child go on until it stops again.
int go_on(pid_t child, int signal) {
    int status = 0;
    if (::ptrace(PTRACE_SYSCALL, child, nullptr, reinterpret_cast<void *>(static_cast<long>(signal))) != 0)
        return 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

} // namespace

Result<Traced> run_traced(const std::function<int()> &f, std::optional<std::size_t> kill_before) {
    const pid_t child = ::fork();
    if (child < 0)
        return fail_errno(errno, "fork");
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
            ::_exit(255);
        ::raise(SIGSTOP);
        ::_exit(f());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status))
        return fail(Kind::unsupported, 0, "processes may not be traced here (ptrace)");
    Traced traced;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, reinterpret_cast<void *>(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (int signal = 0;;) {
        status = go_on(child, signal);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            traced.killed = WIFSIGNALED(status);
            traced.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            return traced;
        }
        signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status); // 0x80: PTRACE_O_TRACESYSGOOD
        __ptrace_syscall_info call{};
        if (signal != 0 || ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof call, &call) <= 0 ||
            call.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        const char *step = step_of(child, call);
        if (step == nullptr)
            continue;
        if (kill_before == traced.steps.size()) {
            ::kill(child, SIGKILL); // in front of the call: it is not made
            ::waitpid(child, &status, 0);
            traced.killed = true;
            return traced;
        }
        traced.steps.emplace_back(step);
    }
}

std::vector<std::size_t> places_to_die(const std::vector<std::string> &steps) {
    std::vector<std::size_t> places;
    for (std::size_t first = 0; first < steps.size();) {
        std::size_t last = first;
        while (last + 1 < steps.size() && steps[last + 1] == steps[first])
            ++last;
        for (const std::size_t place : {first, first + (last - first + 1) / 2, last})
            if (places.empty() || places.back() < place)
                places.push_back(place);
        first = last + 1;
    }
    return places;
}

} // namespace beeline::edge
