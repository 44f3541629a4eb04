// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/kernel/pin_dir.hpp>

namespace beeline::kernel {

/// True when fd is on a bpffs (statfs).
[[nodiscard]] bool on_bpffs(int fd);

} // namespace beeline::kernel
