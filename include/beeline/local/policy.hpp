// SPDX-License-Identifier: Apache-2.0
//
// What the config says about the short cut between sockets of one host, as plain values. Nothing here knows about BPF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <beeline/policy/rule.hpp>

namespace beeline::local {

/// [local], checked. rules never is empty: the last one is the fallback, which matches every connection.
struct Policy {
    std::vector<policy::Set> sets; ///< Those that its rules name, and those made of long literal lists ("$1").
    std::vector<policy::Rule> rules;
    /// Sockets made in this cgroup and those below it can take the short cut; path below the cgroup2 mount.
    std::string cgroup = "/";
    /// Bytes unread at a receiver above which it is sent to by TCP, so that TCP's window stops the sender; never more
    /// than TCP alone would take.
    std::uint64_t limit = std::uint64_t{4} << 20;
    /// TCP_NOTSENT_LOWAT, in bytes, of senders of large writes: they then block early when they must go by TCP, and the
    /// connection is back on the short cut sooner. 0: never set.
    std::uint32_t lowat = 65536;
    /// Program files that are known to read sockets by receive calls only, whatever their symbols say (docs/local.md).
    std::vector<std::string> trusted;
    /// Connections that are watched or on the short cut at a time; more stay on TCP.
    std::uint32_t connections = 65536;
};

inline constexpr std::uint64_t kMinLimit = std::uint64_t{64} << 10, kMaxLimit = std::uint64_t{64} << 20;
inline constexpr std::uint32_t kMinLowat = 4096, kMaxLowat = 1U << 24;
inline constexpr std::uint32_t kMinConnections = 1024, kMaxConnections = 1048576;

} // namespace beeline::local
