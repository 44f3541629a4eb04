// SPDX-License-Identifier: Apache-2.0
//
// One packet of every kind that the edge tells apart, and rules that tell them apart.
#pragma once

#include <string>
#include <vector>

#include <harness/packet.hpp>

namespace beeline::cli_test {

struct Kind {
    std::string name;
    harness::Bytes frame;
};

[[nodiscard]] std::vector<Kind> packet_zoo();
[[nodiscard]] std::vector<std::string> zoo_rules();

/// The packets that scapy makes and writes to this pcap file (scapy_kinds.py); none where there is no scapy.
[[nodiscard]] std::vector<Kind> scapy_zoo(const std::string &pcap);

} // namespace beeline::cli_test
