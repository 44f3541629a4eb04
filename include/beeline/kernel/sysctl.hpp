// SPDX-License-Identifier: Apache-2.0
//
// Settings below /proc/sys/net, which are those of the calling thread's network namespace.
#pragma once

#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::kernel {

/// name: "ipv4/ip_forward", "ipv4/conf/eth0.7/rp_filter": with slashes, for names of devices may have dots.
[[nodiscard]] Result<std::string> read_net_sysctl(std::string_view name);
/// Whoever has to put the old value back reads it first.
[[nodiscard]] Result<> write_net_sysctl(std::string_view name, std::string_view value);

} // namespace beeline::kernel
