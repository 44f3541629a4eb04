// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace beeline::kernel {

/// For messages: the name in the calling thread's network namespace, or "ifindex 7".
[[nodiscard]] std::string device_name(int ifindex);

} // namespace beeline::kernel
