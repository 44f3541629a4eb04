// SPDX-License-Identifier: Apache-2.0
//
// What has to be known of guests that are up by those who come later: one record for the host and one for each guest,
// kept in pinned maps, as JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <beeline/guest.h>
#include <beeline/guest/guest.hpp>
#include <beeline/result.hpp>

#include "live/rule_record.hpp"

namespace beeline::guest {

struct HostRecord {
    std::uint32_t abi = BL_ABI_VERSION;
    std::string file;
    std::int64_t since = 0;           ///< Seconds of the wall clock.
    std::uint64_t netns = 0;          ///< Inode of the network namespace that the host's ends are in.
    std::vector<std::string> uplinks; ///< As the settings say; none: those of the default routes.
    std::uint32_t flows = 0;
};

/// What is asked of a guest's device: a guest for which any of it is another is wired anew.
struct Asked {
    Place place;
    std::string device, host_device;
    Mode mode = Mode::automatic;
    std::optional<kernel::IpPrefix> address4, address6;
    std::optional<kernel::IpAddress> gateway4, gateway6;
    std::optional<std::uint32_t> mtu;
    std::optional<kernel::Mac> mac;
    std::optional<std::uint16_t> headroom, tailroom;
    bool scrub = false;
    bool operator==(const Asked &) const = default;
};
[[nodiscard]] Asked asked_of(const Policy &policy);

/// What became of it.
struct Wired {
    std::string netns;             ///< Path; empty for a tap.
    std::uint64_t netns_inode = 0; //
    Wiring wiring = Wiring::netkit_l3;
    std::string why;
    std::uint32_t ifindex = 0; ///< Of the host's end; 0: not made yet.
    std::uint32_t mtu = 0;
    std::optional<kernel::Mac> mac, host_mac;
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<std::string> ignored;
    bool carries_mark = false;
};

/// A guest's rules.
struct Ruled : live::RuleRecord {
    std::uint64_t digest = 0; ///< Of all rows.
    bool open = false;
    std::uint32_t out_counter = 0, in_counter = 0; ///< Of the last row of each direction.
    bool operator==(const Ruled &) const = default;
};

struct Record {
    std::uint32_t abi = BL_ABI_VERSION;
    std::string name;
    std::uint32_t slot = 0;
    bool runtime = false;
    Asked asked;
    Wired wired;
    Ruled ruled;
    bool masquerade = false;
    std::vector<Publish> publish;
};

inline constexpr const char *kHostPin = "guest_host";
inline constexpr const char *kRecordPin = "guest_record";

/// Puts a record into the directory, in place of the one there.
[[nodiscard]] Result<> write_record(const HostRecord &record, const std::filesystem::path &directory);
[[nodiscard]] Result<> write_record(const Record &record, const std::filesystem::path &directory);
/// Kind::state when it is damaged or of another ABI version.
[[nodiscard]] Result<HostRecord> read_host(const std::filesystem::path &directory);
[[nodiscard]] Result<Record> read_guest(const std::filesystem::path &directory);

} // namespace beeline::guest
