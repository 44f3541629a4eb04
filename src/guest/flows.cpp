// SPDX-License-Identifier: Apache-2.0
#include "guest/flows.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netinet/in.h>

namespace beeline::guest {
namespace {

std::uint64_t coarse_now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time); // what the programs read
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::string key_of(const bl_tuple &tuple) {
    return {reinterpret_cast<const char *>(&tuple), sizeof tuple};
}

/// The key of the direction that answers `flow`.
bl_tuple turned(const bl_tuple &on) {
    bl_tuple back = on;
    std::memcpy(back.src, on.dst, sizeof back.src);
    std::memcpy(back.dst, on.src, sizeof back.dst);
    std::swap(back.sport, back.dport);
    return back;
}

} // namespace

std::uint64_t flow_seconds(std::uint8_t proto, std::uint8_t flags) {
    const bool answered = (flags & BL_FLOW_ANSWERED) != 0;
    switch (proto) {
    case IPPROTO_TCP:
        return answered && (flags & BL_FLOW_CLOSING) == 0 ? BL_FLOW_TCP_SECONDS : BL_FLOW_TCP_SHORT_SECONDS;
    case IPPROTO_UDP:
        return answered ? BL_FLOW_UDP_SECONDS : BL_FLOW_SHORT_SECONDS;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return BL_FLOW_SHORT_SECONDS;
    default:
        return BL_FLOW_OTHER_SECONDS;
    }
}

Result<FlowCount> count_flows(const Objects &objects) {
    BL_TRY(const auto map, objects.map<FlowMap>("guest_flows"));
    FlowCount count;
    BL_CHECK(map.for_each([&count](const bl_tuple &, const bl_flow &flow) {
        ++count.all;
        ++count.by_slot[flow.begun_by];
        if (flow.begun_to != flow.begun_by)
            ++count.by_slot[flow.begun_to];
    }));
    return count;
}

Result<> forget_flows(const Objects &objects, const std::set<std::uint32_t> &slots) {
    BL_TRY(auto map, objects.map<FlowMap>("guest_flows"));
    BL_TRY(const auto entries, map.entries());
    for (const auto &[key, flow] : entries)
        if (slots.contains(flow.begun_by) || slots.contains(flow.begun_to))
            BL_CHECK(map.erase(key));
    return {};
}

Result<std::uint64_t> end_flows(const Objects &objects) {
    BL_TRY(auto map, objects.map<FlowMap>("guest_flows"));
    BL_TRY(const auto entries, map.entries());
    std::unordered_map<std::string, const bl_flow *> by_key;
    by_key.reserve(entries.size());
    for (const auto &[key, flow] : entries)
        by_key.emplace(key_of(key), &flow);
    const std::uint64_t now = coarse_now();
    std::uint64_t ended = 0;
    for (const auto &[key, flow] : entries) {
        std::uint64_t seen = flow.seen_ns;
        std::uint8_t flags = flow.flags;
        if (const auto partner = by_key.find(key_of(turned(flow.on))); partner != by_key.end()) {
            seen = std::max<std::uint64_t>(seen, partner->second->seen_ns);
            flags |= partner->second->flags;
        }
        if (seen + flow_seconds(key.proto, flags) * 1'000'000'000 >= now)
            continue;
        BL_TRY(const bool was_there, map.erase(key));
        ended += was_there ? 1 : 0;
    }
    return ended;
}

} // namespace beeline::guest
