// SPDX-License-Identifier: Apache-2.0
//
// The rules of guests in the kernel: the two inner maps of each guest, the counters of its rules and the sets that its
// rules name.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <beeline/guest/tables.hpp>
#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

#include "guest/objects.hpp"
#include "guest/record.hpp"
#include "live/set_maps.hpp"

namespace beeline::guest {

/// The numbers in use among all guests, to find free ones. Equal sets of the same name share one place.
class Numbers {
public:
    void add(const Ruled &ruled);
    /// Lowest free counter slot; it is taken until free_counter().
    [[nodiscard]] Result<std::uint32_t> take_counter();
    void free_counter(std::uint32_t slot) { counters_.erase(slot); }
    /// Place of an equal set, or the lowest free one; whether it is a new one. Taken once more until free_set().
    [[nodiscard]] Result<std::pair<std::uint32_t, bool>> take_set(const std::string &name, policy::SetType type,
                                                                  std::uint64_t digest);
    [[nodiscard]] std::vector<live::SetPlace> sets() const;
    /// True when nobody has it any more.
    bool free_set(std::uint32_t index);

private:
    struct Use {
        live::SetPlace set;
        unsigned guests = 0;
    };
    std::set<std::uint32_t> counters_;
    std::map<std::uint32_t, Use> sets_;
};

/// A guest's rules in the kernel, judging nothing yet.
struct Prepared {
    Ruled ruled;
    kernel::UniqueFd in, out;
};

[[nodiscard]] live::SetMaps set_maps(const Objects &objects);

/// before: rules of the same guest whose counters go on. What the new ones need is taken from numbers, sets are filled.
/// On an error nothing is left.
[[nodiscard]] Result<Prepared> prepare_rules(const Policy &policy, const Ruled *before, Numbers &numbers,
                                             const Objects &objects);
/// From now on these judge, by slot. Of many at once the kernel makes one wait.
[[nodiscard]] Result<> put_rules(const std::vector<std::pair<std::uint32_t, const Prepared *>> &rules,
                                 const Objects &objects);
[[nodiscard]] Result<> put_rules(std::uint32_t slot, const Prepared &rules, const Objects &objects);
/// The rules of these slots are nobody's any more: their memory is free, and everything is dropped.
[[nodiscard]] Result<> forget_rules(const std::vector<std::uint32_t> &slots, const Objects &objects);
/// Frees what rules have that are not in use any more, or never were: sets, and counters that keep does not have.
void drop_rules(const Ruled &rules, const Ruled *keep, Numbers &numbers, const Objects &objects);

} // namespace beeline::guest
