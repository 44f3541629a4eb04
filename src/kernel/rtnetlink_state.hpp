// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/rtnetlink.hpp>

#include "kernel/netlink.hpp"

namespace beeline::kernel {

struct RtNetlink::State {
    Netlink netlink;
    Ethtool ethtool; ///< Of the same namespace.
    UniqueFd netns;  ///< The namespace of both.
};

/// One RTM_NEWLINK message. driver stays empty: it is no netlink matter.
[[nodiscard]] Device parse_device(const nlmsghdr &message);

} // namespace beeline::kernel
