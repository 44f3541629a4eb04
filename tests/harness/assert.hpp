// SPDX-License-Identifier: Apache-2.0
//
// Results in GoogleTest assertions.
#pragma once

#include <gtest/gtest.h>

#include <beeline/result.hpp>

namespace beeline::harness {

/// Fails with the reason unless this process is root, or may at least load programs and make namespaces.
[[nodiscard]] Result<> need_root();

} // namespace beeline::harness

/// In a TEST: skips with the reason unless the process may do all this.
#define BL_NEED_ROOT()                                                                                                 \
    if (auto bl_need_ = ::beeline::harness::need_root(); !bl_need_)                                                    \
    GTEST_SKIP() << bl_need_.error().message()

/// ASSERT that a Result holds a value, printing the error otherwise.
#define ASSERT_OK(expression)                                                                                          \
    if (auto bl_ok_ = (expression); !bl_ok_)                                                                           \
    FAIL() << #expression << ": " << bl_ok_.error().message()
/// ASSERT_VALUE(auto x, expression): x is the value, or the test ends with the error.
#define ASSERT_VALUE(declaration, expression)                                                                          \
    auto BL_CONCAT(bl_value_, __LINE__) = (expression);                                                                \
    if (!BL_CONCAT(bl_value_, __LINE__))                                                                               \
        FAIL() << #expression << ": " << BL_CONCAT(bl_value_, __LINE__).error().message();                             \
    declaration = *std::move(BL_CONCAT(bl_value_, __LINE__))
