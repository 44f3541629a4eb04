// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/kernel/features.hpp>

namespace beeline::kernel {

/// Tries the thing for real, once, and leaves nothing behind. The error says what the kernel answered.
[[nodiscard]] Result<> try_feature(FeatureId id);

} // namespace beeline::kernel
