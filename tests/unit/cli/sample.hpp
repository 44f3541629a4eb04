// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <beeline/edge/edge.hpp>
#include <beeline/guest/guest.hpp>
#include <beeline/guest/parse.hpp>
#include <beeline/local/local.hpp>

namespace beeline {

/// A status with something in every field.
inline edge::Status sample_status() {
    edge::Status status;
    status.generation = 4;
    status.file = "/etc/beeline/beeline.toml";
    status.since = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    status.rollback_in = std::chrono::seconds(53);
    status.devices = {
        {.name = "eth0", .ifindex = 2, .mode = edge::Mode::native, .why = "", .attached = true},
        {.name = "eth1", .ifindex = 3, .mode = edge::Mode::generic, .why = "the driver has no XDP", .attached = false}};
    status.rules = {{"src @blocklist -> drop", 7, 1'000'000, 64'000'000},
                    {"tcp dport 22 -> \"pass\" \\ \n", 8, 5, 300},
                    {"tcp dport 22 -> \"pass\" \\ \n", 9, 0, 0},
                    {"fallback -> pass", 0, 12, 999}};
    status.sets = {{"blocklist", edge::SetType::prefix, 12}, {"ports", edge::SetType::port, 3}};
    status.xsks = {{"capture", "/sys/fs/bpf/beeline/edge/edge_xsks", 64, 64}};
    status.odd = {{"short_ip", 3}, {"many_ext", 0}};
    status.hooks = {{"eth0", "xdp native", 17, "program edge_root (id 17)", true},
                    {"eth0", "tcx ingress", 18, "program other (id 18)", false}};
    return status;
}

/// The same for guests.
inline guest::Status sample_guests() {
    guest::GuestStatus web{.name = "web", .slot = 3};
    web.attached = false;
    web.runtime = true;
    web.place = {.by = guest::Place::By::container, .name = "web-1"};
    web.netns = "/run/netns/web";
    web.wiring = guest::Wiring::veth;
    web.why = "no netkit";
    web.device = "eth0";
    web.host_device = "blweb";
    web.ifindex = 7;
    web.mtu = 1400;
    web.addresses = {guest::read_address("10.88.0.2/24").value(), guest::read_address("fd88::2/64").value()};
    web.mac = kernel::Mac{2, 0, 0x5e, 0x10, 0, 1};
    web.attributes = {{"scrub", "none"}};
    web.ignored = {"headroom"};
    web.masquerade = true;
    web.publish = {guest::read_publish("192.0.2.1:53:5353/udp").value()};
    web.rules = {{"in tcp dport 80 -> pass", 12, 5, 300}, {"fallback -> pass", 0, 7, 420}};
    web.hooks = {{"blweb", "tcx ingress", 17, "program guest_out_stub (id 17)", true}};
    web.flows = 4;
    guest::Status status{.file = "/etc/beeline/beeline.toml"};
    status.since = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    status.generation = 9;
    status.masquerade_ports = {50000, 60000};
    status.flows = 4;
    status.flows_most = 65536;
    status.uplinks = {{.name = "eth0", .ifindex = 2, .attached = true, .mtu = 1500}};
    status.uplinks[0].address4 = guest::read_gateway("198.51.100.7").value();
    status.guests = {web};
    status.odd = {{"rule", 3}, {"ttl", 0}};
    return status;
}

/// The same for [local].
inline local::Status sample_local() {
    local::Status status{.file = "/etc/beeline/beeline.toml"};
    status.since = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    status.draining = true;
    status.limit = 1'000'000;
    status.lowat = 4096;
    status.thresholds = {.run_length = 32, .min_mean = 2048, .min_turns = 4, .min_receives = 64};
    status.rules = {{.text = "dport 5432 -> accelerate",
                     .line = 4,
                     .connections = 9,
                     .short_bytes = 640,
                     .short_messages = 10,
                     .tcp_bytes = 120,
                     .tcp_messages = 2},
                    {.text = "fallback -> tcp"}};
    status.reasons = {{"small", 3}, {"splices", 1}};
    status.by_state = {1, 2, 3, 4, 5};
    local::End client{.here = true, .active = true, .filed = true, .cookie = 77};
    client.local = kernel::IpAddress::parse("127.0.0.1").value();
    client.remote = kernel::IpAddress::parse("10.0.0.9").value();
    client.local_port = 40000;
    client.remote_port = 5432;
    client.uid = 1000;
    client.pid = 812;
    client.process = "psql";
    client.rule = 0;
    client.short_bytes = 64;
    client.short_messages = 1;
    client.tcp_bytes = 12;
    client.tcp_messages = 2;
    status.connections = {{.state = local::State::on, .rule = 0, .since = std::chrono::nanoseconds(5)},
                          {.state = local::State::tcp, .reason = "small"}};
    status.connections[0].ends[1] = client;
    return status;
}

} // namespace beeline
