// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/features.hpp>

#include <array>
#include <charconv>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <sys/utsname.h>

#include <beeline/kernel/capabilities.hpp>

#include "kernel/feature_probes.hpp"

namespace beeline::kernel {

namespace {

struct Row {
    FeatureId id;
    std::string_view title, needed_by, since, config;
};

/// In the order of FeatureId. since: the mainline kernel that brought it; config: the option that can leave it out.
constexpr std::array kRows{
    Row{FeatureId::bpf, "the bpf system call", "everything", "4.4", "CONFIG_BPF_SYSCALL"},
    Row{FeatureId::capabilities, "rights to load and attach", "everything", "", ""},
    Row{FeatureId::btf, "kernel type information (BTF)", "programs that read kernel structs", "5.2",
        "CONFIG_DEBUG_INFO_BTF"},
    Row{FeatureId::jit, "the BPF just-in-time compiler", "speed", "", "CONFIG_BPF_JIT"},
    Row{FeatureId::bpffs, "the bpf file system", "state that outlives the process", "4.4", "CONFIG_BPF_SYSCALL"},
    Row{FeatureId::bpffs_mounted, "a bpf file system on /sys/fs/bpf", "the default place of pins", "", ""},
    Row{FeatureId::ring_buffer, "BPF ring buffers", "log actions, events", "5.8", "CONFIG_BPF_SYSCALL"},
    Row{FeatureId::xdp_link, "XDP links", "edge", "5.9", "CONFIG_NET"},
    Row{FeatureId::xdp_frags, "XDP on multi-buffer frames", "edge on devices with large MTU", "5.18", "CONFIG_NET"},
    Row{FeatureId::xdp_live_frames, "live frames from test runs", "bench and demo traffic", "5.18", "CONFIG_NET"},
    Row{FeatureId::prog_array, "tail calls", "edge", "4.2", "CONFIG_BPF_SYSCALL"},
    Row{FeatureId::devmap_hash, "device maps by ifindex", "edge: redirect", "5.4", "CONFIG_NET"},
    Row{FeatureId::cpumap_prog, "CPU maps", "edge: cpu", "5.9", "CONFIG_NET"},
    Row{FeatureId::af_xdp, "AF_XDP sockets", "xsk, edge: xsk", "4.18", "CONFIG_XDP_SOCKETS"},
    Row{FeatureId::tcx, "tcx links", "edge at tc, guest on veth, proxy", "6.6", "CONFIG_NET_XGRESS"},
    Row{FeatureId::netkit, "netkit devices", "guest (else veth)", "6.7", "CONFIG_NETKIT"},
    Row{FeatureId::netkit_scrub, "netkit scrub settings", "guest: marks of the host's packets", "6.13",
        "CONFIG_NETKIT"},
    Row{FeatureId::netkit_headroom, "netkit headroom settings", "guest: tunnels", "6.14", "CONFIG_NETKIT"},
    Row{FeatureId::cgroup2, "a mounted cgroup2 hierarchy", "local, meter", "4.5", "CONFIG_CGROUPS"},
    Row{FeatureId::cgroup_link, "cgroup links", "local, meter", "5.7", "CONFIG_CGROUP_BPF"},
    Row{FeatureId::sk_storage, "socket-local storage", "meter", "5.2", "CONFIG_NET"},
    Row{FeatureId::sockmap_link, "sockmap links", "local (else plain attachment)", "6.10", "CONFIG_NET_SOCK_MSG"},
    Row{FeatureId::sockmap_inq, "FIONREAD of redirected bytes", "local", "6.18", "CONFIG_NET_SOCK_MSG"},
    Row{FeatureId::sk_lookup, "socket lookup programs", "proxy", "5.9", "CONFIG_INET"},
    Row{FeatureId::tp_btf, "BTF-typed tracepoints", "drop reasons in top", "5.5", "CONFIG_BPF_EVENTS"},
    Row{FeatureId::freplace, "program extensions (freplace)", "sharing a device with libxdp's dispatcher", "5.6",
        "CONFIG_BPF_JIT"},
    Row{FeatureId::netns_create, "making network namespaces", "demo, bench, guest", "2.6.24", "CONFIG_NET_NS"},
};
constexpr std::size_t kFeatures = kRows.size();
static_assert(kFeatures == static_cast<std::size_t>(FeatureId::netns_create) + 1);

consteval bool rows_in_order() {
    for (std::size_t i = 0; i < kFeatures; ++i)
        if (static_cast<std::size_t>(kRows[i].id) != i)
            return false;
    return true;
}
static_assert(rows_in_order());

} // namespace

std::string kernel_version() {
    utsname names{};
    if (::uname(&names) != 0)
        return "unknown";
    const std::string release = names.release;
    return release.substr(0, release.find_first_not_of("0123456789."));
}

bool version_less(std::string_view version, std::string_view than) {
    const auto next = [](std::string_view &text) {
        unsigned number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) {
            text = {}; // no number: the version ends here
            return 0U;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        text.remove_prefix(text.starts_with('.') ? 1 : 0);
        return number;
    };
    while (!version.empty() || !than.empty()) {
        const unsigned mine = next(version);
        const unsigned other = next(than);
        if (mine != other || (version.empty() && than.empty()))
            return mine < other;
    }
    return false;
}

const Feature &probe(FeatureId id) {
    static std::array<std::optional<Feature>, kFeatures> answers;
    static std::array<std::once_flag, kFeatures> asked;
    const auto index = static_cast<std::size_t>(id);
    std::call_once(asked.at(index), [&] {
        const Row &row = kRows[index];
        const Result<> tried = try_feature(id);
        answers[index] = Feature{.id = id,
                                 .title = row.title,
                                 .needed_by = row.needed_by,
                                 .since = row.since,
                                 .available = tried.has_value(),
                                 .why = tried ? "" : tried.error().message()};
    });
    return *answers[index];
}

std::vector<Feature> probe_all() {
    std::vector<Feature> all;
    for (const Row &row : kRows)
        all.push_back(probe(row.id));
    return all;
}

Result<> require(FeatureId id) {
    const Feature &feature = probe(id);
    if (feature.available)
        return {};
    // Without the rights a probe proves nothing about the kernel: name the rights instead.
    if (id != FeatureId::capabilities)
        if (Result<> allowed = require_root_or_caps(); !allowed)
            return std::unexpected(std::move(allowed).error().within(fmt::format("cannot try {}", feature.title)));
    if (feature.since.empty())
        return fail(Kind::unsupported, 0, fmt::format("no {}: {}", feature.title, feature.why));
    const std::string version = kernel_version();
    if (version_less(version, feature.since))
        return fail(Kind::unsupported, 0,
                    fmt::format("no {}: needs Linux >= {}, this is {}", feature.title, feature.since, version));
    // New enough: left out of the build, or forbidden by a policy.
    const std::string_view config = kRows[static_cast<std::size_t>(id)].config;
    return fail(Kind::unsupported, 0,
                fmt::format("no {}: Linux >= {} has them, this kernel ({}) does not: {}", feature.title, feature.since,
                            version, feature.why),
                fmt::format("it takes a kernel built with {} and no policy against it", config));
}

} // namespace beeline::kernel
