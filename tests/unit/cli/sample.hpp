// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/edge/edge.hpp>

namespace beeline {

/// A status with something in every field.
inline edge::Status sample_status() {
    edge::Status status;
    status.generation = 4;
    status.file = "/etc/beeline/beeline.toml";
    status.since = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    status.rollback_in = std::chrono::seconds(53);
    status.devices = {
        {.name = "eth0", .ifindex = 2, .mode = edge::Mode::native, .why = "", .attached = true},
        {.name = "eth1", .ifindex = 3, .mode = edge::Mode::generic, .why = "the driver has no XDP", .attached = false}};
    status.rules = {{"src @blocklist -> drop", 7, 1'000'000, 64'000'000},
                    {"tcp dport 22 -> \"pass\" \\ \n", 8, 5, 300},
                    {"tcp dport 22 -> \"pass\" \\ \n", 9, 0, 0},
                    {"fallback -> pass", 0, 12, 999}};
    status.sets = {{"blocklist", edge::SetType::prefix, 12}, {"ports", edge::SetType::port, 3}};
    status.xsks = {{"capture", "/sys/fs/bpf/beeline/edge/edge_xsks", 64, 64}};
    status.odd = {{"short_ip", 3}, {"many_ext", 0}};
    status.hooks = {{"eth0", "xdp native", 17, "program edge_root (id 17)", true},
                    {"eth0", "tcx ingress", 18, "program other (id 18)", false}};
    return status;
}

} // namespace beeline
