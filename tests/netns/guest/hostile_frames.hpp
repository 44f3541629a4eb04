// SPDX-License-Identifier: Apache-2.0
//
// Frames by which a guest would get round its rules.
#pragma once

#include <string>
#include <vector>

#include <harness/packet.hpp>

namespace beeline::guest {

/// In every frame that must not arrive anywhere.
inline constexpr std::string_view kSmuggled = "smuggled goods, 24 bytes";

struct Smuggled {
    std::string how;
    harness::Bytes frame;
};

/// The guest's own MAC and that of the host's end of its device.
struct Macs {
    harness::MacBytes own{}, host{};
};

/// From 10.88.0.2 or fd88::2, whose rules forbid port 9 and the addresses 10.9.0.3 and fd09::3: to 10.9.0.2 and
/// fd09::2, and to the guest 10.88.0.3 and fd88::3.
[[nodiscard]] std::vector<Smuggled> smuggled_frames(const Macs &macs);

/// Those about flows that are allowed: its own, UDP from port 4001 to port 4000 of 10.9.0.2 or fd09::2, and another
/// guest's, from port 4001 of 10.88.0.3 to port 4000 of 10.9.0.3.
[[nodiscard]] std::vector<Smuggled> smuggled_errors(const Macs &macs);

/// ARP and neighbour discovery that claim others' addresses, or that are none: what is for neighbours is never routed.
[[nodiscard]] std::vector<Smuggled> smuggled_claims(const Macs &macs);

} // namespace beeline::guest
