// SPDX-License-Identifier: Apache-2.0
#include "config/read_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::config {

Result<std::string> read_file(const std::filesystem::path &path, std::size_t most) {
    const std::string name = path.string();
    if (name.find('\0') != name.npos)
        return fail(Kind::config, 0, "a file name with a zero byte");
    // O_NONBLOCK: opening a pipe must not wait for a writer; reading one below waits as usual for regular files.
    const kernel::UniqueFd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid())
        return fail_errno(errno, "open " + name);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        return fail_errno(errno, "stat " + name);
    if (!S_ISREG(status.st_mode))
        return fail(Kind::config, 0, name + " is not a regular file");

    std::string text;
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > most)
        return fail(Kind::config, 0, name + " has " + std::to_string(size) + " bytes",
                    "at most " + std::to_string(most) + " are read");
    text.resize(size);
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::read(file.get(), text.data() + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(errno, "read " + name);
        if (got == 0) // it shrank meanwhile
            break;
        have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
}

} // namespace beeline::config
