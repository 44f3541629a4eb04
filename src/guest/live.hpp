// SPDX-License-Identifier: Apache-2.0
//
// Guests that are up, as their pins tell: <pins>/guest has the shared maps, programs and uplinks' links, and a
// directory for each guest, named by its slot, with its record and links. A guest whose entry in guest_list is not up
// is half made or half removed, by somebody who died: whoever takes the lock next removes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <beeline/kernel/pin_dir.hpp>
#include <beeline/result.hpp>

#include "guest/objects.hpp"
#include "guest/record.hpp"
#include "guest/rule_maps.hpp"

namespace beeline::guest {

/// Name of the live directory.
inline constexpr const char *kLive = "guest";
/// How long a command waits for another one to finish: one may be making hundreds of guests.
inline constexpr std::chrono::seconds kLockWait{60};

struct Live {
    std::filesystem::path directory;
    HostRecord host;
    Objects objects;
    std::map<std::uint32_t, Record> guests; ///< By slot.
    Numbers numbers;

    [[nodiscard]] std::filesystem::path directory_of(std::uint32_t slot) const {
        return directory / std::to_string(slot);
    }
    [[nodiscard]] const Record *find(const std::string &name) const;
    [[nodiscard]] std::vector<std::uint32_t> own_devices() const;
};

[[nodiscard]] std::unexpected<Error> none_up(const std::filesystem::path &pins);
/// Without a lock and without mending anything, for those who only look: half made guests are left out.
[[nodiscard]] Result<Live> look(const std::filesystem::path &pins);
/// After finishing what somebody who died left half done.
[[nodiscard]] Result<Live> mended(const kernel::PinDir &pins);
/// Directories of guests below <pins>/guest, half made ones too: slot numbers.
[[nodiscard]] std::vector<std::uint32_t> slots_in(const std::filesystem::path &directory);

/// Removes guests' devices and all that leads to them; their rules keep their sets and counters. Hundreds at once take
/// hardly longer than one: it is the kernel's waiting for its readers that takes long.
[[nodiscard]] Result<> remove_guests(const Live &live, const std::vector<Record> &records);
/// The same for some of live's guests.
[[nodiscard]] Result<> unwire(Live &live, const std::vector<Record> &records);
/// Removes everything of guests: from now on nothing of them passes. What is gone already is no error.
[[nodiscard]] Result<> unmake(Live &live, const std::vector<Record> &records);

} // namespace beeline::guest
