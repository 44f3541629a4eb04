// SPDX-License-Identifier: Apache-2.0
//
// What an asker is made of, for those who make one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <beeline/guest/asker.hpp>
#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/prog.hpp>

#include "guest/objects.hpp"
#include "guest/record.hpp"

namespace beeline::guest {

struct Asker::State {
    Objects objects;
    std::optional<kernel::NetNs> netns; ///< Where the devices are; nothing: here.
    std::vector<KnownGuest> guests;     ///< By slot.
    std::vector<KnownUplink> uplinks;

    /// Runs a program as if the packet were at this device, with its cb.
    [[nodiscard]] Result<kernel::TestResult> run(int program, std::uint32_t ifindex, std::uint32_t slot,
                                                 std::uint32_t cb1, std::span<const std::byte> packet) const;
};

/// file: of the rules.
[[nodiscard]] KnownGuest known_guest(const Record &record, const std::string &file);

/// Devices that stand for those of policies, in a network namespace of their own.
struct StandIns {
    kernel::NetNs netns;
    std::vector<std::uint32_t> guests; ///< ifindex by policy.
    struct Uplink {
        std::string name;
        std::uint32_t ifindex = 0;
        bl_uplink facts{};
    };
    std::vector<Uplink> uplinks;
    std::uint32_t guest_mtu = 0; ///< Of a guest that asks for none.

    [[nodiscard]] static Result<StandIns> make(const HostSettings &settings, const std::vector<Policy> &policies);
};

} // namespace beeline::guest
