// SPDX-License-Identifier: Apache-2.0
//
// The peers: they are needed for comparisons only, and used the way their own manuals say.
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <thread>

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <nlohmann/json.hpp>

#include <beeline/kernel/map.hpp>
#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/lab.h>

#include "lab/receivers.hpp"

namespace beeline::lab {
namespace {

class NftIngress final : public Receiver {
public:
    explicit NftIngress(Place place) : place_(std::move(place)) {}
    ~NftIngress() override { (void)place_.node->nft("delete table netdev bl_lab\n"); }

    [[nodiscard]] Result<std::uint64_t> dropped() override {
        BL_TRY(const std::string text, place_.node->run({.words = {"nft", "-j", "list", "table", "netdev", "bl_lab"}}));
        const auto listing = nlohmann::json::parse(text, nullptr, false);
        std::uint64_t sum = 0;
        for (const auto &item : listing.is_object() ? listing.value("nftables", nlohmann::json::array()) : listing) {
            if (!item.contains("rule"))
                continue;
            for (const auto &part : item["rule"]["expr"]) {
                if (part.contains("counter"))
                    sum += part["counter"].value("packets", std::uint64_t{0});
            }
        }
        return sum;
    }

private:
    Place place_;
};

/// Detaches what xdp-filter has attached.
class XdpFilter final : public Receiver {
public:
    /// What the program keeps of one verdict on one CPU (xdp-tools, headers/linux/... struct xdp_stats_record).
    using Stats = kernel::PerCpuMap<std::uint32_t, bl_lab_count>;

    XdpFilter(Place place, int ifindex) : place_(std::move(place)), ifindex_(ifindex) {}
    ~XdpFilter() override {
        (void)place_.node->within([&] { bpf_xdp_detach(ifindex_, XDP_FLAGS_DRV_MODE, nullptr); });
    }

    /// Of the program that is attached now.
    [[nodiscard]] Result<> find_stats() {
        BL_TRY(const kernel::Device device, place_.node->device(place_.device));
        BL_TRY(const auto program, kernel::prog_by_id(device.xdp.native_id));
        BL_TRY(const kernel::ProgInfo info, kernel::prog_info(program.get()));
        for (const std::uint32_t id : info.map_ids) {
            BL_TRY(auto map, kernel::map_by_id(id));
            BL_TRY(const kernel::MapInfo about, kernel::map_info(map.get()));
            if (about.name == "xdp_stats_map") {
                BL_TRY(auto stats, Stats::adopt(std::move(map)));
                stats_.emplace(std::move(stats));
                return {};
            }
        }
        return fail(Kind::unsupported, 0, "xdp-filter keeps no xdp_stats_map", "the bench knows xdp-tools 1.3");
    }

    [[nodiscard]] Result<std::uint64_t> dropped() override {
        BL_TRY(const bl_lab_count sum, stats_->sum(XDP_DROP, [](bl_lab_count &total, const bl_lab_count &of_cpu) {
            total.packets += of_cpu.packets;
        }));
        return sum.packets;
    }

private:
    Place place_;
    int ifindex_;
    std::optional<Stats> stats_;
};

/// xdp-filter pins below /sys/fs/bpf and nowhere else, so it gets a mount namespace with a bpffs there. The program
/// stays attached when the pins are gone: libxdp attaches by netlink.
Result<> load_xdp_filter(const Place &place, std::uint16_t port) {
    return place.node->within([&]() -> Result<> {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr) != 0)
            return fail_errno(errno, "make a mount namespace for xdp-filter");
        // No dispatcher: it costs a jump a packet, and needs freplace, which not every kernel allows.
        const std::vector<std::string> alone{"LIBXDP_SKIP_DISPATCHER=1"};
        BL_CHECK(run_checked({.words = {"xdp-filter", "load", "-m", "native", "-f", "udp", "-p", "allow", place.device},
                              .environment = alone}));
        BL_CHECK(run_checked(
            {.words = {"xdp-filter", "port", "-p", "udp", "-m", "dst", std::to_string(port)}, .environment = alone}));
        return {};
    });
}

} // namespace

MadeReceiver nft_ingress(const Place &place, const std::vector<std::string> &rules) {
    std::string text = fmt::format("table netdev bl_lab {{\n chain ingress {{\n  type filter hook ingress device {} "
                                   "priority -500;\n",
                                   place.device);
    for (const std::string &rule : rules)
        text += "  " + rule + "\n";
    text += " }\n}\n";
    BL_CHECK(place.node->nft(text));
    return std::make_unique<NftIngress>(place);
}

MadeReceiver xdp_filter(const Place &place, std::uint16_t port) {
    BL_TRY(const kernel::Device device, place.node->device(place.device));
    auto receiver = std::make_unique<XdpFilter>(place, device.ifindex);
    Result<> loaded;
    // A thread of its own: there is no way back out of a mount namespace.
    std::thread([&] { loaded = load_xdp_filter(place, port); }).join();
    BL_CHECK(std::move(loaded));
    BL_CHECK(receiver->find_stats());
    return receiver;
}

} // namespace beeline::lab
