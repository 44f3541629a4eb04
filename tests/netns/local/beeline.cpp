// SPDX-License-Identifier: Apache-2.0
#include "beeline.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>

#include <beeline/kernel/typed_map.hpp>
#include <beeline/local.h>
#include <beeline/local/local.hpp>
#include <beeline/local/parse.hpp>
#include <harness/temp_bpffs.hpp>

namespace beeline::conformance {
namespace {

using FlowMap = kernel::Map<int, bl_local_flow>; ///< User space finds a socket's storage by a descriptor of it.
using PairMap = kernel::Map<bl_local_key, bl_local_pair>;

constexpr std::array<const char *, BL_LOCAL_REASONS> kReasons = BL_LOCAL_REASON_NAMES;
class Beeline : public Accelerator {
public:
    Beeline(harness::TempBpffs bpffs, local::Local live, local::Tender tender, FlowMap flows, PairMap pairs)
        : bpffs_(std::move(bpffs)), live_(std::move(live)), flows_(std::move(flows)), pairs_(std::move(pairs)),
          thread_(tending(std::move(tender))) {}
    Beeline(const Beeline &) = delete;
    Beeline &operator=(const Beeline &) = delete;
    ~Beeline() override {
        thread_.request_stop();
        thread_.join();
        (void)live_.down(std::chrono::seconds(0)); // killed rows have left bytes unread
    }

    [[nodiscard]] bool has_short_cut() const override { return true; }

    [[nodiscard]] bool on_short_cut(int fd) const override {
        const auto found = find(fd);
        return found && found->pair.state == BL_PAIR_ON &&
               (found->pair.end[0].flags & found->pair.end[1].flags & BL_END_SAFE) != 0;
    }

    [[nodiscard]] bool stays_on_tcp(int fd) const override {
        const auto found = find(fd);
        return found && found->pair.state == BL_PAIR_TCP;
    }

    [[nodiscard]] std::string reason(int fd) const override {
        const auto found = find(fd);
        if (!found)
            return "unknown";
        if (found->pair.state == BL_PAIR_TCP)
            return kReasons.at(found->pair.reason);
        // It stays watched for the case that it changes its mind.
        return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ? kReasons[BL_LOCAL_R_BLOCKING] : "watched";
    }

    [[nodiscard]] std::uint64_t redirected(int fd) const override {
        const auto found = find(fd);
        return found ? found->pair.end[found->flow.side].short_bytes : 0;
    }

private:
    struct Found {
        bl_local_flow flow{};
        bl_local_pair pair{};
    };

    [[nodiscard]] std::optional<Found> find(int fd) const {
        const auto flow = flows_.lookup(fd);
        if (!flow || !*flow)
            return std::nullopt;
        const auto pair = pairs_.lookup((*flow)->pair);
        return pair && *pair ? std::optional(Found{**flow, **pair}) : std::nullopt;
    }

    harness::TempBpffs bpffs_;
    local::Local live_;
    FlowMap flows_;
    PairMap pairs_;
    std::jthread thread_;
};

} // namespace

void tend_once(local::Tender &tender) {
    constexpr int kTickMs = 2;
    pollfd ready{.fd = tender.fd(), .events = POLLIN, .revents = 0};
    (void)::poll(&ready, 1, kTickMs);
    (void)tender.tend(); // what it does not do, a test will miss
}

std::jthread tending(local::Tender tender) {
    return std::jthread([tender = std::move(tender)](const std::stop_token &stop) mutable {
        while (!stop.stop_requested())
            tend_once(tender);
    });
}

Result<local::Policy> policy_in(const kernel::Cgroup &cgroup, const std::vector<std::string> &rules) {
    BL_TRY(const auto mount, kernel::cgroup2_mount());
    local::Policy policy;
    policy.cgroup = "/" + cgroup.directory().lexically_relative(mount).string();
    rules::Diagnostics diagnostics;
    const std::vector<rules::SourceString> sources(rules.begin(), rules.end());
    policy.rules = local::parse_rules(sources, {}, diagnostics).rules;
    if (rules::has_errors(diagnostics))
        return fail(Kind::config, 0, "a rule of the test is wrong");
    return policy;
}

Result<std::unique_ptr<Accelerator>> start_beeline(const kernel::Cgroup &cgroup) {
    BL_TRY(auto bpffs, harness::TempBpffs::mount());
    const std::filesystem::path pins = bpffs.path() / "beeline";
    BL_TRY(auto live, local::Local::open(pins));
    BL_TRY(const local::Policy policy, policy_in(cgroup, {"fallback -> accelerate"}));
    BL_TRY([[maybe_unused]] const auto report, live.up(policy));
    BL_TRY(auto tender, local::Tender::open(pins));
    BL_TRY(auto flows, FlowMap::from_pin(pins / "local/local_flows"));
    BL_TRY(auto pairs, PairMap::from_pin(pins / "local/local_pairs"));
    return std::make_unique<Beeline>(std::move(bpffs), std::move(live), std::move(tender), std::move(flows),
                                     std::move(pairs));
}

} // namespace beeline::conformance
