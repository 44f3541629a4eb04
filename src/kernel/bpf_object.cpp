// SPDX-License-Identifier: Apache-2.0
#include "kernel/bpf_object.hpp"

#include <beeline/kernel/map.hpp>

#include <array>
#include <cerrno>

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <unistd.h>

namespace beeline::kernel {

namespace {

std::string_view in_words(std::string_view kind) {
    if (kind == "bpf-map")
        return "a BPF map";
    if (kind == "bpf-prog")
        return "a BPF program";
    return kind == "bpf-link" ? "a BPF link" : kind;
}

} // namespace

Result<> check_object_kind(int fd, std::string_view wanted) {
    constexpr std::string_view kPrefix = "anon_inode:";
    std::array<char, 256> buffer{};
    const ssize_t length = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), buffer.data(), buffer.size());
    if (length < 0)
        return errno == ENOENT && ::access("/proc/self/fd", F_OK) == 0
                   ? Result<>(fail_errno(EBADF, fmt::format("descriptor {} of {}", fd, in_words(wanted))))
                   : Result<>();
    std::string_view target(buffer.data(), static_cast<std::size_t>(length));
    if (target.starts_with(kPrefix))
        target.remove_prefix(kPrefix.size());
    if (target == "bpf_link") // the name in a new link's descriptor; a reopened one has the other
        target = "bpf-link";
    if (target != wanted)
        return fail(Kind::state, 0, fmt::format("expected {}, found {}", in_words(wanted), in_words(target)));
    return {};
}

Result<> pin_object(int fd, const std::filesystem::path &path) {
    if (::bpf_obj_pin(fd, path.c_str()) == 0)
        return {};
    const int error = errno;
    const std::string what = fmt::format("pin {}", path.native());
    if (error == EPERM && path.filename().native().find('.') != std::string::npos)
        return fail(Kind::usage, error, what, "bpffs takes no dots in names");
    if (error == EPERM && ::access(path.parent_path().c_str(), W_OK) == 0)
        return fail_errno(error, what, "the directory must be on a bpffs (mount -t bpf bpf /sys/fs/bpf)");
    return fail_errno(error, what);
}

Result<UniqueFd> pinned_object(const std::filesystem::path &path) {
    const int fd = ::bpf_obj_get(path.c_str());
    if (fd < 0)
        return fail_errno(errno, fmt::format("open pin {}", path.native()));
    return UniqueFd(fd);
}

} // namespace beeline::kernel
