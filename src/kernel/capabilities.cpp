// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/capabilities.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace beeline::kernel {

namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// glibc has no wrapper, and libcap is not worth a dependency for two calls.
Result<Sets> get_sets() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Sets sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0)
        return fail_errno(errno, "read the capabilities of this process");
    return sets;
}

std::uint32_t bit(Capability capability) {
    return 1U << (static_cast<unsigned>(capability) % 32);
}
std::size_t word(Capability capability) {
    return static_cast<unsigned>(capability) / 32;
}

bool effective(const Sets &sets, Capability capability) {
    return (sets[word(capability)].effective & bit(capability)) != 0;
}

std::unexpected<Error> lacking(const std::vector<std::string_view> &names) {
    return fail(Kind::permission, 0, fmt::format("needs {}", fmt::join(names, ", ")), "run as root (sudo)");
}

} // namespace

std::string_view name(Capability capability) {
    switch (capability) {
    case Capability::dac_read_search:
        return "CAP_DAC_READ_SEARCH";
    case Capability::sys_ptrace:
        return "CAP_SYS_PTRACE";
    case Capability::net_admin:
        return "CAP_NET_ADMIN";
    case Capability::net_raw:
        return "CAP_NET_RAW";
    case Capability::sys_admin:
        return "CAP_SYS_ADMIN";
    case Capability::perfmon:
        return "CAP_PERFMON";
    case Capability::bpf:
        return "CAP_BPF";
    }
    return "?";
}

bool has(Capability capability) {
    const Result<Sets> sets = get_sets();
    return sets && effective(*sets, capability);
}

Result<> require_root_or_caps() {
    BL_TRY(const Sets sets, get_sets());
    std::vector<std::string_view> missing;
    const bool admin = effective(sets, Capability::sys_admin); // bpf_capable() and perfmon_capable() accept it
    for (const Capability capability : {Capability::bpf, Capability::perfmon})
        if (!admin && !effective(sets, capability))
            missing.push_back(name(capability));
    if (!effective(sets, Capability::net_admin))
        missing.push_back(name(Capability::net_admin));
    if (!missing.empty())
        return lacking(missing);
    return {};
}

Result<> require_capabilities(std::span<const Capability> capabilities) {
    BL_TRY(const Sets sets, get_sets());
    std::vector<std::string_view> missing;
    for (const Capability capability : capabilities)
        if (!effective(sets, capability))
            missing.push_back(name(capability));
    if (!missing.empty())
        return lacking(missing);
    return {};
}

Result<> drop_capabilities_except(std::span<const Capability> keep) {
    BL_TRY(Sets sets, get_sets());
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return fail_errno(errno, "clear the ambient capabilities");
    // The bounding set needs CAP_SETPCAP; without it nothing can be gained either, short of a privileged executable.
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
        if (std::find(keep.begin(), keep.end(), static_cast<Capability>(capability)) == keep.end())
            (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    Sets wanted{};
    for (const Capability capability : keep)
        wanted[word(capability)].permitted |= bit(capability);
    for (std::size_t i = 0; i < sets.size(); ++i) {
        sets[i].permitted &= wanted[i].permitted;
        sets[i].effective &= wanted[i].permitted;
        sets[i].inheritable = 0;
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    if (::syscall(SYS_capset, &header, sets.data()) != 0)
        return fail_errno(errno, "give capabilities up");
    return {};
}

} // namespace beeline::kernel
