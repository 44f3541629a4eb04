// SPDX-License-Identifier: Apache-2.0
//
// A guest that is up and changes.
#include "guest/change.hpp"

#include <sys/stat.h>

#include <beeline/kernel/map_in_map.hpp>

#include "guest/entries.hpp"

namespace beeline::guest {
namespace {

constexpr const char *kNext = "next";
constexpr const char *kIn = "in";
constexpr const char *kOut = "out";

Result<std::uint32_t> map_id(int fd) {
    BL_TRY(const kernel::MapInfo info, kernel::map_info(fd));
    return info.id;
}

Result<Prepared> staged(const std::filesystem::path &next, const Record &record) {
    Prepared rules{.ruled = record.ruled, .in = {}, .out = {}};
    BL_TRY(rules.in, kernel::pinned_object(next / kIn));
    BL_TRY(rules.out, kernel::pinned_object(next / kOut));
    return rules;
}

} // namespace

Result<> stage_change(const Live &live, const Record &record, const Prepared &rules) {
    const std::filesystem::path next = live.directory_of(record.slot) / kNext;
    if (::mkdir(next.c_str(), 0700) != 0)
        return fail_errno(errno, "create " + next.string());
    BL_CHECK(kernel::pin_object(rules.in.get(), next / kIn));
    BL_CHECK(kernel::pin_object(rules.out.get(), next / kOut));
    return write_record(record, next);
}

Result<> commit_change(Live &live, std::uint32_t slot) {
    const std::filesystem::path directory = live.directory_of(slot), next = directory / kNext;
    BL_TRY(const Record record, read_guest(next));
    BL_TRY(const Prepared rules, staged(next, record));
    BL_CHECK(put_rules(slot, rules, live.objects));
    BL_CHECK(list_ports(live.objects, record));
    BL_CHECK(list_guest(live.objects, record, true));
    BL_CHECK(write_record(record, directory));
    BL_CHECK(kernel::remove_tree(next));
    BL_CHECK(live.objects.next_generation());
    drop_rules(live.guests.at(slot).ruled, &record.ruled, live.numbers, live.objects);
    live.guests.at(slot) = record;
    return {};
}

void drop_change(Live &live, std::uint32_t slot, const Ruled &rules) {
    drop_rules(rules, &live.guests.at(slot).ruled, live.numbers, live.objects);
    (void)kernel::remove_tree(live.directory_of(slot) / kNext);
}

Result<> finish_change(Live &live, std::uint32_t slot) {
    const std::filesystem::path next = live.directory_of(slot) / kNext;
    std::error_code error;
    if (!std::filesystem::exists(next, error))
        return {};
    const auto record = read_guest(next);
    if (!record)
        return kernel::remove_tree(next); // it was not even staged
    live.numbers.add(record->ruled);
    BL_TRY(const Prepared rules, staged(next, *record));
    BL_TRY(const std::uint32_t wanted, map_id(rules.in.get()));
    BL_TRY(const auto tables, kernel::MapInMap::share(live.objects.fd("guest_tables")));
    BL_TRY(const auto judging, tables.lookup_id(slot * 2 + BL_GUEST_IN));
    if (judging == wanted)
        return commit_change(live, slot);
    drop_change(live, slot, record->ruled);
    return {};
}

} // namespace beeline::guest
