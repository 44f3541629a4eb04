// SPDX-License-Identifier: Apache-2.0
//
// replay for a guest: a capture put through its programs, beside the live ones or before anything is attached.
#pragma once

#include <string>

#include "cli/explain_guest.hpp"

namespace beeline::cli {

struct GuestReplayOptions {
    std::string capture, file; ///< file: empty for the live guests.
    GuestPlace place;          ///< Neither out nor into: each packet by its source address.
    bool packets = false, json = false;
};

[[nodiscard]] Result<int> replay_guest(Context &context, const GuestReplayOptions &options);

} // namespace beeline::cli
