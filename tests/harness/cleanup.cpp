// SPDX-License-Identifier: Apache-2.0
#include <harness/cleanup.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>

#include <sys/mount.h>
#include <unistd.h>

#include <beeline/kernel/cgroup.hpp>
#include <harness/names.hpp>

namespace beeline::harness {

namespace {

/// Fixed storage, because a signal handler reads it.
struct Slot {
    std::atomic<bool> used = false;
    Leftover kind = Leftover::mount;
    std::array<char, 512> path{};
};
std::array<Slot, 64> slots;
std::mutex slots_mutex;

/// System calls only: runs in a signal handler.
void remove(Leftover kind, const char *path) {
    if (kind != Leftover::cgroup)
        ::umount2(path, MNT_DETACH);
    if (kind == Leftover::netns)
        ::unlink(path);
    else
        ::rmdir(path);
}

constexpr std::array kDeadly{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

void on_signal(int number) {
    for (Slot &slot : slots)
        if (slot.used.exchange(false))
            remove(slot.kind, slot.path.data());
    ::raise(number); // SA_RESETHAND: the default action now
}

void install_handlers() {
    for (const int number : kDeadly) {
        struct sigaction old {};
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler != SIG_DFL) // a sanitizer's, or ignored by the caller's wish
            continue;
        struct sigaction action {};
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESETHAND | SA_NODEFER;
        ::sigaction(number, &action, nullptr);
    }
}

/// The process id in "bl-<hex>-<pid>-<suffix>"; 0 when the name is none of ours.
pid_t pid_in(std::string_view name) {
    if (!name.starts_with("bl-") || name.size() < 13 || name[11] != '-')
        return 0;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data() + 12, name.data() + name.size(), pid);
    return error == std::errc() && end != name.data() + name.size() && *end == '-' ? pid : 0;
}

void sweep(const std::filesystem::path &directory, Leftover kind) {
    std::error_code ignored;
    for (const auto &entry : std::filesystem::directory_iterator(directory, ignored)) {
        const pid_t pid = pid_in(entry.path().filename().native());
        if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
            remove(kind, entry.path().c_str());
    }
}

} // namespace

void sweep_leftovers() {
    sweep("/run/netns", Leftover::netns);
    sweep(std::filesystem::temp_directory_path(), Leftover::mount);
    if (const auto mount = kernel::cgroup2_mount())
        sweep(*mount, Leftover::cgroup);
}

OnExit::OnExit(Leftover kind, const std::string &path) : slot_(-1) {
    static std::once_flag once;
    std::call_once(once, [] {
        install_handlers();
        sweep_leftovers();
    });
    const std::lock_guard lock(slots_mutex);
    const auto free = std::find_if(slots.begin(), slots.end(), [](const Slot &slot) { return !slot.used; });
    if (free == slots.end() || path.size() >= free->path.size()) {
        std::fprintf(stderr, "harness: cannot register %s for cleaning up\n", path.c_str());
        std::abort();
    }
    free->kind = kind;
    std::memcpy(free->path.data(), path.c_str(), path.size() + 1);
    slot_ = static_cast<int>(free - slots.begin());
    free->used = true; // last: a signal may come at any time
}

OnExit::OnExit(OnExit &&other) noexcept : slot_(std::exchange(other.slot_, -1)) {}

OnExit::~OnExit() {
    if (slot_ < 0)
        return;
    Slot &slot = slots[static_cast<std::size_t>(slot_)];
    remove(slot.kind, slot.path.data());
    slot.used = false;
}

} // namespace beeline::harness
