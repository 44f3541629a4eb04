// SPDX-License-Identifier: Apache-2.0
//
// Results and errors as the runtime reads them, in the version that it asked for.
#pragma once

#include <beeline/guest/guest.hpp>

#include "cni/request.hpp"

namespace beeline::cni {

/// Puts the addresses of an IPAM result into the policy. At most one of each family.
[[nodiscard]] Answer<> take_addresses(const Json &result, guest::Policy &policy);

/// The result of ADD: both ends of the pair, addresses, routes and DNS as IPAM gave them.
[[nodiscard]] Json add_result(const Request &request, const guest::GuestStatus &guest, const Json &ipam);

/// Compares prevResult of CHECK with what is there; the failure says what differs.
[[nodiscard]] Answer<> compare(const Request &request, const guest::GuestStatus &guest);

[[nodiscard]] Json error_result(const std::string &version, const Failure &failure);
[[nodiscard]] Json version_result(const std::string &version);

} // namespace beeline::cni
