// SPDX-License-Identifier: Apache-2.0
//
// A guest that comes.
#include <algorithm>
#include <cstring>

#include <sys/stat.h>

#include "guest/change.hpp"
#include "guest/entries.hpp"
#include "guest/place.hpp"
#include "guest/wiring.hpp"

namespace beeline::guest {
namespace {

Result<std::uint32_t> free_slot(const Live &live) {
    std::uint32_t slot = 0;
    for (const std::uint32_t taken : slots_in(live.directory)) {
        if (taken != slot)
            break;
        ++slot;
    }
    if (slot == BL_GUEST_MAX)
        return fail(Kind::conflict, 0, "there are " + std::to_string(BL_GUEST_MAX) + " guests already, the most");
    return slot;
}

/// Everything that makes something; what it made stands in record.
Result<> build(const Live &live, const kernel::NetNs *netns, std::uint32_t mtu, Record &record) {
    const std::filesystem::path directory = live.directory_of(record.slot);
    BL_CHECK(write_record(record, directory));
    BL_CHECK(make_device(record.asked, netns, mtu, record.wired));
    BL_CHECK(write_record(record, directory));
    BL_CHECK(list_guest(live.objects, record, false));
    BL_TRY(const Stubs stubs, live.objects.load_stubs(record.slot));
    BL_CHECK(attach(stubs, live.objects.fd("guest_across"), record.wired, directory));
    return netns ? connect(record.asked, record.wired, *netns) : Result<>{};
}

Result<kernel::NetNs> open_netns(const std::string &path) {
    auto netns = kernel::NetNs::open(path);
    if (!netns && netns.error().code == ENOENT)
        netns.error().remedy = "ip netns list, or start what makes it";
    return netns;
}

Result<Record> make_in(const Live &live, const Wanted &wanted, std::uint32_t mtu) {
    Record record{.name = wanted.name,
                  .runtime = wanted.runtime,
                  .asked = wanted.asked,
                  .wired = {},
                  .ruled = wanted.rules.ruled,
                  .masquerade = wanted.masquerade,
                  .publish = wanted.publish};
    std::optional<kernel::NetNs> netns;
    if (wanted.asked.place.by != Place::By::tap) {
        BL_TRY(record.wired.netns, netns_path(wanted.asked.place));
        BL_TRY(netns, open_netns(record.wired.netns));
        BL_TRY(record.wired.netns_inode, netns->inode());
        if (record.wired.netns_inode == live.host.netns)
            return fail(Kind::config, 0, "it is in the host's own network namespace (" + record.wired.netns + ")",
                        "give it a network namespace of its own");
    }
    const kernel::NetNs *inside = netns ? &*netns : nullptr;
    BL_CHECK(check_free(wanted.asked, inside));
    BL_TRY(record.slot, free_slot(live));
    const std::filesystem::path directory = live.directory_of(record.slot);
    if (::mkdir(directory.c_str(), 0700) != 0)
        return fail_errno(errno, "create " + directory.string());
    if (auto built = build(live, inside, mtu, record); !built) {
        (void)remove_guests(live, {record});
        return std::unexpected(std::move(built).error());
    }
    return record;
}

} // namespace

Result<Record> make(const Live &live, const Wanted &wanted, std::uint32_t mtu) {
    auto record = make_in(live, wanted, mtu);
    if (!record)
        return std::unexpected(std::move(record).error().within("guest " + wanted.name));
    return record;
}

Result<> make_and_start(Live &live, const Wanted &wanted, std::uint32_t mtu) {
    BL_TRY(const Record record, make(live, wanted, mtu));
    auto put = put_rules(record.slot, wanted.rules, live.objects);
    if (!put) {
        (void)remove_guests(live, {record});
        return std::unexpected(std::move(put).error().within("guest " + wanted.name));
    }
    return start(live, record);
}

Result<> start(Live &live, const Record &record) {
    if (record.asked.place.by != Place::By::tap)
        wait_until_running(record.asked, record.wired);
    BL_CHECK(list_addresses(live.objects, record));
    BL_CHECK(list_ports(live.objects, record));
    BL_CHECK(list_guest(live.objects, record, true));
    live.guests.insert_or_assign(record.slot, record);
    return {};
}

} // namespace beeline::guest
