// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/netns.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace beeline::kernel {

namespace {

constexpr const char *kNetnsDir = "/run/netns";
constexpr const char *kOwnNetns = "/proc/thread-self/ns/net";

std::filesystem::path named_path(std::string_view name) {
    return std::filesystem::path(kNetnsDir) / name;
}

Result<> check_name(std::string_view name) {
    if (name.empty() || name == "." || name == ".." || name.size() > 255 || name.find('/') != std::string_view::npos)
        return fail(Kind::usage, 0, fmt::format("'{}' is no name for a network namespace", name));
    return {};
}

/// As iproute2's netns_add: the directory is a shared mount of its own, so that a name that is removed here is gone in
/// the mount namespaces that were copied from this one, too, and the namespace can end.
Result<> prepare_directory() {
    if (::mkdir(kNetnsDir, 0755) != 0 && errno != EEXIST)
        return fail_errno(errno, fmt::format("create {}", kNetnsDir));
    // The lock that `ip netns add` takes, too: two at once would bind the directory twice.
    const UniqueFd lock(::open(kNetnsDir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.valid() || ::flock(lock.get(), LOCK_EX) != 0)
        return fail_errno(errno, fmt::format("lock {}", kNetnsDir));
    for (bool bound = false; ::mount("", kNetnsDir, "none", MS_SHARED | MS_REC, nullptr) != 0; bound = true) {
        if (errno != EINVAL || bound)
            return fail_errno(errno, fmt::format("share the mount {}", kNetnsDir));
        if (::mount(kNetnsDir, kNetnsDir, "none", MS_BIND | MS_REC, nullptr) != 0)
            return fail_errno(errno, fmt::format("bind {}", kNetnsDir));
    }
    return {};
}

/// Runs in a thread of its own, which ends in the new namespace: the caller's thread never leaves its own. With a
/// target the namespace is bound there.
Result<UniqueFd> make_namespace(const char *target) {
    Result<UniqueFd> made = UniqueFd();
    std::thread([&made, target] {
        made = [target]() -> Result<UniqueFd> {
            if (::unshare(CLONE_NEWNET) != 0)
                return fail_errno(errno, "create a network namespace", errno == EPERM ? "run as root" : "");
            if (target != nullptr && ::mount(kOwnNetns, target, "none", MS_BIND, nullptr) != 0)
                return fail_errno(errno, fmt::format("bind a network namespace to {}", target));
            const int fd = ::open(kOwnNetns, O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                return fail_errno(errno, fmt::format("open {}", kOwnNetns));
            return UniqueFd(fd);
        }();
    }).join();
    return made;
}

Result<UniqueFd> open_netns(const std::filesystem::path &path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(errno, fmt::format("open network namespace {}", path.native()));
    return UniqueFd(fd);
}

} // namespace

NetNs::NetNs(NetNs &&other) noexcept
    : fd_(std::move(other.fd_)), name_(std::move(other.name_)), owned_(std::exchange(other.owned_, false)) {}

NetNs &NetNs::operator=(NetNs &&other) noexcept {
    NetNs taken(std::move(other));
    std::swap(fd_, taken.fd_);
    std::swap(name_, taken.name_);
    std::swap(owned_, taken.owned_);
    return *this;
}

NetNs::~NetNs() {
    if (owned_)
        (void)remove(name_);
}

Result<NetNs> NetNs::create(std::string name) {
    BL_CHECK(check_name(name));
    BL_CHECK(prepare_directory());
    const std::filesystem::path path = named_path(name);
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
    if (!file.valid() && errno == EEXIST)
        return fail(Kind::conflict, EEXIST, fmt::format("create network namespace {}", name),
                    fmt::format("remove it (ip netns del {}) or take another name", name));
    if (!file.valid())
        return fail_errno(errno, fmt::format("create {}", path.native()));
    Result<UniqueFd> fd = make_namespace(path.c_str());
    if (!fd) {
        ::unlink(path.c_str());
        return std::unexpected(std::move(fd).error());
    }
    return NetNs(*std::move(fd), std::move(name), true);
}

Result<NetNs> NetNs::anonymous() {
    BL_TRY(UniqueFd fd, make_namespace(nullptr));
    return NetNs(std::move(fd), "", false);
}

Result<NetNs> NetNs::current() {
    return open(kOwnNetns);
}

Result<NetNs> NetNs::open(const std::filesystem::path &path) {
    BL_TRY(UniqueFd fd, open_netns(path));
    return NetNs(std::move(fd), "", false);
}

Result<NetNs> NetNs::by_name(std::string_view name) {
    BL_CHECK(check_name(name));
    BL_TRY(UniqueFd fd, open_netns(named_path(name)));
    return NetNs(std::move(fd), std::string(name), false);
}

Result<NetNs> NetNs::of_process(pid_t pid) {
    return open(fmt::format("/proc/{}/ns/net", pid));
}

Result<> NetNs::remove(std::string_view name) {
    BL_CHECK(check_name(name));
    const std::filesystem::path path = named_path(name);
    // EINVAL: a file without a mount, as somebody leaves who dies between making and binding.
    if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
        return fail_errno(errno, fmt::format("unmount {}", path.native()));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail_errno(errno, fmt::format("remove {}", path.native()));
    return {};
}

Result<> NetNs::destroy() {
    if (!std::exchange(owned_, false))
        return {};
    return remove(name_);
}

Result<NetNs::Guard> NetNs::enter() const {
    BL_TRY(UniqueFd back, open_netns(kOwnNetns));
    if (::setns(fd_.get(), CLONE_NEWNET) != 0)
        return fail_errno(errno, fmt::format("enter network namespace {}", path().native()),
                          errno == EPERM ? "run as root" : "");
    return Guard(std::move(back));
}

NetNs::Guard::~Guard() {
    if (back_.valid() && ::setns(back_.get(), CLONE_NEWNET) != 0) {
        std::perror("beeline: cannot return to the network namespace this thread came from");
        std::abort();
    }
}

Result<std::uint64_t> NetNs::inode() const {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0)
        return fail_errno(errno, "stat a network namespace");
    return status.st_ino;
}

std::filesystem::path NetNs::path() const {
    return name_.empty() ? std::filesystem::path(fmt::format("/proc/{}/fd/{}", ::getpid(), fd_.get()))
                         : named_path(name_);
}

} // namespace beeline::kernel
