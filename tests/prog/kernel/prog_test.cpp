// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/prog.hpp>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include <beeline/kernel/skeleton.hpp>
#include <harness/assert.hpp>
#include <kernel_test.skel.h>

namespace beeline::kernel {
namespace {

constexpr std::array<std::byte, 60> kFrame{};

class Progs : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Progs, tell_what_they_are) {
    ASSERT_VALUE(const UniqueFd fd, load_xdp_constant(XDP_DROP, "bl_dropper"));
    ASSERT_VALUE(const ProgInfo info, prog_info(fd.get()));
    EXPECT_EQ(info.type, BPF_PROG_TYPE_XDP);
    EXPECT_EQ(info.name, "bl_dropper");
    EXPECT_EQ(info.tag.size(), 16U);
    EXPECT_TRUE(info.map_ids.empty());
    EXPECT_EQ(describe_prog(info.id), "program bl_dropper (id " + std::to_string(info.id) + ")");
    ASSERT_VALUE(const UniqueFd again, prog_by_id(info.id));
    ASSERT_VALUE(const ProgInfo same, prog_info(again.get()));
    EXPECT_EQ(same.tag, info.tag);
    ASSERT_VALUE(const UniqueFd other, load_xdp_constant(XDP_PASS, "bl_dropper"));
    ASSERT_VALUE(const ProgInfo differs, prog_info(other.get()));
    EXPECT_NE(differs.tag, info.tag) << "the tag is over the instructions";
}

TEST_F(Progs, list_their_maps) {
    ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
    ASSERT_VALUE(const auto loaded, std::move(opened).load());
    ASSERT_VALUE(const ProgInfo info, prog_info(bpf_program__fd(loaded->progs.report)));
    EXPECT_EQ(info.map_ids.size(), 3U); // events, counters, .rodata
}

TEST_F(Progs, that_are_gone_are_named_by_id) {
    ASSERT_FALSE(prog_by_id(0xfffffff0));
    EXPECT_EQ(describe_prog(0xfffffff0), "program id 4294967280");
}

TEST_F(Progs, run_on_a_packet) {
    ASSERT_VALUE(const UniqueFd fd, load_xdp_constant(XDP_TX));
    ASSERT_VALUE(const TestResult result, test_run(fd.get(), {.data = kFrame}));
    EXPECT_EQ(result.retval, XDP_TX);
    EXPECT_EQ(result.data_out.size(), kFrame.size());
    EXPECT_FALSE(result.ctx_out);
}

TEST_F(Progs, may_make_the_packet_longer) {
    ASSERT_VALUE(auto opened, Opened<kernel_test_bpf>::open());
    ASSERT_VALUE(const auto loaded, std::move(opened).load());
    const int fd = bpf_program__fd(loaded->progs.grow);
    ASSERT_VALUE(const TestResult result, test_run(fd, {.data = kFrame, .ctx = xdp_md{}}));
    EXPECT_EQ(result.retval, XDP_TX);
    ASSERT_EQ(result.data_out.size(), kFrame.size() + 4);
    EXPECT_EQ(result.data_out[0], std::byte{0xbe});
    EXPECT_EQ(result.data_out[3], std::byte{0xe0});
    ASSERT_TRUE(result.ctx_out);
    EXPECT_EQ(result.ctx_out->data_end - result.ctx_out->data, kFrame.size() + 4);
    EXPECT_EQ(test_run(fd, {.data = kFrame, .room = 0}).error().code, ENOSPC);
}

TEST_F(Progs, act_their_verdict_out_with_live_frames) {
    ASSERT_VALUE(const UniqueFd fd, load_xdp_constant(XDP_DROP));
    ASSERT_VALUE(const TestResult result,
                 test_run(fd.get(), {.data = kFrame, .repeat = 100, .batch_size = 10, .live_frames = true}));
    EXPECT_TRUE(result.data_out.empty());
    EXPECT_FALSE(result.ctx_out);
}

TEST_F(Progs, refuse_frames_that_are_too_short) {
    ASSERT_VALUE(const UniqueFd fd, load_xdp_constant(XDP_PASS));
    const auto result = test_run(fd.get(), {.data = std::span(kFrame).first(13)});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, EINVAL);
    EXPECT_EQ(result.error().remedy, "a frame has at least 14 bytes");
}

TEST_F(Progs, are_counted_while_statistics_are_on) {
    ASSERT_VALUE(const UniqueFd stats, enable_run_stats());
    ASSERT_VALUE(const UniqueFd fd, load_xdp_constant(XDP_PASS));
    ASSERT_OK(test_run(fd.get(), {.data = kFrame, .repeat = 5}));
    ASSERT_VALUE(const ProgInfo info, prog_info(fd.get()));
    EXPECT_EQ(info.run_count, 5U);
}

TEST_F(Progs, keep_the_verifiers_words_when_refused) {
    constexpr std::array kNoExit{
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    const auto fd = load_program({.type = BPF_PROG_TYPE_XDP, .insns = kNoExit, .name = "bl_noexit"});
    ASSERT_FALSE(fd);
    EXPECT_EQ(fd.error().code, EINVAL);
    EXPECT_EQ(fd.error().what, "load program bl_noexit");
    EXPECT_NE(fd.error().detail.find("last insn is not an exit"), std::string::npos) << fd.error().detail;
}

} // namespace
} // namespace beeline::kernel
