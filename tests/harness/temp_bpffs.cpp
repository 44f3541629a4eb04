// SPDX-License-Identifier: Apache-2.0
#include <harness/temp_bpffs.hpp>

#include <cerrno>

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <harness/names.hpp>

namespace beeline::harness {

Result<TempBpffs> TempBpffs::mount() {
    static int count = 0;
    std::filesystem::path path = std::filesystem::temp_directory_path() / unique_name(fmt::format("bpffs{}", count++));
    if (::mkdir(path.c_str(), 0700) != 0)
        return fail_errno(errno, fmt::format("create {}", path.native()));
    OnExit cleanup(Leftover::mount, path.native());
    if (::mount("bpf", path.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return fail_errno(errno, fmt::format("mount a bpffs on {}", path.native()));
    return TempBpffs(std::move(path), std::move(cleanup));
}

} // namespace beeline::harness
