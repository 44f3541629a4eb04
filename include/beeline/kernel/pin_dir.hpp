// SPDX-License-Identifier: Apache-2.0
//
// The directory on a bpffs that holds Beeline's pins, changed in transactions.
//
//     BL_TRY(auto pins, PinDir::lock("/sys/fs/bpf/beeline"));
//     BL_TRY(auto stage, pins.stage("edge"));
//     BL_CHECK(link.pin(stage.path() / "link_eth0"));
//     BL_TRY(auto committed, std::move(stage).commit());    // root/edge is the new one now, in one step
//     ...                                                   // committed.undo() puts the old one back
//     BL_CHECK(std::move(committed).finish());              // the old one is removed
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

/// Where Beeline pins when nothing else is said.
inline constexpr std::string_view kDefaultPinRoot = "/sys/fs/bpf/beeline";

/// Fails with the mount command as the remedy unless path (or, when it does not exist, its nearest ancestor that does)
/// is on a bpffs.
[[nodiscard]] Result<> require_bpffs(const std::filesystem::path &path);

/// Removes a pin or a directory of pins with all below. Refuses anything that is not on a bpffs, and a mount point
/// itself. What is not there is no error.
[[nodiscard]] Result<> remove_tree(const std::filesystem::path &path);

/// A directory that took its name; the one that had the name before is kept aside until finish().
class [[nodiscard]] CommittedPins {
public:
    CommittedPins(CommittedPins &&other) noexcept;
    CommittedPins &operator=(CommittedPins &&) = delete;
    ~CommittedPins(); ///< Like finish(); errors are dropped (the next lock() removes leftovers).

    [[nodiscard]] const std::filesystem::path &path() const { return live_; }
    /// The old directory under its temporary name; nothing when there was none.
    [[nodiscard]] const std::optional<std::filesystem::path> &old() const { return old_; }
    /// Removes the old directory.
    [[nodiscard]] Result<> finish() &&;
    /// Puts the old directory back and removes the new one.
    [[nodiscard]] Result<> undo() &&;

private:
    friend class PinStage;
    CommittedPins(std::filesystem::path live, std::filesystem::path aside, bool had_old);
    std::filesystem::path live_;
    std::filesystem::path aside_; ///< Where the old one is, and where undo() puts the new one.
    std::optional<std::filesystem::path> old_;
    bool done_ = false;
};

/// A directory being filled. Destroying it without commit() removes it with all its pins.
class [[nodiscard]] PinStage {
public:
    PinStage(PinStage &&other) noexcept;
    PinStage &operator=(PinStage &&) = delete;
    ~PinStage();

    /// Pin here.
    [[nodiscard]] const std::filesystem::path &path() const { return path_; }
    /// Takes the place of root/name in one step (renameat2, RENAME_EXCHANGE when there is one already).
    [[nodiscard]] Result<CommittedPins> commit() &&;

private:
    friend class PinDir;
    PinStage(std::filesystem::path path, std::filesystem::path live) : path_(std::move(path)), live_(std::move(live)) {}
    std::filesystem::path path_; ///< Empty after commit or move.
    std::filesystem::path live_;
};

/// The locked root. One process at a time holds it; the lock ends with the object or with the process. Whatever was
/// staged by a process that died is removed when the lock is taken.
class [[nodiscard]] PinDir {
public:
    /// Makes root (mode 0700) when it is missing, and locks it. Waits up to wait for another holder, then fails with
    /// Kind::conflict and the holder's process id.
    [[nodiscard]] static Result<PinDir> lock(std::filesystem::path root,
                                             std::chrono::milliseconds wait = std::chrono::milliseconds(0));

    [[nodiscard]] const std::filesystem::path &root() const { return root_; }
    [[nodiscard]] std::filesystem::path live(std::string_view name) const { return root_ / name; }
    [[nodiscard]] Result<bool> exists(std::string_view name) const;
    /// Names of the live directories, sorted.
    [[nodiscard]] Result<std::vector<std::string>> names() const;
    /// name: one path component without dots (bpffs reserves them) that does not begin with "_".
    [[nodiscard]] Result<PinStage> stage(std::string_view name);
    /// Removes root/name; what is not there is no error.
    [[nodiscard]] Result<> remove(std::string_view name);
    /// Removes the root with all below.
    [[nodiscard]] Result<> remove_all() &&;

private:
    PinDir(std::filesystem::path root, UniqueFd lock) : root_(std::move(root)), lock_(std::move(lock)) {}
    Result<> remove_leftovers();
    std::filesystem::path root_;
    UniqueFd lock_; ///< The root directory itself, flock()ed.
};

} // namespace beeline::kernel
