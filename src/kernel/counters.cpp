// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/counters.hpp>

#include <fmt/format.h>

namespace beeline::kernel {

Result<NamedCounters> read_counters(const CounterMap &map, std::span<const std::string_view> names) {
    if (map.info().max_entries < names.size())
        return fail(Kind::state, 0,
                    fmt::format("{} has {} counters, {} are expected", raw::describe(map.info()),
                                map.info().max_entries, names.size()),
                    "it was made by another version: take that one down first (beeline down)");
    NamedCounters counters;
    for (std::uint32_t index = 0; index < names.size(); ++index) {
        if (names[index].empty())
            continue;
        BL_TRY(const std::uint64_t total, map.sum(index));
        counters.emplace_back(names[index], total);
    }
    return counters;
}

} // namespace beeline::kernel
