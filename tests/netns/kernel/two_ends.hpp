// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <gtest/gtest.h>

#include <beeline/kernel/prog.hpp>
#include <harness/assert.hpp>
#include <harness/test_net.hpp>

namespace beeline::kernel {

/// Two namespaces, a and b, with a veth pair va - vb between them.
class TwoEnds : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(auto a, harness::TestNet::create("a"));
        ASSERT_VALUE(auto b, harness::TestNet::create("b"));
        a_.emplace(std::move(a));
        b_.emplace(std::move(b));
        ASSERT_OK(harness::connect(*a_, "va", *b_, "vb", options_));
        ASSERT_VALUE(va_, a_->ifindex("va"));
        ASSERT_VALUE(vb_, b_->ifindex("vb"));
    }
    /// A program whose name the errors must show.
    static Result<UniqueFd> classifier(const std::string &name) {
        constexpr std::array kNext{
            // return TCX_NEXT
            bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -1},
            bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
        return load_program({.type = BPF_PROG_TYPE_SCHED_CLS, .insns = kNext, .name = name});
    }
    static std::uint32_t id_of(const UniqueFd &prog) {
        const auto info = prog_info(prog.get());
        return info ? info->id : 0;
    }

    harness::VethOptions options_;
    std::optional<harness::TestNet> a_, b_;
    int va_ = 0, vb_ = 0;
};

} // namespace beeline::kernel
