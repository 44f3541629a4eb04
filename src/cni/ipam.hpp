// SPDX-License-Identifier: Apache-2.0
//
// The plugin that gives out addresses: called with our environment and the whole configuration (CNI specification,
// section 4, "Plugin Delegation").
#pragma once

#include "cni/request.hpp"

namespace beeline::cni {

/// What it answered, parsed; an empty object when the configuration names none, or when it printed nothing. Its own
/// errors come back as they are. input: the configuration.
[[nodiscard]] Answer<Json> call_ipam(const Request &request, const Environment &environment, const Json &input);

} // namespace beeline::cni
