// SPDX-License-Identifier: Apache-2.0
//
// What is measured. A new row is one entry of the table in cases.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <beeline/guest/policy.hpp>

#include "lab/figures.hpp"
#include "lab/lab.hpp"

namespace beeline::cost {

/// A client, a server and the way between them.
struct Path {
    const lab::Node *client = nullptr;
    const lab::Node *server = nullptr;
    std::string address = {};         ///< Of the server.
    std::shared_ptr<void> owner = {}; ///< Of what the lab does not own (links, maps): goes before the lab does.
};

[[nodiscard]] Result<Path> loopback(lab::Lab &lab);
/// Two nodes whose default routes lead through a third, by veth or by netkit (L3, no programs).
[[nodiscard]] Result<Path> routed_veth(lab::Lab &lab);
[[nodiscard]] Result<Path> routed_netkit(lab::Lab &lab);
/// Two guests of Beeline, both with these rules. mtu: nothing means that Beeline chooses.
[[nodiscard]] Result<Path> guests(lab::Lab &lab, guest::Mode mode, const std::vector<std::string> &rules,
                                  std::optional<std::uint32_t> mtu = {});
/// Rules that no connection of the bench meets but the last two: TCP passes in, the rest does not.
[[nodiscard]] std::vector<std::string> hundred_rules();

/// The rows whose "CASE SUBJECT" contains any of the words; all without words. A word that is in none is an error that
/// names the rows there are.
[[nodiscard]] Result<std::vector<lab::Row>> measure(const std::vector<std::string> &words);

} // namespace beeline::cost
