// SPDX-License-Identifier: Apache-2.0
//
// Telling systemd how the daemon is (sd_notify(3)); does nothing when systemd did not start it.
#pragma once

#include <string_view>

namespace beeline::daemon {

/// "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1". Nobody listening is no error.
void notify_systemd(std::string_view state);
/// READY=1 behind RELOADING=1 takes this line, in microseconds of CLOCK_MONOTONIC.
void notify_reloading();

} // namespace beeline::daemon
