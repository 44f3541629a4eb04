// SPDX-License-Identifier: Apache-2.0
#include "lab/leftovers.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include <beeline/kernel/netns.hpp>

namespace beeline::lab {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kNamespaces = "/run/netns", kFolders = "/run";

/// The number behind the last dash.
std::optional<pid_t> pid_of(std::string_view name) {
    const std::string_view digits = name.substr(name.rfind('-') + 1);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (error != std::errc{} || end != digits.data() + digits.size() || pid <= 0)
        return std::nullopt;
    return pid;
}

void collect(std::string_view where, bool namespaces, const std::string &prefix, std::vector<Leftover> &found) {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(where, ignored)) {
        const std::string name = entry.path().filename();
        if (const auto pid = pid_of(name); pid && name.starts_with(prefix))
            found.push_back({.is_namespace = namespaces, .path = entry.path(), .pid = *pid});
    }
}

bool dead(pid_t pid) {
    return ::kill(pid, 0) != 0 && errno == ESRCH;
}

} // namespace

std::string namespace_name(std::string_view lab, std::string_view node, pid_t pid) {
    return fmt::format("bl-{}-{}-{}", lab, node, pid);
}

fs::path folder_of(std::string_view lab, pid_t pid) {
    return fmt::format("{}/bl-{}-{}", kFolders, lab, pid);
}

std::vector<Leftover> leftovers(std::string_view lab) {
    std::vector<Leftover> found;
    const std::string prefix = fmt::format("bl-{}-", lab);
    collect(kNamespaces, true, prefix, found);
    collect(kFolders, false, prefix, found);
    return found;
}

void sweep(std::string_view lab, pid_t pid) {
    for (const Leftover &left : leftovers(lab)) {
        if (pid != 0 ? left.pid != pid : !dead(left.pid))
            continue;
        if (left.is_namespace) {
            (void)kernel::NetNs::remove(left.path.filename().string());
            continue;
        }
        // Detached: whoever still has a file open in it does not keep the name.
        ::umount2((left.path / "bpf").c_str(), MNT_DETACH);
        std::error_code ignored;
        // Never into a mount: a bpffs that could not be unmounted holds others' files no longer than it is mounted.
        fs::remove(left.path / "bpf", ignored);
        if (!fs::exists(left.path / "bpf", ignored))
            fs::remove_all(left.path, ignored);
    }
}

} // namespace beeline::lab
