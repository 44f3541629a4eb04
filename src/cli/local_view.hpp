// SPDX-License-Identifier: Apache-2.0
//
// The short cut between sockets as people read it.
#pragma once

#include <vector>

#include <beeline/local/local.hpp>

#include "cli/output.hpp"

namespace beeline::cli {

void print_local(Output &out, const local::Status &status);
/// One line for each connection.
void print_connections(Output &out, const std::vector<local::Connection> &connections);

} // namespace beeline::cli
