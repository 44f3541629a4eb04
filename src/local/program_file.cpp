// SPDX-License-Identifier: Apache-2.0
#include "local/program_file.hpp"

#include <fcntl.h>
#include <gelf.h>

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

} // namespace

Reads inspect_file(const std::filesystem::path &path) {
    elf_version(EV_CURRENT);
    const kernel::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid())
        return Reads::unknown;
    const std::unique_ptr<Elf, ElfCloser> elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
        return Reads::unknown;
    bool dynamic = false;
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf.get(), section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM)
            continue;
        dynamic = true;
        if (imports_splice(elf.get(), section, header))
            return Reads::maybe_spliced;
    }
    return dynamic ? Reads::by_receiving : Reads::unknown;
}

Result<ProgramFile> inspect_program(pid_t pid) {
    const std::string exe = fmt::format("/proc/{}/exe", pid);
    std::error_code error;
    ProgramFile program{.path = std::filesystem::read_symlink(exe, error)};
    if (error)
        return fail_errno(error.value(), "read " + exe);
    program.reads = inspect_file(exe);
    if (program.reads != Reads::by_receiving)
        return program;
    for (const auto &[path, name] : mapped_files(pid))
        if (const Reads reads = inspect_file(name); reads != Reads::by_receiving)
            program.reads = reads;
    return program;
}

} // namespace beeline::local
