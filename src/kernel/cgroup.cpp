// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/cgroup.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace beeline::kernel {

namespace {

/// mountinfo writes space, tab, newline and backslash as \ooo (proc(5)).
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

Result<std::string> slurp(const std::string &path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        return fail_errno(errno == 0 ? EIO : errno, "read " + path);
    return text.str();
}

Result<UniqueFd> open_directory(const std::filesystem::path &path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(errno, fmt::format("open cgroup {}", path.native()));
    return UniqueFd(fd);
}

} // namespace

Result<std::filesystem::path> cgroup2_mount_in(std::string_view mountinfo) {
    // 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime [optional fields] - cgroup2 cgroup2 rw
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::vector<std::string> word;
        for (std::string one; words >> one;)
            word.push_back(one);
        std::size_t dash = 6; // optional fields, any number of them, end with a dash
        while (dash < word.size() && word[dash] != "-")
            ++dash;
        // Only a mount of the whole hierarchy: with another root, paths below it would not be cgroup paths.
        if (dash + 1 < word.size() && word[dash + 1] == "cgroup2" && word[3] == "/")
            return std::filesystem::path(unescape(word[4]));
    }
    return fail(Kind::unsupported, 0, "no cgroup2 hierarchy is mounted",
                "mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
}

Result<std::filesystem::path> cgroup2_mount() {
    BL_TRY(const std::string mountinfo, slurp("/proc/self/mountinfo"));
    return cgroup2_mount_in(mountinfo);
}

Cgroup::Cgroup(Cgroup &&other) noexcept
    : fd_(std::move(other.fd_)), directory_(std::move(other.directory_)), owned_(std::exchange(other.owned_, false)) {}

Cgroup &Cgroup::operator=(Cgroup &&other) noexcept {
    Cgroup taken(std::move(other));
    std::swap(fd_, taken.fd_);
    std::swap(directory_, taken.directory_);
    std::swap(owned_, taken.owned_);
    return *this;
}

Cgroup::~Cgroup() {
    if (owned_)
        (void)remove();
}

Result<Cgroup> Cgroup::open(const std::filesystem::path &path) {
    BL_TRY(const std::filesystem::path mount, cgroup2_mount());
    std::filesystem::path directory = mount / path.relative_path();
    BL_TRY(UniqueFd fd, open_directory(directory));
    return Cgroup(std::move(fd), std::move(directory), false);
}

Result<Cgroup> Cgroup::create(const std::filesystem::path &path) {
    BL_TRY(const std::filesystem::path mount, cgroup2_mount());
    std::filesystem::path directory = mount / path.relative_path();
    if (::mkdir(directory.c_str(), 0755) != 0)
        return fail_errno(errno, fmt::format("create cgroup {}", directory.native()));
    BL_TRY(UniqueFd fd, open_directory(directory));
    return Cgroup(std::move(fd), std::move(directory), true);
}

Result<Cgroup> Cgroup::of_process(pid_t pid) {
    const std::string file = fmt::format("/proc/{}/cgroup", pid);
    BL_TRY(const std::string text, slurp(file));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("0::")) // the unified hierarchy has number 0 and no controllers (cgroups(7))
            return open(line.substr(3));
    return fail(Kind::unsupported, 0, fmt::format("{}: the process is in no cgroup2", file));
}

Result<std::uint64_t> Cgroup::id() const {
    // A cgroup's file handle is its id (cgroup_id in the kernel), as libbpf's and systemd's tools read it.
    alignas(file_handle) std::array<char, sizeof(file_handle) + sizeof(std::uint64_t)> buffer{};
    auto *handle = reinterpret_cast<file_handle *>(buffer.data());
    handle->handle_bytes = sizeof(std::uint64_t);
    int mount_id = 0;
    if (::name_to_handle_at(fd_.get(), "", handle, &mount_id, AT_EMPTY_PATH) != 0)
        return fail_errno(errno, fmt::format("read the id of cgroup {}", directory_.native()));
    std::uint64_t id = 0;
    std::memcpy(&id, handle->f_handle, sizeof id);
    return id;
}

Result<> Cgroup::add(pid_t pid) {
    const UniqueFd procs(::openat(fd_.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
    const std::string text = std::to_string(pid);
    if (!procs.valid() || ::write(procs.get(), text.data(), text.size()) < 0)
        return fail_errno(errno, fmt::format("move process {} to cgroup {}", pid, directory_.native()));
    return {};
}

Result<> Cgroup::remove() {
    owned_ = false;
    if (::rmdir(directory_.c_str()) != 0 && errno != ENOENT)
        return fail_errno(errno, fmt::format("remove cgroup {}", directory_.native()),
                          errno == EBUSY ? "processes are in it" : "");
    return {};
}

} // namespace beeline::kernel
