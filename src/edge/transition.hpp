// SPDX-License-Identifier: Apache-2.0
//
// Making a generation the live one, all or nothing.
//
// The order is what makes it safe against dying at any point: (1) links on new devices, running edge_hold, which
// passes; (2) the pins of the new generation take the place of the old ones in one rename: from here on the pins say
// what is meant to be; (3) edge_hold on devices that leave; (4) the slot: from here on packets are judged by the new
// policy; (5) new devices get edge_root, old ones are let go. Before (1) a device that is alone is put back to
// edge_root, and after (5) it gets the policy itself (slot.hpp). Whoever takes the lock next calls heal(), which
// finishes this from the pins.
#pragma once

#include <optional>

#include <beeline/kernel/pin_dir.hpp>

#include "edge/devices.hpp"
#include "edge/state.hpp"

namespace beeline::edge {

/// Names below the pin root.
inline constexpr const char *kLive = "edge";
inline constexpr const char *kPrevious = "edge_prev";
/// Empty; locked by the process that reads the log (tools/events.cpp).
inline constexpr const char *kReader = "events";

/// A device that a generation wants.
struct Wish {
    std::string name;
    Mode mode = Mode::automatic;
};

/// The generation that goes live and how it takes devices.
struct Next {
    const Kept &kept;
    const Program &program;
    State state; ///< devices are filled in by go_live().
    std::vector<Wish> devices;
    bool replace = false;
    bool keep_previous = false;     ///< For a rollback.
    bool forgiving = false;         ///< A device that cannot be taken is left out and shown as not attached.
    const Policy *policy = nullptr; ///< For what can be foreseen; none: nothing is.
};

struct WentLive {
    std::vector<DeviceStatus> devices;
    std::vector<std::string> warnings;
};

/// before: the state that is live, if any. On an error everything is as it was.
[[nodiscard]] Result<WentLive> go_live(kernel::PinDir &pins, const std::optional<State> &before, Next next);

/// Finishes what a process that died between the rename and the end left undone.
[[nodiscard]] Result<> heal(kernel::PinDir &pins, const State &state);

} // namespace beeline::edge
