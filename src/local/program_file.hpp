// SPDX-License-Identifier: Apache-2.0
//
// May a program do with its sockets what the short cut cannot serve, and nobody sees before it is too late?
// splice(2): what was redirected to a socket cannot be spliced out of it (net/ipv4/tcp.c, tcp_splice_read() looks into
// the TCP queue only): it would wait for ever. It has to get at the system call by the C library's function, which its
// dynamic symbols name.
// FIONREAD: of a socket on the short cut it does not count what TCP has for it (net/ipv4/tcp_bpf.c, tcp_bpf_ioctl()).
// Loops that stop at 0, as nginx's does, would leave those bytes. It has to get the number into the second argument of
// ioctl().
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::local {

enum class Reads : std::uint8_t {
    by_receiving,
    maybe_spliced, ///< It, or a library that it has mapped, imports splice().
    maybe_counted, ///< It, or a library that it has mapped, asks FIONREAD.
    unknown,       ///< Statically linked, or no ELF: nobody can say.
};

struct ProgramFile {
    std::filesystem::path path; ///< What /proc/PID/exe names.
    Reads reads = Reads::unknown;
};

/// By what the process has mapped. Fails when it is gone.
[[nodiscard]] Result<ProgramFile> inspect_program(pid_t pid);
/// One file; unknown when it has no dynamic symbols.
[[nodiscard]] Reads inspect_file(const std::filesystem::path &path);

} // namespace beeline::local
