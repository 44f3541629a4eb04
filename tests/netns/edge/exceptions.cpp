// SPDX-License-Identifier: Apache-2.0
#include "exceptions.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/if.h>

#include <beeline/kernel/map.hpp>

namespace beeline::edge {
namespace {

struct Key {
    char device[IFNAMSIZ] = {};
    std::uint64_t code = 0;
};
static_assert(sizeof(Key) == 24);

/// Offset of the name in the kernel's struct net_device, in bytes.
Result<std::int32_t> name_offset() {
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), &btf__free);
    const int id = types ? btf__find_by_name_kind(types.get(), "net_device", BTF_KIND_STRUCT) : -1;
    if (id < 0)
        return fail(Kind::unsupported, 0, "the kernel tells no types (/sys/kernel/btf/vmlinux)");
    const btf_type *type = btf__type_by_id(types.get(), static_cast<std::uint32_t>(id));
    const btf_member *members = btf_members(type);
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i)
        if (std::string_view(btf__name_by_offset(types.get(), members[i].name_off)) == "name")
            return static_cast<std::int32_t>(btf_member_bit_offset(type, i) / 8);
    return fail(Kind::unsupported, 0, "struct net_device has no member 'name'");
}

constexpr bpf_insn insn(int code, std::uint8_t dst, std::uint8_t src, std::int16_t offset, std::int32_t imm) {
    bpf_insn one{};
    one.code = static_cast<std::uint8_t>(code);
    one.dst_reg = dst & 0xf;
    one.src_reg = src & 0xf;
    one.off = offset;
    one.imm = imm;
    return one;
}

/// counts[{dev->name, act}]++ for TP_PROTO(const struct net_device *dev, const struct bpf_prog *xdp, u32 act) of
/// include/trace/events/xdp.h.
auto program(int map, std::int32_t name) {
    constexpr int kMov = BPF_ALU64 | BPF_MOV, kAdd = BPF_ALU64 | BPF_ADD, kLoad = BPF_LDX | BPF_DW | BPF_MEM;
    constexpr std::int16_t kKey = -static_cast<std::int16_t>(sizeof(Key)), kCode = kKey + IFNAMSIZ, kOne = kKey - 8;
    return std::array{
        insn(kLoad, BPF_REG_3, BPF_REG_1, 0, 0),  // r3 = dev
        insn(kLoad, BPF_REG_2, BPF_REG_1, 16, 0), // r2 = act
        insn(BPF_STX | BPF_DW | BPF_MEM, BPF_REG_10, BPF_REG_2, kCode, 0),
        insn(BPF_ST | BPF_DW | BPF_MEM, BPF_REG_10, 0, kOne, 1),
        insn(kAdd, BPF_REG_3, 0, 0, name), // bpf_probe_read_kernel(key, 16, dev->name)
        insn(kMov | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0),
        insn(kAdd, BPF_REG_1, 0, 0, kKey),
        insn(kMov | BPF_K, BPF_REG_2, 0, 0, IFNAMSIZ),
        insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
        insn(BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
        insn(0, 0, 0, 0, 0),
        insn(kMov | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
        insn(kAdd, BPF_REG_2, 0, 0, kKey),
        insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
        insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 3, 0), // not there: put 1 in
        insn(kMov | BPF_K, BPF_REG_1, 0, 0, 1),
        insn(BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_0, BPF_REG_1, 0, BPF_ADD),
        insn(BPF_JMP | BPF_JA, 0, 0, 8, 0), // done
        insn(BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
        insn(0, 0, 0, 0, 0),
        insn(kMov | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
        insn(kAdd, BPF_REG_2, 0, 0, kKey),
        insn(kMov | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0),
        insn(kAdd, BPF_REG_3, 0, 0, kOne),
        insn(kMov | BPF_K, BPF_REG_4, 0, 0, BPF_ANY),
        insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem),
        insn(kMov | BPF_K, BPF_REG_0, 0, 0, 0),
        insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
}

} // namespace

Result<Exceptions> Exceptions::watch() {
    BL_TRY(const std::int32_t name, name_offset());
    BL_TRY(kernel::UniqueFd counts, kernel::create_map({.type = BPF_MAP_TYPE_HASH,
                                                        .name = "exceptions",
                                                        .key_size = sizeof(Key),
                                                        .value_size = 8,
                                                        .max_entries = 1024}));
    const auto code = program(counts.get(), name);
    std::array<char, 8192> log{};
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.log_buf = log.data();
    options.log_size = log.size();
    const kernel::UniqueFd prog(::bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "exceptions", "Dual BSD/GPL", code.data(),
                                                code.size(), &options));
    if (!prog.valid())
        return fail_errno(errno, std::string("load the watcher of xdp_exception: ") + log.data());
    kernel::UniqueFd link(::bpf_raw_tracepoint_open("xdp_exception", prog.get()));
    if (!link.valid())
        return fail_errno(errno, "attach to the tracepoint xdp_exception");
    return Exceptions(std::move(counts), std::move(link));
}

Result<std::uint64_t> Exceptions::seen(const std::string &device, std::uint32_t code) const {
    Key key;
    std::memcpy(key.device, device.data(), std::min(device.size(), sizeof key.device - 1));
    key.code = code;
    std::uint64_t value = 0;
    BL_TRY(const kernel::MapInfo info, kernel::map_info(counts_.get()));
    BL_TRY(const bool found,
           kernel::raw::lookup(counts_.get(), info, &key, std::as_writable_bytes(std::span(&value, 1))));
    return found ? value : 0;
}

} // namespace beeline::edge
