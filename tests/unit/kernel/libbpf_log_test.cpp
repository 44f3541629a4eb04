// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/libbpf_log.hpp>

#include <array>
#include <cerrno>

#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <beeline/kernel/skeleton.hpp>

namespace beeline::kernel {
namespace {

constexpr std::string_view kRefused = "libbpf: prog 'bad': BPF program load failed: Permission denied\n"
                                      "libbpf: prog 'bad': -- BEGIN PROG LOAD LOG --\n"
                                      "0: R1=ctx(off=0,imm=0) R10=fp0\n"
                                      "; return *(int *)0;\n"
                                      "1: (61) r0 = *(u32 *)(r1 +0)\n"
                                      "R1 invalid mem access 'scalar'\n"
                                      "processed 2 insns (limit 1000000) max_states_per_insn 0\n"
                                      "-- END PROG LOAD LOG --\n"
                                      "libbpf: prog 'bad': failed to load: -13\n"
                                      "libbpf: failed to load object 'test_bpf'\n"
                                      "libbpf: failed to load BPF skeleton 'test_bpf': -13\n";

TEST(LibbpfLog, keeps_what_libbpf_says_and_prints_nothing) {
    testing::internal::CaptureStderr();
    std::string said;
    {
        const LibbpfLog log;
        EXPECT_EQ(bpf_object__open("/nonexistent.bpf.o"), nullptr);
        said = log.text();
    }
    EXPECT_EQ(bpf_object__open("/nonexistent.bpf.o"), nullptr); // nobody listens now
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_NE(said.find("nonexistent"), std::string::npos) << said;
}

TEST(LibbpfLog, gives_to_the_innermost) {
    const LibbpfLog outer;
    {
        const LibbpfLog inner;
        EXPECT_EQ(bpf_object__open("/nonexistent.bpf.o"), nullptr);
        EXPECT_FALSE(inner.text().empty());
    }
    EXPECT_TRUE(outer.text().empty());
    EXPECT_EQ(bpf_object__open("/nonexistent.bpf.o"), nullptr);
    EXPECT_FALSE(outer.text().empty());
}

TEST(LibbpfLog, finds_the_verifiers_last_word) {
    LibbpfLog log;
    log.append(kRefused);
    EXPECT_EQ(log.verifier_message(), "R1 invalid mem access 'scalar'");
    EXPECT_EQ(log.summary(), "R1 invalid mem access 'scalar'");
    EXPECT_EQ(log.tail(1), "libbpf: failed to load BPF skeleton 'test_bpf': -13\n");
}

TEST(LibbpfLog, sums_up_other_failures) {
    LibbpfLog log;
    log.append("libbpf: map 'huge': failed to create: Argument list too long(-7)\n"
               "libbpf: failed to load object 'test_bpf'\n"
               "libbpf: failed to load BPF skeleton 'test_bpf': -7\n");
    EXPECT_EQ(log.verifier_message(), "");
    EXPECT_EQ(log.summary(), "map 'huge': failed to create: Argument list too long(-7)");
}

TEST(SkeletonError, does_not_call_a_verifiers_refusal_a_matter_of_permissions) {
    LibbpfLog log;
    log.append(kRefused);
    const auto failure = skeleton_error("load", "test_bpf", EACCES, log);
    EXPECT_EQ(failure.error().kind, Kind::unsupported);
    EXPECT_EQ(failure.error().message(),
              "load test_bpf: this kernel's verifier refuses it: R1 invalid mem access 'scalar'");
    EXPECT_NE(failure.error().detail.find("1: (61) r0"), std::string::npos);
}

TEST(SkeletonError, keeps_the_errno_of_the_rest) {
    LibbpfLog log;
    log.append("libbpf: map 'x': failed to create: Operation not permitted(-1)\n");
    const auto failure = skeleton_error("load", "test_bpf", EPERM, log);
    EXPECT_EQ(failure.error().kind, Kind::permission);
    EXPECT_EQ(failure.error().code, EPERM);
}

} // namespace
} // namespace beeline::kernel
