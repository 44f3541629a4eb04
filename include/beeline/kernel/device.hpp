// SPDX-License-Identifier: Apache-2.0
//
// What ethtool shows and sets: driver, offloads, channels, statistics; and what is known about a device's XDP.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

/// The offloads Beeline looks at, by the kernel's names for them. `ethtool -K` words: tx, tso, gro, lro, rxvlan,
/// txvlan.
enum class Offload : std::uint8_t { tx_checksum, tso, gro, lro, rx_vlan, tx_vlan };
[[nodiscard]] std::string_view ethtool_word(Offload offload);

struct OffloadState {
    bool on = false;    ///< Any of the features behind the word is on.
    bool fixed = false; ///< Cannot be switched.
};

struct Channels {
    std::uint32_t rx = 0, tx = 0, combined = 0;
    std::uint32_t max_rx = 0, max_tx = 0, max_combined = 0;
};

/// A socket for ethtool ioctls; belongs to the network namespace the calling thread was in at open().
class [[nodiscard]] Ethtool {
public:
    [[nodiscard]] static Result<Ethtool> open();

    [[nodiscard]] Result<std::string> driver(const std::string &device) const;
    [[nodiscard]] Result<OffloadState> offload(const std::string &device, Offload offload) const;
    /// Reads back: an error when the device kept its mind. Nothing to change is no error.
    [[nodiscard]] Result<> set_offload(const std::string &device, Offload offload, bool on) const;
    /// All features by the kernel's names ("tx-checksum-ip-generic").
    [[nodiscard]] Result<std::map<std::string, OffloadState>> features(const std::string &device) const;
    [[nodiscard]] Result<Channels> channels(const std::string &device) const;
    [[nodiscard]] Result<> set_channels(const std::string &device, const Channels &channels) const;
    [[nodiscard]] Result<std::map<std::string, std::uint64_t>> statistics(const std::string &device) const;

private:
    explicit Ethtool(UniqueFd socket) : socket_(std::move(socket)) {}
    UniqueFd socket_;
};

/// NETDEV_XDP_ACT_* (Linux 6.3, generic netlink "netdev"): what the driver offers.
struct XdpFeatures {
    std::uint64_t bits = 0;
    [[nodiscard]] bool basic() const { return (bits & 1) != 0; }       ///< Native pass, drop, abort, tx.
    [[nodiscard]] bool redirect() const { return (bits & 2) != 0; }    ///< May redirect packets away.
    [[nodiscard]] bool xmit() const { return (bits & 4) != 0; }        ///< Takes redirected packets now.
    [[nodiscard]] bool zero_copy() const { return (bits & 8) != 0; }   ///< AF_XDP zero copy.
    [[nodiscard]] bool offload() const { return (bits & 16) != 0; }    ///< In the NIC.
    [[nodiscard]] bool frags() const { return (bits & 32) != 0; }      ///< Receives multi-buffer frames.
    [[nodiscard]] bool xmit_frags() const { return (bits & 64) != 0; } ///< Takes redirected multi-buffer frames.
};
/// Nothing where the kernel is older than 6.3. A veth has xmit() only while its peer has an XDP program or GRO on, so
/// this also answers whether XDP_TX on the peer, or a redirect into this device, is going to be delivered.
[[nodiscard]] Result<std::optional<XdpFeatures>> xdp_features(int ifindex);

/// Largest MTU at which veth takes a native program without frags support: page - 256 headroom - skb_shared_info (320)
/// - Ethernet header (drivers/net/veth.c veth_xdp_set: PAGE_SIZE 4096).
inline constexpr std::uint32_t kVethXdpMaxMtu = 3506;

/// Likely reasons why native XDP is refused on this device, most likely first, each with its remedy; empty: none found.
struct XdpObstacle {
    std::string_view about =
        {}; ///< The word the kernel's refusal has, too: "mtu", "queues", "lro", "gro_hw", "native".
    std::string why = {};
    std::string remedy = {};
};
[[nodiscard]] Result<std::vector<XdpObstacle>> native_xdp_obstacles(const Device &device, bool frags);

} // namespace beeline::kernel
