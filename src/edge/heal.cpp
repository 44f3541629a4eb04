// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <thread>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include "edge/slot.hpp"
#include "edge/transition.hpp"

namespace beeline::edge {
namespace {

/// Devices of this namespace that run a program and are not the generation's.
Result<std::vector<int>> strays(std::uint32_t prog_id, const State &state) {
    BL_TRY(auto netlink, kernel::RtNetlink::open());
    BL_TRY(const auto devices, netlink.devices());
    std::vector<int> found;
    for (const kernel::Device &device : devices) {
        const bool runs =
            device.xdp.native_id == prog_id || device.xdp.generic_id == prog_id || device.xdp.offload_id == prog_id;
        const bool known = std::any_of(state.devices.begin(), state.devices.end(), [&](const DeviceStatus &own) {
            return own.ifindex == static_cast<std::uint32_t>(device.ifindex);
        });
        if (runs && !known)
            found.push_back(device.ifindex);
    }
    return found;
}

void detach(int ifindex, std::uint32_t prog_id) {
    const auto ids = kernel::link_ids();
    if (!ids)
        return;
    for (const std::uint32_t id : *ids) {
        auto fd = kernel::link_by_id(id);
        const auto info = fd ? kernel::link_info(fd->get()) : std::unexpected(fd.error());
        if (info && info->prog_id == prog_id && info->ifindex == static_cast<std::uint32_t>(ifindex))
            if (auto link = kernel::Link::adopt(std::move(*fd)))
                (void)link->detach();
    }
}

/// Frees devices of the generation before from the root program: they would be judged by a policy that is not theirs.
/// The pins of their links went with the leftovers of the process that died. A link that nobody holds any more cannot
/// be got hold of, and keeps its hook until the kernel comes round to freeing it: that is waited for, a second at most.
Result<> free_strays(std::uint32_t root_id, const State &state) {
    for (int tries = 0; tries < 100; ++tries) {
        BL_TRY(const std::vector<int> found, strays(root_id, state));
        if (found.empty())
            break;
        for (const int ifindex : found)
            detach(ifindex, root_id);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
}

} // namespace

Result<> heal(kernel::PinDir &pins, const State &state) {
    const std::filesystem::path live = pins.live(kLive);
    if (state.confirm_until == 0) // whoever confirmed, rolled back or gave up a trial did not come so far
        BL_CHECK(pins.remove(kPrevious));
    BL_TRY(const Kept kept, Kept::from_pins(live));
    BL_TRY(const Program program, Program::from_pins(live));
    BL_TRY(const kernel::ProgInfo meant, kernel::prog_info(program.fd("edge_policy")));
    BL_TRY(const kernel::ProgInfo root, kernel::prog_info(kept.fd("edge_root")));
    BL_TRY(const std::uint32_t in_slot, slot_id(kept.fd("edge_progs")));
    if (in_slot != meant.id) {
        BL_CHECK(free_strays(root.id, state));
        BL_CHECK(put_in_slot(kept.fd("edge_progs"), program.fd("edge_policy")));
    }
    return settle(live, state, kept, program);
}

} // namespace beeline::edge
