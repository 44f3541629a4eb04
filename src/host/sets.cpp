// SPDX-License-Identifier: Apache-2.0
//
// Sets that rules of several parts name.
#include <algorithm>
#include <set>

#include <beeline/host/host.hpp>

namespace beeline::host {
namespace {

/// Which parts' rules name a set.
struct Users {
    bool edge = false, guests = false;
};

Result<Users> users_of(const Host &host, const std::string &set) {
    std::vector<std::string> of_edge, of_guests;
    BL_TRY(const bool edge_up, host.edge().is_up());
    if (edge_up) {
        BL_TRY(of_edge, host.edge().sets());
    }
    BL_TRY(const bool guests_up, host.guests().is_up());
    if (guests_up) {
        BL_TRY(of_guests, host.guests().sets());
    }
    const Users users{std::ranges::count(of_edge, set) != 0, std::ranges::count(of_guests, set) != 0};
    if (users.edge || users.guests)
        return users;
    if (!edge_up && !guests_up)
        return fail(Kind::usage, 0, "nothing is up", "beeline up FILE");
    std::set<std::string> all(of_edge.begin(), of_edge.end());
    all.insert(of_guests.begin(), of_guests.end());
    std::string names;
    for (const std::string &name : all)
        names += (names.empty() ? "" : ", ") + name;
    return fail(Kind::usage, 0, "no set @" + set + " is live",
                names.empty() ? "the live config has no sets" : "there are: " + names);
}

} // namespace

Result<> Host::set_add(const std::string &set, const std::string &entry, std::optional<std::chrono::seconds> lifetime) {
    BL_TRY(const Users users, users_of(*this, set));
    const auto at_edge = [&] { return edge_.set_add(set, entry, lifetime); };
    const auto at_guests = [&] { return guests_.set_add(set, entry, lifetime); };
    if (users.edge && users.guests)
        return edge_.set_change(set, entry, at_edge, at_guests);
    return users.edge ? at_edge() : at_guests();
}

Result<bool> Host::set_del(const std::string &set, const std::string &entry) {
    BL_TRY(const Users users, users_of(*this, set));
    bool found = false;
    const auto noted = [&found](const Result<bool> &removed) -> Result<> {
        if (!removed)
            return std::unexpected(removed.error());
        found |= *removed;
        return {};
    };
    const auto at_edge = [&] { return noted(edge_.set_del(set, entry)); };
    const auto at_guests = [&] { return noted(guests_.set_del(set, entry)); };
    const bool both = users.edge && users.guests;
    BL_CHECK(both ? edge_.set_change(set, entry, at_edge, at_guests) : users.edge ? at_edge() : at_guests());
    return found;
}

/// The parts of a set that several have differ only in what was added before one of them named it.
Result<std::vector<live::SetEntry>> Host::set_list(const std::string &set) const {
    BL_TRY(const Users users, users_of(*this, set));
    return users.edge ? edge_.set_list(set) : guests_.set_list(set);
}

} // namespace beeline::host
