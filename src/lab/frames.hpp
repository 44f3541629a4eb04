// SPDX-License-Identifier: Apache-2.0
//
// The frames that the generator sends: UDP with right checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <beeline/kernel/address.hpp>
#include <beeline/result.hpp>

namespace beeline::lab {

/// Offsets from the Ethernet header on, of an untagged frame without options.
inline constexpr std::size_t kSourcePort4 = 34, kSourcePort6 = 54;
inline constexpr std::size_t kUdpSum4 = 40, kUdpSum6 = 60;
inline constexpr std::size_t kSource4Low = 28, kSource6Low = 36; ///< The last two bytes of the source address.
inline constexpr std::size_t kIpSum4 = 24;

struct UdpFrame {
    kernel::Mac to{};
    kernel::Mac from{2, 0, 0, 0, 0, 1};
    std::string source = "10.9.0.1";
    std::string destination = "10.9.0.2";
    std::uint16_t source_port = 1234;
    std::uint16_t destination_port = 7999;
    std::size_t bytes = 64;   ///< Of the whole frame; less than the headers need is raised to them.
    bool udp_checksum = true; ///< False (IPv4 only): 0, none.
};

[[nodiscard]] Result<std::vector<std::byte>> build(const UdpFrame &wanted);

} // namespace beeline::lab
