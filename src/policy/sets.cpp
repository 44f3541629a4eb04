// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <beeline/policy/parse.hpp>
#include <beeline/rules/values.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

std::string_view to_text(SetType type) {
    switch (type) {
    case SetType::prefix:
        return "prefix";
    case SetType::port:
        return "port";
    case SetType::mac:
        return "mac";
    }
    return "";
}

Result<> add_entry(Set &set, std::string_view text) {
    switch (set.type) {
    case SetType::prefix: {
        BL_TRY(const rules::Prefix prefix, rules::read_prefix(text));
        set.prefixes.push_back(to_policy(prefix));
        break;
    }
    case SetType::port: {
        BL_TRY(const rules::Interval ports, rules::read_ports(text));
        set.ports.push_back({static_cast<std::uint16_t>(ports.low), static_cast<std::uint16_t>(ports.high)});
        break;
    }
    case SetType::mac: {
        BL_TRY(const Mac mac, rules::read_mac(text));
        set.macs.push_back(mac);
        break;
    }
    }
    return {};
}

void normalise(Set &set) {
    const auto key = [](const Prefix &p) { return std::tuple(p.family, p.address, p.bits); };
    std::sort(set.prefixes.begin(), set.prefixes.end(),
              [&](const Prefix &a, const Prefix &b) { return key(a) < key(b); });
    set.prefixes.erase(std::unique(set.prefixes.begin(), set.prefixes.end()), set.prefixes.end());
    std::sort(set.macs.begin(), set.macs.end());
    set.macs.erase(std::unique(set.macs.begin(), set.macs.end()), set.macs.end());
    std::sort(set.ports.begin(), set.ports.end(), [](const auto &a, const auto &b) { return a.low < b.low; });
    std::vector<Range<std::uint16_t>> joined;
    for (const Range<std::uint16_t> &range : set.ports) {
        if (!joined.empty() && range.low <= joined.back().high + 1)
            joined.back().high = std::max(joined.back().high, range.high);
        else
            joined.push_back(range);
    }
    set.ports = std::move(joined);
}

} // namespace beeline::policy
