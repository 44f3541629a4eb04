// SPDX-License-Identifier: Apache-2.0
//
// BPF programs: what the kernel says about one, loading a small one from instructions, and running one on a packet of
// ours (BPF_PROG_TEST_RUN).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <linux/bpf.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

struct ProgInfo {
    bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
    std::uint32_t id = 0;
    std::string name = {};                   ///< At most 15 characters: the kernel cuts it.
    std::string tag = {};                    ///< 16 hex digits over the instructions; equal programs have equal tags.
    std::uint32_t ifindex = 0;               ///< Not 0: the program is bound to this device (offload).
    std::uint64_t loaded_at_ns = 0;          ///< CLOCK_BOOTTIME.
    std::uint32_t uid = 0;                   ///< Who loaded it.
    std::vector<std::uint32_t> map_ids = {}; //
    std::uint64_t run_time_ns = 0;           ///< Counted only while run statistics are on (enable_run_stats).
    std::uint64_t run_count = 0;             //
    std::uint32_t verified_insns = 0;        ///< Instructions the verifier walked; Linux 5.16.
};

[[nodiscard]] Result<ProgInfo> prog_info(int fd);
[[nodiscard]] Result<UniqueFd> prog_by_id(std::uint32_t id);
/// "program edge_ingress (id 17)"; a program that is gone or not ours to see is "program id 17".
[[nodiscard]] std::string describe_prog(std::uint32_t id);

struct ProgSpec {
    bpf_prog_type type = BPF_PROG_TYPE_XDP;
    std::span<const bpf_insn> insns = {};
    std::string name = {};
    std::uint32_t expected_attach_type = 0;
    std::uint32_t flags = 0; ///< BPF_F_XDP_HAS_FRAGS and the like.
};

/// Loads a program of a few raw instructions (probes, tests, pass programs of veth peers). The licence is GPL.
[[nodiscard]] Result<UniqueFd> load_program(const ProgSpec &spec);
/// An XDP program of two instructions that returns verdict (XDP_PASS, XDP_DROP ...).
[[nodiscard]] Result<UniqueFd> load_xdp_constant(std::uint32_t verdict, std::string name = "bl_constant");

/// One run of a program on a packet. live_frames (BPF_F_TEST_XDP_LIVE_FRAMES) acts the verdict out: the packets really
/// are passed, sent or redirected; data_out and ctx_out are then empty.
struct TestRun {
    std::span<const std::byte> data = {};
    std::optional<xdp_md> ctx = {}; ///< data 0, data_end = data.size(); ingress_ifindex and rx_queue_index as wanted.
    std::optional<__sk_buff> skb = {}; ///< The same for programs on sk_buffs.
    std::uint32_t repeat = 1;
    std::uint32_t flags = 0;
    std::uint32_t batch_size = 0; ///< Live frames only; 0: the kernel's 64.
    bool live_frames = false;
    std::uint32_t room = 512; ///< Bytes by which the program may make the packet longer; ENOSPC beyond.
};

struct TestResult {
    std::uint32_t retval = 0;
    std::uint32_t duration_ns = 0; ///< Of one run, averaged over repeat.
    std::vector<std::byte> data_out = {};
    std::optional<xdp_md> ctx_out = {};
    std::optional<__sk_buff> skb_out = {};
};

[[nodiscard]] Result<TestResult> test_run(int prog_fd, const TestRun &run);

/// Run statistics (run_time_ns, run_count) of all programs are counted while the descriptor is open; costs some 30 ns
/// a run.
[[nodiscard]] Result<UniqueFd> enable_run_stats();

} // namespace beeline::kernel
