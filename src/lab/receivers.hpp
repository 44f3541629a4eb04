// SPDX-License-Identifier: Apache-2.0
//
// Everything that drops the generator's frames at the far end of a cable: Beeline, its limit and its peers. Attached by
// its maker, gone with the object, and each counts what it dropped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/bare.hpp"

namespace beeline::lab {

class [[nodiscard]] Receiver {
public:
    Receiver() = default;
    Receiver(const Receiver &) = delete;
    Receiver &operator=(const Receiver &) = delete;
    virtual ~Receiver() = default;
    /// Frames that it has dropped since it was made, by its own count.
    [[nodiscard]] virtual Result<std::uint64_t> dropped() = 0;
};

using MadeReceiver = Result<std::unique_ptr<Receiver>>;

/// `return XDP_DROP`, native: the limit. The count is the driver's.
[[nodiscard]] MadeReceiver bare_drop(const Place &place);

/// No filter: the frames go up the stack and end at a port that nobody listens on. Counts those (UDP's NoPorts); a few
/// are lost before, the veth's ring is short.
[[nodiscard]] MadeReceiver nobody(const Place &place);

/// Beeline. Counts the hits of every rule that drops.
[[nodiscard]] MadeReceiver beeline_edge(const Place &place, const std::filesystem::path &pins,
                                        const std::vector<std::string> &rules, const std::string &mode = "native");

/// nftables, netdev family, at the ingress hook of the device; the last rule must have a counter.
[[nodiscard]] MadeReceiver nft_ingress(const Place &place, const std::vector<std::string> &rules);

/// `xdp-filter port -p udp -m dst PORT` of xdp-tools, native.
[[nodiscard]] MadeReceiver xdp_filter(const Place &place, std::uint16_t port);

/// The one rule and the ten rules of the comparisons, in both languages. Only the last specific one matches the
/// generator's frames (UDP to port 7999).
[[nodiscard]] std::vector<std::string> one_rule();
[[nodiscard]] std::vector<std::string> ten_rules();
[[nodiscard]] std::vector<std::string> ten_nft_rules();

} // namespace beeline::lab
