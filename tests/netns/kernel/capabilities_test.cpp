// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/capabilities.hpp>

#include <array>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/prog.hpp>
#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

/// Runs f in a child process, for what cannot be undone; true when it returned true.
template <class F>
bool in_child(F &&f) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(f() ? 0 : 1);
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Capabilities : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }
};

TEST_F(Capabilities, of_root_are_enough) {
    EXPECT_TRUE(require_root_or_caps());
    EXPECT_TRUE(has(Capability::net_admin));
}

TEST_F(Capabilities, that_are_missing_are_named) {
    EXPECT_TRUE(in_child([] {
        constexpr std::array kKeep{Capability::bpf, Capability::net_raw};
        if (!drop_capabilities_except(kKeep))
            return false;
        const auto lacking = require_root_or_caps();
        return !lacking && lacking.error().kind == Kind::permission &&
               lacking.error().message() == "needs CAP_PERFMON, CAP_NET_ADMIN; run as root (sudo)" &&
               has(Capability::bpf) && !has(Capability::sys_admin);
    }));
}

TEST_F(Capabilities, that_are_kept_suffice_for_loading) {
    EXPECT_TRUE(in_child([] {
        constexpr std::array kKeep{Capability::bpf, Capability::perfmon, Capability::net_admin};
        return drop_capabilities_except(kKeep) && require_root_or_caps() && load_xdp_constant(XDP_PASS) &&
               !probe(FeatureId::netns_create).available;
    }));
}

TEST_F(Capabilities, that_are_given_up_do_not_come_back) {
    EXPECT_TRUE(in_child([] {
        if (!drop_capabilities_except({}))
            return false;
        constexpr std::array kAll{Capability::bpf, Capability::sys_admin};
        return !drop_capabilities_except(kAll) || !has(Capability::bpf);
    }));
}

/// Without rights a probe says nothing about the kernel, and require() must not claim that it did.
TEST_F(Capabilities, are_asked_for_before_a_feature_is_called_missing) {
    EXPECT_TRUE(in_child([] {
        if (!drop_capabilities_except({}))
            return false;
        const auto tcx = require(FeatureId::tcx);
        return !tcx && tcx.error().kind == Kind::permission;
    }));
}

} // namespace
} // namespace beeline::kernel
