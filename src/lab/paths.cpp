// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <fmt/format.h>

#include <beeline/kernel/features.hpp>

#include "lab/paths.hpp"

namespace beeline::lab {
namespace {

/// One end of what Lab::cable() would make of veth.
Result<> bring_up(const Node &node, const std::string &device, const std::string &address) {
    return node.within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_TRY(const auto found, links.device(device));
        BL_TRY(const auto prefix, kernel::IpPrefix::parse(address));
        BL_CHECK(links.add_address(found.ifindex, prefix));
        return links.set_up(found.ifindex);
    });
}

using Connect = Result<> (*)(Lab &, const End &host, const End &guest);

Result<> by_veth(Lab &lab, const End &host, const End &guest) {
    return lab.cable(host, guest);
}

Result<> by_netkit(Lab &, const End &host, const End &guest) {
    BL_CHECK(host.node->within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        return links.create_netkit(
            {.primary = {.name = host.device}, .peer = {.name = guest.device, .netns_fd = guest.node->netns().fd()}});
    }));
    BL_CHECK(bring_up(*host.node, host.device, host.addresses.front()));
    return bring_up(*guest.node, guest.device, guest.addresses.front());
}

Result<const Node *> add_guest(Lab &lab, const Node &host, const std::string &name, int number, Connect connect) {
    BL_TRY(const Node *guest, lab.add(name));
    BL_CHECK(connect(lab, {.node = &host, .device = "to" + name, .addresses = {fmt::format("10.8.{}.1/24", number)}},
                     {.node = guest, .device = "eth0", .addresses = {fmt::format("10.8.{}.2/24", number)}}));
    BL_CHECK(guest->within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_TRY(const auto device, links.device("eth0"));
        BL_TRY(const auto via, kernel::IpAddress::parse(fmt::format("10.8.{}.1", number)));
        return links.add_route({.via = via, .ifindex = device.ifindex});
    }));
    return guest;
}

Result<Path> routed(Lab &lab, Connect connect) {
    BL_TRY(const Node *host, lab.add("host"));
    BL_CHECK(host->set_sysctl("ipv4/ip_forward", "1"));
    BL_TRY(const Node *client, add_guest(lab, *host, "one", 1, connect));
    BL_TRY(const Node *server, add_guest(lab, *host, "two", 2, connect));
    return Path{.client = client, .server = server, .address = "10.8.2.2"};
}

} // namespace

Result<Path> loopback(Lab &lab) {
    BL_TRY(const Node *node, lab.add("alone"));
    return Path{.client = node, .server = node, .address = "127.0.0.1"};
}

Result<Path> routed_veth(Lab &lab) {
    return routed(lab, by_veth);
}

Result<Path> routed_netkit(Lab &lab) {
    BL_CHECK(kernel::require(kernel::FeatureId::netkit));
    return routed(lab, by_netkit);
}

Result<Path> bridged_veth(Lab &lab) {
    BL_TRY(const Node *host, lab.add("host"));
    BL_TRY([[maybe_unused]] const auto made,
           host->run({.words = {"ip", "link", "add", "br0", "up", "type", "bridge"}}));
    Path path{.client = nullptr, .server = nullptr, .address = "10.8.0.2"};
    for (const auto &[name, number] : {std::pair("one", 1), std::pair("two", 2)}) {
        BL_TRY(const Node *node, lab.add(name));
        const std::string port = std::string("to") + name;
        BL_CHECK(lab.cable({.node = host, .device = port},
                           {.node = node, .device = "eth0", .addresses = {fmt::format("10.8.0.{}/24", number)}}));
        BL_TRY([[maybe_unused]] const auto joined, host->run({.words = {"ip", "link", "set", port, "master", "br0"}}));
        (number == 1 ? path.client : path.server) = node;
    }
    return path;
}

} // namespace beeline::lab
