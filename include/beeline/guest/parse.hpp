// SPDX-License-Identifier: Apache-2.0
//
// The texts in a guest's section: rules (docs/rules.md), addresses, published ports, names.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <beeline/guest/policy.hpp>
#include <beeline/policy/parse.hpp>

namespace beeline::guest {

/// The words of a guest's rules: `in`, `out`, and what all packets of a flow have in common.
[[nodiscard]] const rules::Vocabulary &vocabulary();

/// The rules of a guest, at most BL_GUEST_MAX_RULES; a fallback that is not written is `fallback -> pass`. For the rest
/// see policy::parse_rules().
[[nodiscard]] policy::ParsedRules parse_rules(std::span<const rules::SourceString> sources,
                                              std::span<const policy::Set> sets, rules::Diagnostics &diagnostics);

/// "10.88.0.2/24", host bits kept; without a length all bits count. Fails for what no guest can have: unspecified,
/// loopback and multicast addresses, and the first and the last one of an IPv4 network.
[[nodiscard]] Result<kernel::IpPrefix> read_address(std::string_view text);
/// "10.88.0.1": the same without a length.
[[nodiscard]] Result<kernel::IpAddress> read_gateway(std::string_view text);

/// 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback(const kernel::IpAddress &address);

/// "8080:80", "192.0.2.1:53:53/udp", "[2001:db8::1]:443:443/tcp". Fails for loopback addresses, too: what the world
/// sends comes in by an uplink, and never to one of those.
[[nodiscard]] Result<Publish> read_publish(std::string_view text);
/// Reads back to an equal value.
[[nodiscard]] std::string to_text(const Publish &publish);
/// Do both lead packets of some destination somewhere?
[[nodiscard]] bool overlap(const Publish &a, const Publish &b);

/// What is wrong with the name of a guest: it becomes part of file and device names.
[[nodiscard]] Result<> check_name(std::string_view name);
/// What is wrong with the name or path behind `netns`, the id or name behind `container`, the device behind `tap`.
[[nodiscard]] Result<> check_place(const Place &place);
/// The host's end of a guest that does not say: "bl" and the name, cut to what a device's name may have.
[[nodiscard]] std::string host_device_of(std::string_view name);

} // namespace beeline::guest
