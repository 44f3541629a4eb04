// SPDX-License-Identifier: Apache-2.0
#include "lab/receivers.hpp"

#include <algorithm>

#include <beeline/kernel/device.hpp>

#include "lab/running_edge.hpp"
#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

class BareDrop final : public Receiver {
public:
    BareDrop(Bare programs, kernel::Link link, Place place, std::uint64_t before)
        : programs_(std::move(programs)), link_(std::move(link)), place_(std::move(place)), before_(before) {}

    [[nodiscard]] Result<std::uint64_t> dropped() override {
        BL_TRY(const std::uint64_t now, driver_count(place_));
        return now - before_;
    }

    static Result<std::uint64_t> driver_count(const Place &place) {
        return place.node->within([&]() -> Result<std::uint64_t> {
            BL_TRY(const auto ethtool, kernel::Ethtool::open());
            BL_TRY(const auto counts, ethtool.statistics(place.device));
            std::uint64_t sum = 0;
            for (const auto &[name, value] : counts) {
                if (name.starts_with("rx_queue_") && name.ends_with("_xdp_drops")) // drivers/net/veth.c
                    sum += value;
            }
            return sum;
        });
    }

private:
    Bare programs_;
    kernel::Link link_;
    Place place_;
    std::uint64_t before_;
};

class Nobody final : public Receiver {
public:
    explicit Nobody(Place place) : place_(std::move(place)) {}

    [[nodiscard]] Result<std::uint64_t> dropped() override {
        BL_TRY(const StackCounters counters, place_.node->within(read_stack_counters));
        const auto found = counters.find("UdpNoPorts");
        return found == counters.end() ? 0 : static_cast<std::uint64_t>(found->second);
    }

private:
    Place place_;
};

class BeelineEdge final : public Receiver {
public:
    BeelineEdge(RunningEdge edge, edge::Policy policy) : edge_(std::move(edge)), policy_(std::move(policy)) {}

    [[nodiscard]] Result<std::uint64_t> dropped() override {
        BL_TRY(const edge::Status status, edge_.status());
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < std::min(status.rules.size(), policy_.rules.size()); ++i) {
            if (policy_.rules[i].action.verdict == edge::Verdict::drop)
                sum += status.rules[i].packets;
        }
        return sum;
    }

private:
    RunningEdge edge_;
    edge::Policy policy_;
};

} // namespace

MadeReceiver bare_drop(const Place &place) {
    BL_TRY(const std::uint64_t before, BareDrop::driver_count(place));
    BL_TRY(Bare programs, Bare::load());
    BL_TRY(kernel::Link link, programs.attach(Bare::Program::drop, place));
    return std::make_unique<BareDrop>(std::move(programs), std::move(link), place, before);
}

MadeReceiver nobody(const Place &place) {
    return std::make_unique<Nobody>(place);
}

MadeReceiver beeline_edge(const Place &place, const std::filesystem::path &pins, const std::vector<std::string> &rules,
                          const std::string &mode) {
    BL_TRY(edge::Policy policy, policy_of(rules, {place.device}, mode));
    BL_TRY(RunningEdge edge, RunningEdge::up(*place.node, pins, policy));
    return std::make_unique<BeelineEdge>(std::move(edge), std::move(policy));
}

std::vector<std::string> one_rule() {
    return {"udp dport 7999 -> drop", "fallback -> pass"};
}

std::vector<std::string> ten_rules() {
    return {"src 192.0.2.0/24 -> drop",
            "tcp dport 22 src 198.51.100.0/24 -> drop",
            "tcp flags syn,fin/syn,fin -> drop",
            "tcp dport 23 -> drop",
            "udp sport 19 -> drop",
            "icmp type 5 -> drop",
            "src 2001:db8:bad::/48 -> drop",
            "udp dport 1900 -> drop",
            "udp dport 5000-5100 -> drop",
            "udp dport 7999 -> drop",
            "fallback -> pass"};
}

std::vector<std::string> ten_nft_rules() {
    return {"ip saddr 192.0.2.0/24 drop",
            "ip saddr 198.51.100.0/24 tcp dport 22 drop",
            "tcp flags & (syn | fin) == (syn | fin) drop",
            "tcp dport 23 drop",
            "udp sport 19 drop",
            "icmp type 5 drop",
            "ip6 saddr 2001:db8:bad::/48 drop",
            "udp dport 1900 drop",
            "udp dport 5000-5100 drop",
            "udp dport 7999 counter drop"};
}

} // namespace beeline::lab
