// SPDX-License-Identifier: Apache-2.0
#include "local/program_file.hpp"

#include <fcntl.h>
#include <gelf.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <set>

#include <fmt/format.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::local {
namespace {

struct ElfCloser {
    void operator()(Elf *elf) const { elf_end(elf); }
};

/// Files that the process has mapped to run, below its own root (it may live in a container).
std::set<std::string> mapped_files(pid_t pid) {
    std::set<std::string> files;
    std::ifstream maps(fmt::format("/proc/{}/maps", pid));
    for (std::string line; std::getline(maps, line);) {
        const std::size_t mode = line.find(' ');
        const std::size_t path = line.find('/');
        if (mode == std::string::npos || path == std::string::npos ||
            line.substr(mode + 1, 4).find('x') == std::string::npos)
            continue;
        files.insert(fmt::format("/proc/{}/root{}", pid, line.substr(path)));
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
    for (const std::string &file : mapped_files(pid))
        if (inspect_file(file) == Reads::maybe_spliced)
            program.reads = Reads::maybe_spliced;
    return program;
}

} // namespace beeline::local
