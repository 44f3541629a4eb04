// SPDX-License-Identifier: Apache-2.0
//
// What the daemon's two servers answer.
#pragma once

#include <httplib.h>

#include "daemon/service.hpp"

namespace beeline::daemon {

/// docs/control.md describes them. service must outlive server.
void add_control_routes(httplib::Server &server, Service &service);
void add_metrics_routes(httplib::Server &server, Service &service);

} // namespace beeline::daemon
