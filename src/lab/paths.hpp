// SPDX-License-Identifier: Apache-2.0
//
// Ways between a client and a server on one host, for benches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <beeline/guest/policy.hpp>

#include "lab/lab.hpp"

namespace beeline::lab {

/// A client, a server and the way between them.
struct Path {
    const Node *client = nullptr;
    const Node *server = nullptr;
    std::string address = {};         ///< Of the server.
    std::shared_ptr<void> owner = {}; ///< Of what the lab does not own (links, maps): goes before the lab does.
};

[[nodiscard]] Result<Path> loopback(Lab &lab);
/// Two nodes whose default routes lead through a third, by veth or by netkit (L3, no programs).
[[nodiscard]] Result<Path> routed_veth(Lab &lab);
[[nodiscard]] Result<Path> routed_netkit(Lab &lab);
/// Two nodes at a bridge of a third, by veth.
[[nodiscard]] Result<Path> bridged_veth(Lab &lab);
/// Two guests of Beeline, both with these rules. mtu: nothing means that Beeline chooses.
[[nodiscard]] Result<Path> guest_path(Lab &lab, guest::Mode mode, const std::vector<std::string> &rules,
                                      std::optional<std::uint32_t> mtu = {});
/// Rules that no connection of a bench meets but the last two: TCP passes in, the rest does not.
[[nodiscard]] std::vector<std::string> hundred_rules();

} // namespace beeline::lab
