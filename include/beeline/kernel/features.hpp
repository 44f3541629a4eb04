// SPDX-License-Identifier: Apache-2.0
//
// What this kernel can do, found by really trying each thing with a tiny program, map or socket, never by its version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::kernel {

enum class FeatureId : std::uint8_t {
    bpf,             ///< bpf(2) may be called at all.
    capabilities,    ///< CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN.
    btf,             ///< /sys/kernel/btf/vmlinux.
    jit,             //
    bpffs,           ///< A bpffs can be mounted (not: is mounted).
    bpffs_mounted,   ///< /sys/fs/bpf is one.
    ring_buffer,     //
    xdp_link,        //
    xdp_frags,       //
    xdp_live_frames, //
    prog_array,      //
    devmap_hash,     //
    cpumap_prog,     //
    af_xdp,          //
    tcx,             //
    netkit,          //
    netkit_scrub,    ///< Marks survive the way into a guest.
    netkit_headroom, //
    cgroup2,         //
    cgroup_link,     //
    sk_storage,      //
    sockmap_link,    //
    sockmap_inq,     ///< FIONREAD knows what was redirected to a socket.
    sk_lookup,       //
    tp_btf,          ///< BTF-typed raw tracepoints.
    freplace,        //
    netns_create,    ///< Network namespaces may be made (CAP_SYS_ADMIN).
};

struct Feature {
    FeatureId id{};
    std::string_view title = {};     ///< "tcx links"
    std::string_view needed_by = {}; ///< Parts and actions, in the user's words.
    std::string_view since = {};     ///< "6.6": first kernel that has it; empty: a matter of configuration.
    bool available = false;
    std::string why = {}; ///< When not available: what happened, one line.
};

/// The answer is found once per process and kept.
[[nodiscard]] const Feature &probe(FeatureId id);
/// All of them, in the order of FeatureId.
[[nodiscard]] std::vector<Feature> probe_all();
/// Kind::unsupported: "no tcx links: needs Linux >= 6.6, this is 6.1.0".
[[nodiscard]] Result<> require(FeatureId id);

/// "6.18.44" as uname gives it, cut at the first character that is no digit or dot.
[[nodiscard]] std::string kernel_version();

/// Compares dotted numbers: "6.1.190" < "6.6" < "6.18". Text behind the numbers must be cut off.
[[nodiscard]] bool version_less(std::string_view version, std::string_view than);

} // namespace beeline::kernel
