// SPDX-License-Identifier: Apache-2.0
//
// What the daemon does for those who ask: the event loop, the control socket and the metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <beeline/config/config.hpp>
#include <beeline/host/host.hpp>
#include <beeline/result.hpp>

#include "daemon/event_log.hpp"

namespace beeline::daemon {

/// The numbers that are the daemon's own.
struct ServiceCounts {
    std::uint64_t reloads = 0;
    std::uint64_t failed_reloads = 0;
    std::uint64_t swept = 0; ///< Set entries removed because their time was over.
    bool last_reload_good = true;
    std::uint64_t events = 0;
    std::uint64_t guests_gone = 0; ///< Guests cleaned away because their device or namespace was gone.
};

/// Any thread may call anything; one call at a time is served.
class Service {
public:
    Service(config::Config config, host::Host host) : config_(std::move(config)), host_(std::move(host)) {}

    /// Reads the config file and makes the host what it says. On an error, which is logged here, all stays as it was.
    [[nodiscard]] Result<host::UpReport> reload(std::optional<std::chrono::seconds> confirm = std::nullopt);
    [[nodiscard]] Result<host::Status> status();
    /// The status with the verdict (BL_EDGE_*) of each rule of the edge.
    struct Snapshot {
        std::optional<edge::Status> status;
        std::vector<std::uint32_t> verdicts;
        ServiceCounts counts;
        std::optional<guest::Status> guests;
        std::optional<local::Status> local;
    };
    [[nodiscard]] Result<Snapshot> snapshot();
    [[nodiscard]] Result<host::Plan> plan();
    [[nodiscard]] Result<> confirm();
    [[nodiscard]] Result<> set_add(const std::string &set, const std::string &entry,
                                   std::optional<std::chrono::seconds> lifetime);
    [[nodiscard]] Result<bool> set_del(const std::string &set, const std::string &entry);
    [[nodiscard]] Result<std::vector<edge::SetEntry>> set_list(const std::string &set);

    /// Once a second: removes set entries past their time, rolls back what nobody confirmed.
    [[nodiscard]] Result<> tick();
    /// What guests need (Guests::maintain()): once a second, and when something changed in the network.
    [[nodiscard]] Result<> maintain();

    [[nodiscard]] EventLog &events() { return events_; }
    [[nodiscard]] const edge::Edge &edge() const { return host_.edge(); }

private:
    Result<host::UpReport> reload_locked(std::optional<std::chrono::seconds> confirm);
    Result<> roll_back();

    std::mutex mutex_;
    config::Config config_;
    host::Host host_;
    EventLog events_;
    ServiceCounts counts_;
    std::uint32_t verdicts_generation_ = 0;
    std::vector<std::uint32_t> verdicts_;
    /// A generation that waits for a confirmation, and till when.
    struct Pending {
        std::uint32_t generation = 0;
        std::chrono::steady_clock::time_point until;
    };
    std::optional<Pending> pending_;
    unsigned ticks_ = 0;
    std::vector<std::string> maintain_warnings_; ///< Of the last maintain().
};

/// Loads a config that must have a part; what there is to say about the file goes to the log. Kind::config.
[[nodiscard]] Result<config::Config> load_logged(const std::string &file);

} // namespace beeline::daemon
