// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/sysctl.hpp>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::kernel {

namespace {

Result<UniqueFd> open_sysctl(std::string_view name, int flags) {
    const std::string path = fmt::format("/proc/sys/net/{}", name);
    UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC));
    if (!file.valid())
        return fail_errno(errno, "open " + path);
    return file;
}

} // namespace

Result<std::string> read_net_sysctl(std::string_view name) {
    BL_TRY(const UniqueFd file, open_sysctl(name, O_RDONLY));
    std::array<char, 4096> text{}; // no setting is longer than a page
    const ssize_t length = ::read(file.get(), text.data(), text.size());
    if (length < 0)
        return fail_errno(errno, fmt::format("read /proc/sys/net/{}", name));
    std::string_view value(text.data(), static_cast<std::size_t>(length));
    while (value.ends_with('\n'))
        value.remove_suffix(1);
    return std::string(value);
}

Result<> write_net_sysctl(std::string_view name, std::string_view value) {
    BL_TRY(const UniqueFd file, open_sysctl(name, O_WRONLY));
    if (::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
        return fail_errno(errno, fmt::format("write '{}' to /proc/sys/net/{}", value, name));
    return {};
}

} // namespace beeline::kernel
