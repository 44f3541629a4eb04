// SPDX-License-Identifier: Apache-2.0
//
// The capabilities of this process.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::kernel {

enum class Capability : std::uint8_t {
    dac_read_search = 2,
    net_admin = 12,
    net_raw = 13,
    sys_ptrace = 19,
    sys_admin = 21,
    perfmon = 38,
    bpf = 39
};
[[nodiscard]] std::string_view name(Capability capability); ///< "CAP_NET_ADMIN"

/// Effective in the calling thread.
[[nodiscard]] bool has(Capability capability);

/// What loading and attaching needs: CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON (CAP_SYS_ADMIN stands for all but NET_ADMIN).
/// Kind::permission: "needs CAP_BPF and CAP_NET_ADMIN; run as root (sudo)".
[[nodiscard]] Result<> require_root_or_caps();
[[nodiscard]] Result<> require_capabilities(std::span<const Capability> capabilities);

/// Gives every capability but these up, for good, in the calling thread and the threads it makes from then on: call it
/// before there are others (effective, permitted, inheritable, ambient, bounding where allowed).
[[nodiscard]] Result<> drop_capabilities_except(std::span<const Capability> keep);

} // namespace beeline::kernel
