// SPDX-License-Identifier: Apache-2.0
#include "local/program_file.hpp"

#include <fcntl.h>
#include <gelf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::local {
namespace {

struct ElfCloser {
    void operator()(Elf *elf) const { elf_end(elf); }
};

/// Files that the process has mapped to run: names by which they can be opened though it lives in a container, or they
/// were deleted since (an upgraded library), by their paths. What has no file is none of these: code made at run time.
std::map<std::string, std::string> mapped_files(pid_t pid) {
    std::map<std::string, std::string> files;
    std::ifstream maps(fmt::format("/proc/{}/maps", pid));
    for (std::string line; std::getline(maps, line);) { // "55d0-55e0 r-xp 00000000 fd:01 1234   /usr/bin/cat"
        const std::size_t mode = line.find(' ');
        const std::size_t path = line.find('/');
        if (mode == std::string::npos || path == std::string::npos || line.compare(path, 7, "/memfd:") == 0 ||
            line.substr(mode + 1, 4).find('x') == std::string::npos)
            continue;
        files.emplace(line.substr(path), fmt::format("/proc/{}/map_files/{}", pid, line.substr(0, mode)));
    }
    return files;
}

bool imports_splice(Elf *elf, Elf_Scn *section, const GElf_Shdr &header) {
    Elf_Data *data = elf_getdata(section, nullptr);
    if (!data || header.sh_entsize == 0)
        return false;
    const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
    for (int i = 0; i < count; ++i) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, i, &symbol) || symbol.st_shndx != SHN_UNDEF)
            continue;
        const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
        if (name && std::strcmp(name, "splice") == 0)
            return true;
    }
    return false;
}

/// Code that loads FIONREAD as an argument: mov $0x541b,%esi. Sends are understood on x86-64 only (bpf/local/send.h).
bool asks_fionread(Elf_Scn *section) {
    constexpr std::string_view kLoad("\xbe\x1b\x54\x00\x00", 5);
    const Elf_Data *data = elf_rawdata(section, nullptr);
    return data && data->d_buf &&
           std::string_view(static_cast<const char *>(data->d_buf), data->d_size).find(kLoad) != std::string_view::npos;
}

/// Libraries that ask it of other things than their program's connections, or read whatever it says.
bool counts_harmlessly(const std::filesystem::path &library) {
    constexpr std::array kKnown = {"libc.so.",    "libstdc++.so.", "libsystemd.so.", "libudev.so.",   "libreadline.so.",
                                   "libedit.so.", "libmagic.so.",  "libevent-",      "libevent_core-"};
    return std::ranges::any_of(
        kKnown, [name = library.filename().string()](const char *known) { return name.starts_with(known); });
}

} // namespace

Reads inspect_file(const std::filesystem::path &path) {
    elf_version(EV_CURRENT);
    const kernel::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid())
        return Reads::unknown;
    const std::unique_ptr<Elf, ElfCloser> elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
        return Reads::unknown;
    bool dynamic = false, counts = false;
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf.get(), section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        if (header.sh_type == SHT_PROGBITS && (header.sh_flags & SHF_EXECINSTR) != 0)
            counts = counts || asks_fionread(section);
        if (header.sh_type != SHT_DYNSYM)
            continue;
        dynamic = true;
        if (imports_splice(elf.get(), section, header))
            return Reads::maybe_spliced;
    }
    if (!dynamic)
        return Reads::unknown;
    return counts ? Reads::maybe_counted : Reads::by_receiving;
}

Result<ProgramFile> inspect_program(pid_t pid) {
    const std::string exe = fmt::format("/proc/{}/exe", pid);
    std::error_code error;
    ProgramFile program{.path = std::filesystem::read_symlink(exe, error)};
    if (error)
        return fail_errno(error.value(), "read " + exe);
    program.reads = inspect_file(exe);
    if (program.reads == Reads::by_receiving)
        for (const auto &[path, name] : mapped_files(pid))
            if (const Reads reads = inspect_file(name);
                reads != Reads::by_receiving && !(reads == Reads::maybe_counted && counts_harmlessly(path)))
                program.reads = reads;
    // Of one that ended meanwhile some was not there to be read.
    (void)std::filesystem::read_symlink(exe, error);
    if (error)
        return fail_errno(error.value(), "read " + exe);
    return program;
}

} // namespace beeline::local
