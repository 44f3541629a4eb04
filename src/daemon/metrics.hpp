// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "daemon/service.hpp"

namespace beeline::daemon {

/// The metrics in Prometheus's text format; docs/operations.md lists them.
[[nodiscard]] std::string metrics_text(const Service::Snapshot &snapshot);

} // namespace beeline::daemon
