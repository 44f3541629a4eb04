// SPDX-License-Identifier: Apache-2.0
//
// IFLA_NETKIT_* of include/uapi/linux/if_link.h (Linux 6.18), which Debian 12's headers (6.1) do not have.
#pragma once

#include <cstdint>

namespace beeline::kernel::uapi {

inline constexpr std::uint16_t kNetkitPeerInfo = 1;   ///< ifinfomsg, then IFLA_* of the peer; for making only.
inline constexpr std::uint16_t kNetkitPrimaryEnd = 2; ///< u8, read only.
inline constexpr std::uint16_t kNetkitPolicy = 3;     ///< u32
inline constexpr std::uint16_t kNetkitPeerPolicy = 4; ///< u32
inline constexpr std::uint16_t kNetkitMode = 5;       ///< u32
inline constexpr std::uint16_t kNetkitScrub = 6;      ///< u32, Linux 6.13
inline constexpr std::uint16_t kNetkitPeerScrub = 7;  ///< u32
inline constexpr std::uint16_t kNetkitHeadroom = 8;   ///< u16, Linux 6.14
inline constexpr std::uint16_t kNetkitTailroom = 9;   ///< u16

} // namespace beeline::kernel::uapi
