// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <beeline/kernel/capabilities.hpp>
#include <beeline/kernel/cgroup.hpp>
#include <beeline/kernel/device.hpp>
#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/pin_dir.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/local/local.hpp>

#include "daemon/json.hpp"

namespace beeline::cli {
namespace {

using kernel::Capability;
using kernel::FeatureId;

constexpr std::array kCapabilities = {Capability::bpf, Capability::net_admin, Capability::perfmon,
                                      Capability::sys_admin};
/// Parts of the design that this version does not have yet.
constexpr std::array<const char *, 3> kLater = {"xsk", "proxy", "meter"};
/// Without these there is no edge.
constexpr std::array kEdgeNeeds = {FeatureId::bpf, FeatureId::xdp_link, FeatureId::prog_array, FeatureId::ring_buffer,
                                   FeatureId::xdp_frags};
/// Without these there are no guests; tcx is at the uplinks and at veth.
constexpr std::array kGuestNeeds = {FeatureId::bpf, FeatureId::tcx, FeatureId::prog_array, FeatureId::ring_buffer,
                                    FeatureId::netns_create};

std::string capabilities() {
    std::string have;
    for (const Capability capability : kCapabilities)
        if (kernel::has(capability))
            have += fmt::format("{}{}", have.empty() ? "" : " ", kernel::name(capability));
    return have.empty() ? "none that matters; run as root (sudo)" : have;
}

/// Programs at the XDP hook, by mode.
std::string holders(const kernel::XdpState &state) {
    std::string text;
    for (const kernel::XdpMode mode : {kernel::XdpMode::native, kernel::XdpMode::generic, kernel::XdpMode::offload})
        if (state.id(mode) != 0)
            text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", kernel::describe_prog(state.id(mode)),
                                kernel::name(mode));
    return text;
}

void note_offloads(DeviceReport &report, const kernel::Ethtool &ethtool) {
    const auto is_on = [&](kernel::Offload offload) {
        const auto state = ethtool.offload(report.name, offload);
        return state && state->on;
    };
    if (is_on(kernel::Offload::rx_vlan))
        report.notes.push_back(fmt::format("VLAN tags that the device takes off are not seen by native XDP: ethtool "
                                           "-K {} rxvlan off",
                                           report.name));
    if (is_on(kernel::Offload::lro))
        report.notes.push_back("LRO is switched off while an XDP program is attached");
}

DeviceReport device_report(const kernel::Device &device, const kernel::Ethtool &ethtool) {
    DeviceReport report{.name = device.name, .driver = device.driver, .holder = holders(device.xdp)};
    const auto features = kernel::xdp_features(device.ifindex);
    const bool known = features && features->has_value();
    report.redirect_target = !known ? "unknown" : (*features)->xmit() ? "yes" : "no";
    report.native = !known ? "unknown" : (*features)->basic() ? "yes" : "no";
    if (known && (*features)->basic() && !(*features)->frags())
        report.notes.emplace_back("native XDP without jumbo frames: the driver has no multi-buffer support");
    // Obstacles to a driver that has no XDP at all are no news.
    if (const auto obstacles = kernel::native_xdp_obstacles(device, true); obstacles && report.native != "no")
        for (const kernel::XdpObstacle &obstacle : *obstacles) {
            report.native = "not now";
            report.notes.push_back(obstacle.why + (obstacle.remedy.empty() ? "" : ": " + obstacle.remedy));
        }
    if (!device.loopback)
        note_offloads(report, ethtool);
    return report;
}

/// Why there can be no edge at all; nothing when there can be one.
Result<> edge_possible(const std::string &pins) {
    BL_CHECK(kernel::require_root_or_caps());
    for (const FeatureId id : kEdgeNeeds)
        BL_CHECK(kernel::require(id));
    return kernel::require_bpffs(pins);
}

PartReport edge_report(const std::string &pins, const std::vector<DeviceReport> &devices, int &exit_status) {
    PartReport part{.name = "edge"};
    if (const auto possible = edge_possible(pins); !possible) {
        part.fitness = Fitness::impossible;
        part.why = possible.error().message();
        exit_status = static_cast<int>(possible.error().kind);
        return part;
    }
    std::string generic;
    for (const DeviceReport &device : devices)
        if (device.native != "yes" && device.name != "lo")
            generic += (generic.empty() ? "" : ", ") + device.name;
    part.fitness = generic.empty() ? Fitness::full : Fitness::fallback;
    if (!generic.empty())
        part.why = "generic XDP on " + generic;
    return part;
}

/// netkit needs its own device type; veth needs tcx. Uplinks need tcx in both cases.
Result<> guests_possible(const std::string &pins) {
    BL_CHECK(kernel::require_root_or_caps());
    for (const FeatureId id : kGuestNeeds)
        BL_CHECK(kernel::require(id));
    return kernel::require_bpffs(pins);
}

PartReport guest_report(const std::string &pins) {
    PartReport part{.name = "guest"};
    if (const auto possible = guests_possible(pins); !possible) {
        part.fitness = Fitness::impossible;
        part.why = possible.error().message();
        return part;
    }
    const kernel::Feature &netkit = kernel::probe(FeatureId::netkit);
    part.fitness = netkit.available ? Fitness::full : Fitness::fallback;
    if (!netkit.available)
        part.why = fmt::format("veth instead of netkit (Linux >= {}): {}", netkit.since, netkit.why);
    else if (!kernel::probe(FeatureId::netkit_scrub).available)
        part.why = "netkit, but marks do not survive the way into a guest";
    return part;
}

PartReport local_report(const std::string &pins) {
    PartReport part{.name = "local"};
    Result<> possible = kernel::require_root_or_caps();
    if (possible)
        possible = local::possible(pins);
    if (possible && !kernel::cgroup2_mount())
        possible = std::unexpected(kernel::cgroup2_mount().error());
    part.fitness = possible ? Fitness::full : Fitness::impossible;
    if (!possible)
        part.why = possible.error().message();
    return part;
}

} // namespace

std::string_view name(Fitness fitness) {
    constexpr std::array<std::string_view, 4> kNames = {"full", "fallback", "impossible", "not in this version"};
    return kNames[static_cast<std::size_t>(fitness)];
}

Result<Doctor> examine(const std::string &pins) {
    Doctor report{.kernel = kernel::kernel_version(), .capabilities = capabilities()};
    const auto bpffs = kernel::require_bpffs(pins);
    report.bpffs = bpffs ? pins + " is on one" : bpffs.error().message();
    const auto cgroup2 = kernel::cgroup2_mount();
    report.cgroup2 = cgroup2 ? cgroup2->string() : cgroup2.error().message();
    report.features = kernel::probe_all();
    BL_TRY(auto netlink, kernel::RtNetlink::open());
    BL_TRY(const auto ethtool, kernel::Ethtool::open());
    BL_TRY(const auto devices, netlink.devices());
    for (const kernel::Device &device : devices)
        report.devices.push_back(device_report(device, ethtool));
    report.parts.push_back(edge_report(pins, report.devices, report.exit_status));
    report.parts.push_back(guest_report(pins));
    report.parts.push_back(local_report(pins));
    for (const char *part : kLater)
        report.parts.push_back({.name = part, .fitness = Fitness::absent, .why = {}});
    return report;
}

daemon::Json to_json(const Doctor &report) {
    using daemon::Json;
    Json json = {{"version", daemon::kSchemaVersion},
                 {"kernel", report.kernel},
                 {"capabilities", report.capabilities},
                 {"bpffs", report.bpffs},
                 {"cgroup2", report.cgroup2},
                 {"features", Json::array()},
                 {"devices", Json::array()},
                 {"parts", Json::array()}};
    for (const kernel::Feature &feature : report.features)
        json["features"].push_back({{"title", feature.title},
                                    {"available", feature.available},
                                    {"since", feature.since},
                                    {"needed_by", feature.needed_by},
                                    {"why", feature.why}});
    for (const DeviceReport &device : report.devices)
        json["devices"].push_back({{"name", device.name},
                                   {"driver", device.driver},
                                   {"native", device.native},
                                   {"redirect_target", device.redirect_target},
                                   {"holder", device.holder},
                                   {"notes", device.notes}});
    for (const PartReport &part : report.parts)
        json["parts"].push_back({{"name", part.name}, {"fitness", name(part.fitness)}, {"why", part.why}});
    return json;
}

} // namespace beeline::cli
