// SPDX-License-Identifier: Apache-2.0
//
// A policy as the tables that the XDP program reads: rules in, tables out. How the program finds the first rule that
// matches is between compile() and bpf/edge/classify.h; nobody else looks inside the entries.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <beeline/edge.h>
#include <beeline/edge/policy.hpp>
#include <beeline/policy/expand.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

using policy::identities;
using policy::mac_word;
using policy::SetTable;

struct Tables {
    bl_edge_config config{};
    std::vector<bl_entry> entries; ///< In order; the last one matches every packet.
    std::vector<bl_extra> extras;
    std::vector<bl_edge_rule> rules; ///< By rule number, as in Policy::rules.
    std::vector<SetTable> sets;
    std::vector<std::uint32_t> redirects;          ///< ifindex by index in edge_devs.
    std::vector<std::uint32_t> cpus;               ///< CPUs that some rule hands packets to.
    std::vector<std::string> texts;                ///< Rule texts by rule number.
    std::map<std::string, std::uint32_t> counters; ///< Counter slot by rule identity (its text, "#2" for a repeat).
    std::map<std::string, std::uint32_t> xsks;     ///< Slot of each xsk name, 0..BL_EDGE_XSK_NAMES - 1.
};

/// What compile() has to know of the host and of the generation before.
struct Binding {
    /// ifindex of a device name; an error names the device and the remedy.
    std::function<Result<std::uint32_t>(const std::string &)> ifindex;
    std::map<std::string, std::uint32_t> counters; ///< Slots in use: a rule that stays keeps its slot.
    std::map<std::string, std::uint32_t> xsks;     ///< The same for xsk names.
    std::uint32_t generation = 1;
};

/// Fails when the policy does not fit the limits in abi/beeline/edge.h; the error names the rule and the limit.
[[nodiscard]] Result<Tables> compile(const Policy &policy, const Binding &binding);

} // namespace beeline::edge
