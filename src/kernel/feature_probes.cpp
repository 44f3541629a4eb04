// SPDX-License-Identifier: Apache-2.0
#include "kernel/feature_probes.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <beeline/kernel/capabilities.hpp>
#include <beeline/kernel/cgroup.hpp>
#include <beeline/kernel/libbpf_log.hpp>
#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include "kernel/bpffs.hpp"
#include "kernel/uapi_bpf.hpp"

namespace beeline::kernel {

namespace {

constexpr const char *kProbeName = "bl_probe";
/// No device has this number: a hook that exists answers ENODEV, one that does not EINVAL.
constexpr std::uint32_t kNoDevice = 0x7fffffff;
constexpr std::uint32_t kLoopback = 1; ///< ifindex of lo in every namespace.

/// r0 = value; exit.
std::array<bpf_insn, 2> return_constant(std::int32_t value) {
    return {bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = value},
            bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
}

Result<UniqueFd> load(bpf_prog_type type, std::int32_t value, std::uint32_t attach_type = 0, std::uint32_t flags = 0) {
    const auto insns = return_constant(value);
    return load_program(
        {.type = type, .insns = insns, .name = kProbeName, .expected_attach_type = attach_type, .flags = flags});
}

/// A Result<UniqueFd> for its error alone; what was made is closed.
Result<> made(Result<UniqueFd> fd) {
    return fd ? Result<>() : Result<>(std::unexpected(std::move(fd).error()));
}

Result<> try_map(MapSpec spec) {
    spec.name = kProbeName;
    return made(create_map(spec));
}

/// Makes a link where none can be made; any refusal but EINVAL shows that the kernel knows the hook.
Result<> try_link(bpf_prog_type type, std::uint32_t target, std::uint32_t attach_type, std::uint32_t flags) {
    BL_TRY(const UniqueFd prog, load(type, 2, attach_type == BPF_XDP ? std::uint32_t{BPF_XDP} : 0U)); // 2: XDP_PASS
    uapi::LinkCreate request{.prog_fd = static_cast<std::uint32_t>(prog.get()),
                             .target = target,
                             .attach_type = attach_type,
                             .flags = flags};
    const UniqueFd link(uapi::call(BPF_LINK_CREATE, request));
    if (link.valid() || errno != EINVAL)
        return {};
    return fail_errno(EINVAL, "attach");
}

/// Native XDP on lo, which has none: EOPNOTSUPP comes from behind the making of the link (and EBUSY, EEXIST from a
/// program that is there). A kernel that did have it would take, and at once lose, a program that passes everything.
Result<> try_xdp_link() {
    constexpr std::uint32_t kNative = 1U << 2; // XDP_FLAGS_DRV_MODE
    return try_link(BPF_PROG_TYPE_XDP, kLoopback, BPF_XDP, kNative);
}

Result<> try_live_frames() {
    BL_TRY(const UniqueFd prog, load_xdp_constant(XDP_DROP, kProbeName));
    const std::array<std::byte, 64> frame{};
    const Result<TestResult> run = test_run(prog.get(), {.data = frame, .live_frames = true});
    return run ? Result<>() : std::unexpected(run.error());
}

Result<> try_jit() {
    BL_TRY(const UniqueFd prog, load(BPF_PROG_TYPE_SOCKET_FILTER, 0));
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (::bpf_obj_get_info_by_fd(prog.get(), &info, &size) != 0)
        return fail_errno(errno, "look at a program");
    if (info.jited_prog_len == 0)
        return fail(Kind::unsupported, 0, "programs are interpreted", "sysctl net.core.bpf_jit_enable=1");
    return {};
}

/// A bpffs that is attached nowhere and ends with its descriptors (fsopen(2) and friends, Linux 5.2).
Result<> try_bpffs() {
    constexpr unsigned kCmdCreate = 6; // FSCONFIG_CMD_CREATE
    const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "bpf", 1 /* FSOPEN_CLOEXEC */)));
    if (!context.valid())
        return fail_errno(errno, "open the file system type bpf");
    if (::syscall(SYS_fsconfig, context.get(), kCmdCreate, nullptr, nullptr, 0) != 0)
        return fail_errno(errno, "make a bpffs");
    const UniqueFd mounted(static_cast<int>(::syscall(SYS_fsmount, context.get(), 1 /* FSMOUNT_CLOEXEC */, 0)));
    return mounted.valid() ? Result<>() : fail_errno(errno, "mount a bpffs");
}

Result<> try_af_xdp() {
    const UniqueFd socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket.valid())
        return fail_errno(errno, "open an AF_XDP socket");
    return try_map({.type = BPF_MAP_TYPE_XSKMAP});
}

Result<> try_cgroup_link() {
    BL_TRY(const UniqueFd prog, load(BPF_PROG_TYPE_CGROUP_SKB, 1, BPF_CGROUP_INET_INGRESS));
    BL_TRY(const Cgroup cgroup, Cgroup::create(fmt::format("/{}_{}", kProbeName, ::getpid())));
    uapi::LinkCreate request{.prog_fd = static_cast<std::uint32_t>(prog.get()),
                             .target = static_cast<std::uint32_t>(cgroup.fd()),
                             .attach_type = BPF_CGROUP_INET_INGRESS};
    const UniqueFd link(uapi::call(BPF_LINK_CREATE, request));
    return link.valid() ? Result<>() : fail_errno(errno, "attach to a cgroup");
}

Result<> try_sockmap_link() {
    BL_TRY(const UniqueFd prog, load(BPF_PROG_TYPE_SK_MSG, 1));
    BL_TRY(const UniqueFd map, create_map({.type = BPF_MAP_TYPE_SOCKMAP, .name = kProbeName}));
    uapi::LinkCreate request{.prog_fd = static_cast<std::uint32_t>(prog.get()),
                             .target = static_cast<std::uint32_t>(map.get()),
                             .attach_type = BPF_SK_MSG_VERDICT};
    const UniqueFd link(uapi::call(BPF_LINK_CREATE, request));
    return link.valid() ? Result<>() : fail_errno(errno, "attach to a sockmap");
}

Result<> try_sk_storage() { // libbpf makes the type information this map insists on
    const LibbpfLog quiet;
    const int answer = ::libbpf_probe_bpf_map_type(BPF_MAP_TYPE_SK_STORAGE, nullptr);
    return answer > 0 ? Result<>() : fail_errno(answer < 0 ? -answer : EINVAL, "create a socket storage map");
}

/// The tracepoint of dropped packets, which exists since 2009 under this name.
Result<> try_tp_btf() {
    const LibbpfLog quiet;
    const int id = ::libbpf_find_vmlinux_btf_id("kfree_skb", BPF_TRACE_RAW_TP);
    if (id < 0)
        return fail_errno(-id, "find tracepoint kfree_skb in the kernel's BTF");
    const auto insns = return_constant(0);
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
                .attach_btf_id = static_cast<std::uint32_t>(id));
    const UniqueFd prog(
        ::bpf_prog_load(BPF_PROG_TYPE_TRACING, kProbeName, "GPL", insns.data(), insns.size(), &options));
    return prog.valid() ? Result<>() : fail_errno(errno, "load a program for tracepoint kfree_skb");
}

/// An extension of a program that has no type information: where extensions exist and are allowed, the verifier says so
/// in its log; a policy that forbids them, or a kernel without them, answers before it, with an empty log.
Result<> try_freplace() {
    BL_TRY(const UniqueFd target, load(BPF_PROG_TYPE_XDP, XDP_PASS));
    const auto insns = return_constant(XDP_PASS);
    std::array<char, 1024> log{};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .attach_btf_id = 1,
                .attach_prog_fd = static_cast<std::uint32_t>(target.get()), .log_level = 1, .log_size = log.size(),
                .log_buf = log.data());
    const UniqueFd prog(::bpf_prog_load(BPF_PROG_TYPE_EXT, kProbeName, "GPL", insns.data(), insns.size(), &options));
    if (prog.valid() || log[0] != '\0')
        return {};
    return fail_errno(errno, "load a program extension (refused before the verifier)");
}

/// A pair in a namespace of its own, read back: a kernel that
/// does not know it makes the pair all the same.
Result<> try_netkit(const NetkitPair &pair) {
    BL_TRY(const NetNs netns, NetNs::anonymous());
    return netns.within([&pair]() -> Result<> {
        BL_TRY(RtNetlink links, RtNetlink::open());
        BL_CHECK(links.create_netkit(pair));
        BL_TRY(const Device primary, links.device(pair.primary.name));
        BL_TRY(const NetkitInfo info, links.netkit_info(primary.ifindex));
        const auto ignored = netkit_ignored(pair, info);
        if (!ignored.empty())
            return fail(Kind::unsupported, 0, fmt::format("the kernel ignored {}", fmt::join(ignored, ", ")));
        return {};
    });
}

/// What only a function's being there tells, without a pair of sockets and a redirection.
Result<> try_kernel_function(const char *name) {
    const LibbpfLog quiet;
    const std::unique_ptr<btf, decltype(&btf__free)> kernel(::btf__load_vmlinux_btf(), &btf__free);
    if (!kernel)
        return fail_errno(errno, "read the kernel's BTF");
    if (::btf__find_by_name_kind(kernel.get(), name, BTF_KIND_FUNC) < 0)
        return fail(Kind::unsupported, 0, fmt::format("the kernel has no {}()", name));
    return {};
}

Result<> try_read(const char *path) {
    return ::access(path, R_OK) == 0 ? Result<>() : fail_errno(errno, fmt::format("read {}", path));
}

} // namespace

Result<> try_feature(FeatureId id) {
    switch (id) {
    case FeatureId::bpf:
        return try_map({.type = BPF_MAP_TYPE_ARRAY});
    case FeatureId::capabilities:
        return require_root_or_caps();
    case FeatureId::btf:
        return try_read("/sys/kernel/btf/vmlinux");
    case FeatureId::jit:
        return try_jit();
    case FeatureId::bpffs:
        return try_bpffs();
    case FeatureId::bpffs_mounted:
        return require_bpffs("/sys/fs/bpf");
    case FeatureId::ring_buffer:
        return try_map({.type = BPF_MAP_TYPE_RINGBUF, .key_size = 0, .value_size = 0, .max_entries = 4096});
    case FeatureId::xdp_link:
        return try_xdp_link();
    case FeatureId::xdp_frags:
        return made(load(BPF_PROG_TYPE_XDP, XDP_PASS, 0, BPF_F_XDP_HAS_FRAGS));
    case FeatureId::xdp_live_frames:
        return try_live_frames();
    case FeatureId::prog_array:
        return try_map({.type = BPF_MAP_TYPE_PROG_ARRAY});
    case FeatureId::devmap_hash:
        return try_map({.type = BPF_MAP_TYPE_DEVMAP_HASH});
    case FeatureId::cpumap_prog:
        return try_map({.type = BPF_MAP_TYPE_CPUMAP, .value_size = sizeof(bpf_cpumap_val)});
    case FeatureId::af_xdp:
        return try_af_xdp();
    case FeatureId::tcx:
        return try_link(BPF_PROG_TYPE_SCHED_CLS, kNoDevice, uapi::kTcxIngress, 0);
    case FeatureId::netkit:
        return try_link(BPF_PROG_TYPE_SCHED_CLS, kNoDevice, uapi::kNetkitPrimary, 0);
    case FeatureId::netkit_scrub:
        return try_netkit({.primary = {.name = "bl0"}, .peer = {.name = "bl1"}, .scrub = NetkitScrub::none});
    case FeatureId::netkit_headroom:
        return try_netkit({.primary = {.name = "bl0"}, .peer = {.name = "bl1"}, .headroom = 64});
    case FeatureId::cgroup2:
        if (auto mount = cgroup2_mount(); !mount)
            return std::unexpected(std::move(mount).error());
        return {};
    case FeatureId::cgroup_link:
        return try_cgroup_link();
    case FeatureId::sk_storage:
        return try_sk_storage();
    case FeatureId::sockmap_link:
        return try_sockmap_link();
    case FeatureId::sockmap_inq:
        return try_kernel_function("tcp_bpf_ioctl");
    case FeatureId::sk_lookup:
        return made(load(BPF_PROG_TYPE_SK_LOOKUP, 1, BPF_SK_LOOKUP));
    case FeatureId::tp_btf:
        return try_tp_btf();
    case FeatureId::freplace:
        return try_freplace();
    case FeatureId::netns_create:
        if (auto netns = NetNs::anonymous(); !netns)
            return std::unexpected(std::move(netns).error());
        return {};
    }
    return fail(Kind::host, 0, "unknown feature");
}

} // namespace beeline::kernel
