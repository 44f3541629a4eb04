// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/prog.hpp>

#include <array>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "kernel/bpf_object.hpp"

namespace beeline::kernel {

Result<ProgInfo> prog_info(int fd) {
    BL_CHECK(check_object_kind(fd, "bpf-prog"));
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (::bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
        return fail_errno(errno, "read a program's description");
    ProgInfo result{.type = static_cast<bpf_prog_type>(info.type),
                    .id = info.id,
                    .name = std::string(info.name, ::strnlen(info.name, sizeof info.name)),
                    .ifindex = info.ifindex,
                    .loaded_at_ns = info.load_time,
                    .uid = info.created_by_uid,
                    .map_ids = std::vector<std::uint32_t>(info.nr_map_ids),
                    .run_time_ns = info.run_time_ns,
                    .run_count = info.run_cnt,
                    .verified_insns = info.verified_insns};
    for (const unsigned char byte : info.tag)
        result.tag += fmt::format("{:02x}", byte);
    if (!result.map_ids.empty()) { // the list comes with a second call, which says how long it must be
        info = {};
        info.nr_map_ids = static_cast<std::uint32_t>(result.map_ids.size());
        info.map_ids = reinterpret_cast<std::uintptr_t>(result.map_ids.data());
        size = sizeof info;
        if (::bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
            return fail_errno(errno, "read a program's maps");
    }
    return result;
}

Result<UniqueFd> prog_by_id(std::uint32_t id) {
    const int fd = ::bpf_prog_get_fd_by_id(id);
    if (fd < 0)
        return fail_errno(errno, fmt::format("open program id {}", id));
    return UniqueFd(fd);
}

std::string describe_prog(std::uint32_t id) {
    if (const Result<UniqueFd> fd = prog_by_id(id))
        if (const Result<ProgInfo> info = prog_info(fd->get()); info && !info->name.empty())
            return fmt::format("program {} (id {})", info->name, id);
    return fmt::format("program id {}", id);
}

Result<UniqueFd> load_program(const ProgSpec &spec) {
    std::array<char, 4096> log{};
    LIBBPF_OPTS(bpf_prog_load_opts, options,
                .expected_attach_type = static_cast<bpf_attach_type>(spec.expected_attach_type),
                .prog_flags = spec.flags);
    const char *name = spec.name.empty() ? nullptr : spec.name.c_str();
    int fd = ::bpf_prog_load(spec.type, name, "GPL", spec.insns.data(), spec.insns.size(), &options);
    if (fd >= 0)
        return UniqueFd(fd);
    const int error = errno;
    options.log_level = 1; // once more, for the reason
    options.log_buf = log.data();
    options.log_size = log.size();
    fd = ::bpf_prog_load(spec.type, name, "GPL", spec.insns.data(), spec.insns.size(), &options);
    if (fd >= 0)
        return UniqueFd(fd);
    auto failure = fail_errno(error, fmt::format("load program {}", spec.name));
    failure.error().detail = std::string(log.data(), ::strnlen(log.data(), log.size()));
    return failure;
}

Result<UniqueFd> load_xdp_constant(std::uint32_t verdict, std::string name) {
    const std::array insns{
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
                 .dst_reg = BPF_REG_0,
                 .src_reg = 0,
                 .off = 0,
                 .imm = static_cast<std::int32_t>(verdict)},
        bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    };
    return load_program({.type = BPF_PROG_TYPE_XDP, .insns = insns, .name = std::move(name)});
}

Result<TestResult> test_run(int prog_fd, const TestRun &run) {
    TestResult result;
    xdp_md xdp = run.ctx.value_or(xdp_md{});
    xdp.data_end = static_cast<std::uint32_t>(run.data.size());
    __sk_buff skb = run.skb.value_or(__sk_buff{});
    xdp_md xdp_out{};
    __sk_buff skb_out{};

    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run.data.data(),
                .data_size_in = static_cast<std::uint32_t>(run.data.size()), .repeat = static_cast<int>(run.repeat),
                .flags = run.flags, .batch_size = run.batch_size);
    if (run.live_frames)
        options.flags |= BPF_F_TEST_XDP_LIVE_FRAMES;
    const bool live = (options.flags & BPF_F_TEST_XDP_LIVE_FRAMES) != 0; // takes neither data_out nor ctx_out
    if (!live) {
        result.data_out.resize(run.data.size() + run.room);
        options.data_out = result.data_out.data();
        options.data_size_out = static_cast<std::uint32_t>(result.data_out.size());
    }
    if (run.ctx) {
        options.ctx_in = &xdp;
        options.ctx_size_in = sizeof xdp;
        options.ctx_out = live ? nullptr : &xdp_out;
        options.ctx_size_out = live ? 0 : sizeof xdp_out;
    } else if (run.skb) {
        options.ctx_in = &skb;
        options.ctx_size_in = sizeof skb;
        options.ctx_out = &skb_out;
        options.ctx_size_out = sizeof skb_out;
    }
    if (::bpf_prog_test_run_opts(prog_fd, &options) != 0) {
        const int error = errno;
        return fail_errno(error, fmt::format("run a program on a packet of {} B", run.data.size()),
                          error == EINVAL && run.data.size() < 14 ? "a frame has at least 14 bytes" : "");
    }
    result.retval = options.retval;
    result.duration_ns = options.duration;
    result.data_out.resize(live ? 0 : options.data_size_out);
    if (run.ctx && !live)
        result.ctx_out = xdp_out;
    if (run.skb)
        result.skb_out = skb_out;
    return result;
}

Result<UniqueFd> enable_run_stats() {
    const int fd = ::bpf_enable_stats(BPF_STATS_RUN_TIME);
    if (fd < 0)
        return fail_errno(errno, "count program run times");
    return UniqueFd(fd);
}

} // namespace beeline::kernel
