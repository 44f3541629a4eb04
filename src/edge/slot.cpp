// SPDX-License-Identifier: Apache-2.0
#include "edge/slot.hpp"

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/typed_map.hpp>

#include "edge/devices.hpp"

namespace beeline::edge {
namespace {

using Slot = kernel::Map<std::uint32_t, std::uint32_t>; ///< Reads program ids, takes program descriptors.

/// Has the links of the generation run this program. Those that are gone, or whose device is, are left out: status
/// shows them as not attached.
Result<> aim(const std::filesystem::path &live, const State &state, int prog_fd) {
    BL_TRY(const kernel::ProgInfo meant, kernel::prog_info(prog_fd));
    for (const DeviceStatus &device : state.devices) {
        auto link = kernel::Link::from_pin(live / link_pin(device.ifindex));
        const auto info = link ? link->info() : std::unexpected(link.error());
        if (info && info->ifindex != 0 && info->prog_id != meant.id)
            BL_CHECK(link->update(prog_fd));
    }
    return {};
}

} // namespace

Result<> put_in_slot(int progs_fd, int prog_fd) {
    BL_TRY(auto slot, Slot::share(progs_fd));
    return slot.update(0, static_cast<std::uint32_t>(prog_fd));
}

Result<std::uint32_t> slot_id(int progs_fd) {
    BL_TRY(const auto slot, Slot::share(progs_fd));
    BL_TRY(const auto id, slot.lookup(0));
    return id.value_or(0);
}

Result<> use_slot(const std::filesystem::path &live, const State &state, const Kept &kept) {
    return aim(live, state, kept.fd("edge_root"));
}

Result<> settle(const std::filesystem::path &live, const State &state, const Kept &kept, const Program &program) {
    return aim(live, state, state.devices.size() == 1 ? program.fd("edge_policy") : kept.fd("edge_root"));
}

} // namespace beeline::edge
