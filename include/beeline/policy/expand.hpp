// SPDX-License-Identifier: Apache-2.0
//
// Rules as the table entries of abi/beeline/match.h, which the program looks through for the first that matches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <beeline/match.h>
#include <beeline/policy/rule.hpp>
#include <beeline/result.hpp>

namespace beeline::policy {

/// A set with its place in the tables.
struct SetTable {
    std::string name;
    SetType type = SetType::prefix;
    std::uint32_t index = 0;
    std::vector<bl_lpm4> prefixes4;
    std::vector<bl_lpm6> prefixes6;
    std::vector<bl_set_key> members; ///< Of port and MAC sets.
};

/// One table entry with its rare conditions; the numbers of rule, extra and rate are the caller's to fill in.
struct Expanded {
    bl_entry entry{};
    bl_extra extra{};
};

/// What expand() has to know of the part and the host.
struct Expansion {
    const std::vector<SetTable> &sets;
    /// ifindex of a device name; an error names the device and the remedy.
    const std::function<Result<std::uint32_t>(const std::string &)> &ifindex;
    std::size_t max_entries; ///< Of one rule; more are an error.
};

/// The entries of one rule, in any order: the rule matches when one of them does. What decides before or after
/// (direction, rate, action) is not in them.
[[nodiscard]] Result<std::vector<Expanded>> expand(const Rule &rule, const Expansion &with);

/// A set's entries as map keys.
[[nodiscard]] SetTable set_table(const Set &set, std::uint32_t index);
/// FNV-1a over the bytes, begun with or going on from so_far.
[[nodiscard]] std::uint64_t digest(std::span<const std::byte> bytes, std::uint64_t so_far = 0xcbf29ce484222325U);
/// The same over a set's entries, in order; where the set stands in the tables is no part of it.
[[nodiscard]] std::uint64_t digest(const SetTable &set);
/// All sets, numbered in their order; more than `most` are an error.
[[nodiscard]] Result<std::vector<SetTable>> set_tables(const std::vector<Set> &sets, std::size_t most);

/// The rule's identity among texts: its text, or "text#2" for the second rule with the same text.
[[nodiscard]] std::vector<std::string> identities(const std::vector<Rule> &rules);

/// The six bytes of a MAC as bl_extra and bl_set_key hold them.
[[nodiscard]] std::uint64_t mac_word(const Mac &mac);

} // namespace beeline::policy
