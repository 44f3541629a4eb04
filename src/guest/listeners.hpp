// SPDX-License-Identifier: Apache-2.0
//
// Ports that the host itself listens on.
#pragma once

#include <vector>

#include <beeline/guest/policy.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

/// Fails with Kind::conflict when a socket of the calling thread's network namespace listens where one of these ports
/// would be published: its service, SSH for instance, could be reached from the world no more. A listener on a loopback
/// address is none, for the world never reached it.
[[nodiscard]] Result<> check_not_listening(const std::vector<Publish> &ports);

} // namespace beeline::guest
