// SPDX-License-Identifier: Apache-2.0
//
// Tests of what not every kernel has.
#pragma once

#include <gtest/gtest.h>

#include <beeline/kernel/features.hpp>

namespace beeline::harness {

/// Whether this kernel is known to have it, so that its absence is a failure and no reason to skip: the environment
/// variable BEELINE_MUST_HAVE names titles of features ("netkit devices;tcx links"), as `./run test` does in the VM.
[[nodiscard]] bool must_have(kernel::FeatureId id);

} // namespace beeline::harness

/// In a TEST or SetUp(): skips with the reason where the kernel lacks the feature, fails where it must have it.
#define BL_NEED_FEATURE(id)                                                                                            \
    if (const auto bl_feature_ = ::beeline::kernel::require(id); !bl_feature_) {                                       \
        if (::beeline::harness::must_have(id))                                                                         \
            FAIL() << bl_feature_.error().message();                                                                   \
        GTEST_SKIP() << bl_feature_.error().message();                                                                 \
    }                                                                                                                  \
    static_assert(true)
