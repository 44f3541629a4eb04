// SPDX-License-Identifier: Apache-2.0
//
// netkit pairs: made, asked about, changed.
#include "kernel/rtnetlink_state.hpp"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kernel/uapi_netkit.hpp"

namespace beeline::kernel {

namespace {

constexpr const char *kKind = "netkit";

template <class Value>
void put_enum(NetlinkRequest &request, std::uint16_t attribute, const std::optional<Value> &value) {
    if (value)
        request.put_u32(attribute, static_cast<std::uint32_t>(*value));
}

void put_room(NetlinkRequest &request, std::uint16_t attribute, const std::optional<std::uint16_t> &bytes) {
    if (bytes)
        mnl_attr_put_u16(request.header(), attribute, *bytes);
}

void put_pair(NetlinkRequest &request, const NetkitPair &pair, int home_netns) {
    request.put_u32(uapi::kNetkitMode, static_cast<std::uint32_t>(pair.mode));
    request.put_u32(uapi::kNetkitPolicy, static_cast<std::uint32_t>(pair.policy));
    request.put_u32(uapi::kNetkitPeerPolicy, static_cast<std::uint32_t>(pair.peer_policy));
    put_enum(request, uapi::kNetkitScrub, pair.scrub);
    put_enum(request, uapi::kNetkitPeerScrub, pair.peer_scrub);
    put_room(request, uapi::kNetkitHeadroom, pair.headroom);
    put_room(request, uapi::kNetkitTailroom, pair.tailroom);
    nlattr *peer = mnl_attr_nest_start(request.header(), uapi::kNetkitPeerInfo);
    (void)request.body<ifinfomsg>(); // here the fixed part is inside the attribute
    put_end(request, pair.peer, home_netns);
    mnl_attr_nest_end(request.header(), peer);
}

void parse_attribute(NetkitInfo &info, const nlattr &attribute) {
    const auto number = [&attribute] { return mnl_attr_get_u32(&attribute); };
    switch (mnl_attr_get_type(&attribute)) {
    case uapi::kNetkitPrimaryEnd:
        info.primary = mnl_attr_get_u8(&attribute) != 0;
        break;
    case uapi::kNetkitPolicy:
        info.policy = static_cast<NetkitPolicy>(number());
        break;
    case uapi::kNetkitPeerPolicy:
        info.peer_policy = static_cast<NetkitPolicy>(number());
        break;
    case uapi::kNetkitMode:
        info.mode = static_cast<NetkitMode>(number());
        break;
    case uapi::kNetkitScrub:
        info.scrub = static_cast<NetkitScrub>(number());
        break;
    case uapi::kNetkitPeerScrub:
        info.peer_scrub = static_cast<NetkitScrub>(number());
        break;
    case uapi::kNetkitHeadroom:
        info.headroom = mnl_attr_get_u16(&attribute);
        break;
    case uapi::kNetkitTailroom:
        info.tailroom = mnl_attr_get_u16(&attribute);
        break;
    default:
        break;
    }
}

/// Nothing when the message is of another kind of device.
std::optional<NetkitInfo> parse_netkit(const nlmsghdr &message) {
    NetkitInfo info;
    bool netkit = false;
    for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr &attribute) {
        if (mnl_attr_get_type(&attribute) != IFLA_LINKINFO)
            return;
        for_each_nested(attribute, [&](const nlattr &part) {
            if (mnl_attr_get_type(&part) == IFLA_INFO_KIND)
                netkit = std::string_view(mnl_attr_get_str(&part)) == kKind;
            if (mnl_attr_get_type(&part) == IFLA_INFO_DATA && netkit) // the kernel puts the kind first
                for_each_nested(part, [&info](const nlattr &one) { parse_attribute(info, one); });
        });
    });
    return netkit ? std::optional(info) : std::nullopt;
}

} // namespace

std::vector<std::string_view> netkit_ignored(const NetkitPair &asked, const NetkitInfo &got) {
    std::vector<std::string_view> ignored;
    const auto compare = [&ignored](std::string_view name, const auto &wanted, const auto &have) {
        if (wanted && wanted != have)
            ignored.push_back(name);
    };
    compare("mode", std::optional(asked.mode), got.mode);
    compare("policy", std::optional(asked.policy), got.policy);
    compare("peer_policy", std::optional(asked.peer_policy), got.peer_policy);
    compare("scrub", asked.scrub, got.scrub);
    compare("peer_scrub", asked.peer_scrub, got.peer_scrub);
    compare("headroom", asked.headroom, got.headroom);
    compare("tailroom", asked.tailroom, got.tailroom);
    return ignored;
}

Result<> RtNetlink::create_netkit(const NetkitPair &pair) {
    if (pair.mode == NetkitMode::l3 && (pair.primary.mac || pair.peer.mac)) // the kernel would say EOPNOTSUPP only
        return fail(Kind::usage, 0, fmt::format("create netkit device {}: an L3 pair has no MAC", pair.primary.name),
                    "take mode L2, or no MAC");
    const int home = state_->netns.get();
    return create_device(
        state_->netlink, pair.primary.name, kKind,
        [&](NetlinkRequest &request) { put_end(request, pair.primary, home); },
        [&](NetlinkRequest &request) { put_pair(request, pair, home); });
}

Result<NetkitInfo> RtNetlink::netkit_info(int ifindex) {
    NetlinkRequest request(RTM_GETLINK, 0);
    request.body<ifinfomsg>().ifi_index = ifindex;
    request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    std::optional<NetkitInfo> info;
    const auto done = state_->netlink.talk(request, [&info](const nlmsghdr &message) { info = parse_netkit(message); });
    const std::string what = fmt::format("netkit device with ifindex {}", ifindex);
    if (!done)
        return done.error().error(what);
    if (!info)
        return fail_errno(EINVAL, what + ": the device is no netkit");
    return *info;
}

Result<> RtNetlink::set_netkit_policy(int primary, std::optional<NetkitPolicy> policy,
                                      std::optional<NetkitPolicy> peer_policy) {
    NetlinkRequest request(RTM_NEWLINK, 0); // RTM_SETLINK looks at no IFLA_LINKINFO
    request.body<ifinfomsg>().ifi_index = primary;
    put_kind(request, kKind, [&](NetlinkRequest &data) {
        put_enum(data, uapi::kNetkitPolicy, policy);
        put_enum(data, uapi::kNetkitPeerPolicy, peer_policy);
    });
    if (const auto done = state_->netlink.talk(request); !done)
        return done.error().error(fmt::format("set the policy of the netkit device with ifindex {}", primary));
    return {};
}

} // namespace beeline::kernel
