// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/pin_dir.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel/bpffs.hpp"

namespace beeline::kernel {

namespace {

/// Names beginning so are not live: being filled, or on their way out. bpffs keeps dots for itself, so it is no ".".
constexpr std::string_view kAside = "_";

std::filesystem::path aside_path(const std::filesystem::path &root, std::string_view verb, std::string_view name) {
    return root / fmt::format("{}{}_{}_{}", kAside, verb, name, ::getpid());
}

Result<> check_name(std::string_view name) {
    if (name.empty() || name.starts_with(kAside) || name.find_first_of("./") != std::string_view::npos)
        return fail(Kind::usage, 0, fmt::format("'{}' is no name for a pin directory", name),
                    "one path component without dots that does not begin with '_'");
    return {};
}

Result<> rename(const std::filesystem::path &from, const std::filesystem::path &to, unsigned flags) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) != 0)
        return fail_errno(errno, fmt::format("rename {} to {}", from.native(), to.native()),
                          errno == EINVAL ? "exchanging directories on a bpffs needs Linux >= 5.16" : "");
    return {};
}

/// Makes path and the missing directories above it.
Result<> make_directories(const std::filesystem::path &path) {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST)
        return {};
    if (errno != ENOENT || !path.has_relative_path())
        return fail_errno(errno, fmt::format("create {}", path.native()));
    BL_CHECK(make_directories(path.parent_path()));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno(errno, fmt::format("create {}", path.native()));
    return {};
}

/// Whoever has flock()ed the directory, from /proc/locks: "2: FLOCK  ADVISORY  WRITE 12858 00:28:29666 0 EOF".
std::string lock_holder(const struct stat &directory) {
    const std::string wanted =
        fmt::format("{:02x}:{:02x}:{}", major(directory.st_dev), minor(directory.st_dev), directory.st_ino);
    std::ifstream locks("/proc/locks");
    std::string number, kind, how, access, pid, place, rest;
    while (locks >> number >> kind >> how >> access >> pid >> place && std::getline(locks, rest))
        if (kind == "FLOCK" && place == wanted)
            return "process " + pid;
    return "another process";
}

} // namespace

CommittedPins::CommittedPins(std::filesystem::path live, std::filesystem::path aside, bool had_old)
    : live_(std::move(live)), aside_(std::move(aside)) {
    if (had_old)
        old_ = aside_;
}

CommittedPins::CommittedPins(CommittedPins &&other) noexcept
    : live_(std::move(other.live_)), aside_(std::move(other.aside_)), old_(std::move(other.old_)),
      done_(std::exchange(other.done_, true)) {}

CommittedPins::~CommittedPins() {
    if (!done_)
        (void)std::move(*this).finish();
}

Result<> CommittedPins::finish() && {
    done_ = true;
    return old_ ? remove_tree(*old_) : Result<>();
}

Result<> CommittedPins::undo() && {
    done_ = true;
    BL_CHECK(rename(live_, aside_, old_ ? RENAME_EXCHANGE : RENAME_NOREPLACE));
    return remove_tree(aside_);
}

PinStage::PinStage(PinStage &&other) noexcept
    : path_(std::exchange(other.path_, {})), live_(std::exchange(other.live_, {})) {}

PinStage::~PinStage() {
    if (!path_.empty())
        (void)remove_tree(path_);
}

Result<CommittedPins> PinStage::commit() && {
    const bool had_old = ::access(live_.c_str(), F_OK) == 0; // nobody else may change it: we hold the lock
    BL_CHECK(rename(path_, live_, had_old ? RENAME_EXCHANGE : RENAME_NOREPLACE));
    return CommittedPins(std::move(live_), std::exchange(path_, {}), had_old);
}

Result<PinDir> PinDir::lock(std::filesystem::path root, std::chrono::milliseconds wait) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    BL_CHECK(require_bpffs(root));
    while (true) {
        BL_CHECK(make_directories(root));
        UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        struct stat held {};
        if (!fd.valid() || ::fstat(fd.get(), &held) != 0) {
            if (errno == ENOENT)
                continue;
            return fail_errno(errno, fmt::format("open {}", root.native()));
        }
        if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
            struct stat named {};
            if (::stat(root.c_str(), &named) != 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev)
                continue; // its last holder has removed it between our open and our lock
            PinDir pins(std::move(root), std::move(fd));
            BL_CHECK(pins.remove_leftovers());
            return pins;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail_errno(errno, fmt::format("lock {}", root.native()));
        if (std::chrono::steady_clock::now() >= deadline)
            return fail(Kind::conflict, 0, fmt::format("{} is locked by {}", root.native(), lock_holder(held)),
                        "another beeline is changing this host: wait for it or stop it");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

namespace {

Result<std::vector<std::string>> entries_of(const std::filesystem::path &directory) {
    std::vector<std::string> names;
    const auto list = std::unique_ptr<DIR, int (*)(DIR *)>(::opendir(directory.c_str()), ::closedir);
    if (!list)
        return fail_errno(errno, fmt::format("read {}", directory.native()));
    while (const dirent *entry = ::readdir(list.get()))
        if (const std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

Result<> PinDir::remove_leftovers() {
    // Only the holder of the lock stages, so whatever is aside now belongs to a dead process.
    BL_TRY(const std::vector<std::string> all, entries_of(root_));
    for (const std::string &name : all)
        if (name.starts_with(kAside))
            BL_CHECK(remove_tree(root_ / name));
    return {};
}

Result<bool> PinDir::exists(std::string_view name) const {
    BL_CHECK(check_name(name));
    if (::access(live(name).c_str(), F_OK) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return fail_errno(errno, fmt::format("look for {}", live(name).native()));
}

Result<std::vector<std::string>> PinDir::names() const {
    BL_TRY(std::vector<std::string> all, entries_of(root_));
    std::erase_if(all, [](const std::string &name) { return name.starts_with(kAside); });
    return all;
}

Result<PinStage> PinDir::stage(std::string_view name) {
    BL_CHECK(check_name(name));
    std::filesystem::path path = aside_path(root_, "new", name);
    if (::mkdir(path.c_str(), 0700) != 0)
        return fail_errno(errno, fmt::format("create {}", path.native()));
    return PinStage(std::move(path), live(name));
}

Result<> PinDir::remove(std::string_view name) {
    BL_TRY(const bool there, exists(name));
    if (!there)
        return {};
    // First out of the way in one step: a half-removed directory must never look live.
    const std::filesystem::path aside = aside_path(root_, "old", name);
    BL_CHECK(rename(live(name), aside, RENAME_NOREPLACE));
    return remove_tree(aside);
}

Result<> PinDir::remove_all() && {
    BL_TRY(const std::vector<std::string> live_names, names());
    for (const std::string &name : live_names)
        BL_CHECK(remove(name));
    return remove_tree(root_);
}

} // namespace beeline::kernel
