// SPDX-License-Identifier: Apache-2.0
//
// The packets that a match lets through, as plain sets, so that two rules can be compared. A region is exact but for
// named sets, whose content changes at run time: they are compared by name; and conditions on sockets (cgroup, process,
// user), which are no fields here: a rule with one can be found unreachable, but makes no other one so.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include <beeline/policy/rule.hpp>

#include "policy/interval_set.hpp"

namespace beeline::policy {

/// What numbers devices and named sets while regions are compared.
class Names {
public:
    std::uint64_t number(const std::string &name) {
        return numbers_.try_emplace(name, numbers_.size() + 1).first->second;
    }

private:
    std::map<std::string, std::uint64_t> numbers_;
};

/// The values that one field may have.
struct Field {
    IntervalSet values;
    bool absent = true;       ///< Packets without the field are in, too.
    bool constrained = false; ///< Not every packet fits.
    std::uint64_t set = 0;    ///< Number of the named set that must hold as well; 0: none.
    bool negated = false;     ///< Of the named set.

    [[nodiscard]] bool empty() const { return values.empty() && !absent; }
    [[nodiscard]] bool contains(const Field &other) const;
};

/// Packets of one kind: IPv4, IPv6, or neither (which includes IP with a header that cannot be read). Within a kind a
/// region is a product: every field on its own.
class Region {
public:
    enum Kind : std::uint8_t { v4, v6, other };
    // clang-format off
    enum Name : std::uint8_t {
        src, dst, sport, dport, proto, flags, type, code, ethertype, vlan, inner_vlan, tagged, mac_src, mac_dst,
        ttl, dscp, length, fragment, options, malformed, device, direction, count,
    };
    // clang-format on

    Region(Kind kind, const Rule &rule, std::span<const Set> sets, Names &names);

    [[nodiscard]] bool empty() const { return empty_; }
    [[nodiscard]] bool contains(const Region &inner) const;

private:
    void mark(Name name);
    void constrain(Name name, const IntervalSet &values);
    void from(const Match &match, std::span<const Set> sets, Names &names);
    template <class T>
    void one_of(Name name, const std::optional<OneOf<T>> &condition, std::vector<T> Set::*entries,
                std::span<const Set> sets, Names &names);
    /// What one field says about others: a port means tcp, udp…, and no later fragment.
    void conclude();

    Kind kind_;
    bool empty_ = false;
    bool less_ = false;             ///< A condition on sockets lets less through than the fields say.
    std::uint32_t constrained_ = 0; ///< Bit n: fields_[n].constrained.
    std::array<Field, count> fields_;
};

} // namespace beeline::policy
