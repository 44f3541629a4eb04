// SPDX-License-Identifier: Apache-2.0
//
// Sets of guests' rules, changed at run time.
#include <algorithm>
#include <utility>

#include <beeline/guest/guest.hpp>

#include "guest/live.hpp"

namespace beeline::guest {
namespace {

/// Guests whose rules are of one file share one place; after a change that somebody died over there may be two.
Result<std::vector<live::SetPlace>> places_of(const Live &live, const std::string &set) {
    std::vector<live::SetPlace> places = live.numbers.sets();
    BL_TRY([[maybe_unused]] const live::SetPlace found, live::find_set(places, set));
    std::erase_if(places, [&set](const live::SetPlace &one) { return one.name != set; });
    return places;
}

} // namespace

Result<> Guests::set_add(const std::string &set, const std::string &entry,
                         std::optional<std::chrono::seconds> lifetime) {
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(const Live live, mended(pins));
    BL_TRY(const auto places, places_of(live, set));
    const live::SetMaps maps = set_maps(live.objects);
    std::vector<std::pair<live::SetPlace, live::StoredEntry>> done;
    for (const live::SetPlace &place : places) {
        if (places.size() > 1) { // else nothing is half done, and a prefix is found by reading all of them
            BL_TRY(const auto before, live::stored_entry(place, maps, entry));
            done.emplace_back(place, before);
        }
        if (auto added = live::add_entry(place, maps, entry, lifetime); !added) {
            for (const auto &[was, stored] : done)
                (void)live::restore_entry(was, maps, entry, stored);
            return added;
        }
    }
    return live.objects.next_generation();
}

Result<bool> Guests::set_del(const std::string &set, const std::string &entry) {
    BL_TRY(auto pins, kernel::PinDir::lock(pins_, kLockWait));
    BL_TRY(const Live live, mended(pins));
    BL_TRY(const auto places, places_of(live, set));
    bool found = false;
    for (const live::SetPlace &place : places) {
        BL_TRY(const bool erased, live::del_entry(place, set_maps(live.objects), entry));
        found |= erased;
    }
    if (found)
        BL_CHECK(live.objects.next_generation());
    return found;
}

Result<std::vector<live::SetEntry>> Guests::set_list(const std::string &set) const {
    BL_TRY(const Live live, look(pins_));
    BL_TRY(const auto places, places_of(live, set));
    return live::list_entries(places.front(), set_maps(live.objects));
}

Result<std::vector<std::string>> Guests::sets() const {
    BL_TRY(const Live live, look(pins_));
    std::vector<std::string> names;
    for (const live::SetPlace &place : live.numbers.sets())
        if (live::is_named(place) && std::ranges::count(names, place.name) == 0)
            names.push_back(place.name);
    return names;
}

} // namespace beeline::guest
