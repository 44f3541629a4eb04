// SPDX-License-Identifier: Apache-2.0
//
// What the IP stack of a namespace has counted: /proc/net/snmp, snmp6 and netstat.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::lab {

/// Counters by name as nstat shows them: "UdpInCsumErrors", "Udp6InErrors", "TcpExtTCPTimeouts".
using StackCounters = std::map<std::string, std::int64_t, std::less<>>;

/// Of the calling thread's network namespace.
[[nodiscard]] Result<StackCounters> read_stack_counters();

/// The two formats: pairs of lines "Udp: InDatagrams …" / "Udp: 12 …", and lines "Udp6InDatagrams  12".
[[nodiscard]] StackCounters parse_snmp(std::string_view text);
[[nodiscard]] StackCounters parse_snmp6(std::string_view text);

/// after - before of every counter that has changed.
[[nodiscard]] StackCounters difference(const StackCounters &before, const StackCounters &after);

/// How often a checksum was found wrong, IPv4, IPv6, TCP, UDP and ICMP together.
[[nodiscard]] std::int64_t checksum_errors(const StackCounters &counters);

/// rx_packets of a device of the calling thread's namespace. veth counts every frame that it was handed there, also
/// those that XDP then dropped (drivers/net/veth.c, veth_stats_rx).
[[nodiscard]] Result<std::uint64_t> received_frames(std::string_view device);

} // namespace beeline::lab
