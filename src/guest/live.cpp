// SPDX-License-Identifier: Apache-2.0
#include "guest/live.hpp"

#include <algorithm>
#include <charconv>

#include <beeline/kernel/netns.hpp>

#include "guest/change.hpp"
#include "guest/entries.hpp"
#include "guest/wiring.hpp"

namespace beeline::guest {
namespace {

Result<> check_netns(const HostRecord &host, const std::filesystem::path &pins) {
    BL_TRY(const kernel::NetNs here, kernel::NetNs::current());
    BL_TRY(const std::uint64_t inode, here.inode());
    if (host.netns != inode)
        return fail(Kind::conflict, 0,
                    "the guests pinned in " + pins.string() + " are those of network namespace " +
                        std::to_string(host.netns) + ", this is " + std::to_string(inode),
                    "run beeline there, or use another directory (--pins)");
    return {};
}

/// Half guests. Of one whose record never came, or went already, only the device is known, by its links.
Result<> sweep_away(Live &live, const std::vector<std::uint32_t> &slots) {
    std::vector<Record> records;
    for (const std::uint32_t slot : slots) {
        if (auto record = read_guest(live.directory_of(slot))) {
            live.numbers.add(record->ruled);
            records.push_back(*std::move(record));
            continue;
        }
        BL_CHECK(unlist(live.objects, slot));
        BL_CHECK(clear_slots(live.objects, {slot}));
        BL_CHECK(kernel::remove_tree(live.directory_of(slot)));
    }
    return unmake(live, records);
}

} // namespace

const Record *Live::find(const std::string &name) const {
    const auto found = std::ranges::find_if(guests, [&name](const auto &guest) { return guest.second.name == name; });
    return found == guests.end() ? nullptr : &found->second;
}

std::vector<std::uint32_t> Live::own_devices() const {
    std::vector<std::uint32_t> devices;
    for (const auto &[slot, guest] : guests)
        devices.push_back(guest.wired.ifindex);
    return devices;
}

std::unexpected<Error> none_up(const std::filesystem::path &pins) {
    return fail(Kind::host, 0, "no guests are up in " + pins.string(), "beeline up FILE");
}

std::vector<std::uint32_t> slots_in(const std::filesystem::path &directory) {
    std::vector<std::uint32_t> slots;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        std::uint32_t slot = 0;
        const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), slot);
        if (bad == std::errc{} && stop == name.data() + name.size())
            slots.push_back(slot);
    }
    std::ranges::sort(slots);
    return slots;
}

Result<Live> look(const std::filesystem::path &pins) {
    const std::filesystem::path directory = pins / kLive;
    std::error_code error;
    const bool there = std::filesystem::exists(directory, error);
    if (error) // /sys/fs/bpf is root's alone on most hosts
        return fail_errno(error.value(), "look at " + pins.string(), "run as root (sudo)");
    if (!there)
        return none_up(pins);
    BL_TRY(HostRecord host, read_host(directory));
    BL_CHECK(check_netns(host, pins));
    BL_TRY(Objects objects, Objects::from_pins(directory));
    Live live{
        .directory = directory, .host = std::move(host), .objects = std::move(objects), .guests = {}, .numbers = {}};
    for (const std::uint32_t slot : slots_in(directory)) {
        BL_TRY(const bool up, is_listed_up(live.objects, slot));
        if (!up)
            continue;
        auto record = read_guest(live.directory_of(slot));
        if (!record) {
            if (const auto still = is_listed_up(live.objects, slot); still && !*still)
                continue; // removed meanwhile
            return std::unexpected(std::move(record).error());
        }
        live.numbers.add(record->ruled);
        live.guests.emplace(slot, *std::move(record));
    }
    return live;
}

Result<Live> mended(const kernel::PinDir &pins) {
    BL_TRY(Live live, look(pins.root()));
    std::vector<std::uint32_t> half;
    for (const std::uint32_t slot : slots_in(live.directory))
        if (!live.guests.contains(slot))
            half.push_back(slot);
        else
            BL_CHECK(finish_change(live, slot));
    BL_CHECK(sweep_away(live, half));
    return live;
}

Result<> remove_guests(const Live &live, const std::vector<Record> &records) {
    if (records.empty())
        return {};
    std::vector<std::uint32_t> slots;
    for (const Record &record : records) {
        BL_CHECK(unlist(live.objects, record.slot));
        slots.push_back(record.slot);
    }
    BL_CHECK(remove_devices(records, live.directory));
    BL_CHECK(clear_slots(live.objects, slots));
    for (const std::uint32_t slot : slots)
        BL_CHECK(kernel::remove_tree(live.directory_of(slot)));
    return {};
}

Result<> unwire(Live &live, const std::vector<Record> &records) {
    BL_CHECK(remove_guests(live, records));
    for (const Record &record : records)
        live.guests.erase(record.slot);
    return {};
}

Result<> unmake(Live &live, const std::vector<Record> &records) {
    BL_CHECK(unwire(live, records));
    for (const Record &record : records)
        drop_rules(record.ruled, nullptr, live.numbers, live.objects);
    return {};
}

} // namespace beeline::guest
