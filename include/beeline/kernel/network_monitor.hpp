// SPDX-License-Identifier: Apache-2.0
//
// Changes of devices, addresses and routes, told by the kernel as they happen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <beeline/kernel/address.hpp>
#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

struct NetworkEvent {
    enum class What : std::uint8_t {
        link_changed, ///< Made, renamed, up, down, carrier, MTU...: look at the device.
        link_gone,    ///< Removed, or moved to another namespace.
        address_added,
        address_removed,
        route_added,
        route_removed,
        missed, ///< The kernel had more to tell than there was room for: look at everything again.
    };
    What what = What::missed;
    int ifindex = 0;       ///< Of a route: where it leads; 0 when that is several devices or none.
    std::string name = {}; ///< Of a link.
    bool up = false;       ///< Of a link: administratively.
    IpPrefix prefix = {};  ///< The address, or where the route leads to.
    bool operator==(const NetworkEvent &) const = default;
};

/// A socket that hears of all changes in the network namespace the calling thread was in at open(). One thread at a
/// time.
class [[nodiscard]] NetworkMonitor {
public:
    [[nodiscard]] static Result<NetworkMonitor> open();
    /// Readable when drain() has something to return; does not block.
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    /// What has happened since the last call, in order; empty: nothing. After a thousand messages it stops, and fd()
    /// stays readable. Routes that only follow from an address (local, broadcast, multicast) are left out.
    [[nodiscard]] Result<std::vector<NetworkEvent>> drain();

private:
    explicit NetworkMonitor(UniqueFd socket) : socket_(std::move(socket)), buffer_(32768) {}
    UniqueFd socket_;
    std::vector<char> buffer_; ///< The kernel's largest message.
};

} // namespace beeline::kernel
