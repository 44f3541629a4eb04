// SPDX-License-Identifier: Apache-2.0
#include "lab/demo_router.hpp"

#include <fmt/format.h>

namespace beeline::lab {
namespace {

Result<> add_route(const Node &node, const std::string &device, const std::string &to, const std::string &via) {
    return node.within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_TRY(const auto out, links.device(device));
        BL_TRY(const auto prefix, kernel::IpPrefix::parse(to));
        BL_TRY(const auto gateway, kernel::IpAddress::parse(via));
        return links.add_route({.to = prefix, .via = gateway, .ifindex = out.ifindex});
    });
}

/// What a router does to a frame: new MAC addresses, out of the other device.
Result<std::vector<std::string>> rules_of(const Node &left, const Node &router, const Node &right) {
    BL_TRY(const auto va, left.device("va"));
    BL_TRY(const auto vb, router.device("vb"));
    BL_TRY(const auto vc, router.device("vc"));
    BL_TRY(const auto vd, right.device("vd"));
    const auto rule = [](const char *in, const char *prefixes, const kernel::Device &out, const kernel::Device &next) {
        return fmt::format("device {} dst {{{}}} -> rewrite mac src {} mac dst {} redirect {}", in, prefixes,
                           kernel::to_string(out.mac), kernel::to_string(next.mac), out.name);
    };
    return std::vector<std::string>{rule("vb", "10.9.2.0/24, fd09:2::/64", vc, vd),
                                    rule("vc", "10.9.1.0/24, fd09:1::/64", vb, va), "fallback -> pass"};
}

} // namespace

Result<RouterPath> build_router_path(Stage &stage, const std::string &prefix) {
    BL_TRY(const Node *left, stage.lab.add(prefix + "left"));
    BL_TRY(const Node *router, stage.lab.add(prefix + "router"));
    BL_TRY(const Node *right, stage.lab.add(prefix + "right"));
    BL_CHECK(router->set_sysctl("ipv4/ip_forward", "1"));
    BL_CHECK(router->set_sysctl("ipv6/conf/all/forwarding", "1"));
    BL_CHECK(stage.lab.cable({.node = left, .device = "va", .addresses = {"10.9.1.1/24", "fd09:1::1/64"}},
                             {.node = router, .device = "vb", .addresses = {"10.9.1.2/24", "fd09:1::2/64"}}));
    BL_CHECK(stage.lab.cable({.node = router, .device = "vc", .addresses = {"10.9.2.2/24", "fd09:2::2/64"}},
                             {.node = right, .device = "vd", .addresses = {"10.9.2.1/24", "fd09:2::1/64"}}));
    BL_CHECK(add_route(*left, "va", "10.9.2.0/24", "10.9.1.2"));
    BL_CHECK(add_route(*left, "va", "fd09:2::/64", "fd09:1::2"));
    BL_CHECK(add_route(*right, "vd", "10.9.1.0/24", "10.9.2.2"));
    BL_CHECK(add_route(*right, "vd", "fd09:1::/64", "fd09:2::2"));
    BL_TRY(Meeting meeting, Meeting::arrange(stage, left, right, "10.9.2.1", "fd09:2::1", kRouterPort));
    BL_CHECK(meeting.introduce(kRouterPort));
    BL_TRY(auto rules, rules_of(*left, *router, *right));
    return RouterPath{
        .left = left, .router = router, .right = right, .meeting = std::move(meeting), .rules = std::move(rules)};
}

} // namespace beeline::lab
