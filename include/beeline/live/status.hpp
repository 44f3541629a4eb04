// SPDX-License-Identifier: Apache-2.0
//
// What every part that is up on a host has to show.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <beeline/policy/rule.hpp>

namespace beeline::live {

struct RuleStatus {
    std::string text;
    std::uint32_t line = 0; ///< In the config file; 0: not from a file.
    std::uint64_t packets = 0, bytes = 0;
};

struct SetStatus {
    std::string name;
    policy::SetType type = policy::SetType::prefix;
    std::uint64_t entries = 0;
};

struct SetEntry {
    std::string text;                               ///< "10.0.0.0/8", "443", "02:00:00:00:00:01".
    bool runtime = false;                           ///< Added by `set add`; a reload keeps it.
    std::optional<std::chrono::seconds> expires_in; ///< Rounded up; nothing: never.
};

/// A program at a hook of a device, ours or not.
struct HookProgram {
    std::string device;
    std::string hook; ///< "xdp native", "xdp generic", "xdp offload", "netkit peer", "netkit primary", "tcx ingress"...
    std::uint32_t prog_id = 0;
    std::string program; ///< "program edge_root (id 17)".
    bool ours = false;
};

} // namespace beeline::live
