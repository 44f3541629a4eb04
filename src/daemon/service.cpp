// SPDX-License-Identifier: Apache-2.0
#include "daemon/service.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include <beeline/edge/judge.hpp>

#include "daemon/report.hpp"

namespace beeline::daemon {
namespace {

using std::chrono::steady_clock;

/// Other processes may have said `up --confirm`: how often that is looked for, in ticks. Their own guard is exact.
constexpr unsigned kStatusTicks = 5;

void log_edge(const edge::UpReport &report, const std::string &file) {
    spdlog::info("generation {} is live from {}", report.generation, file);
    for (const edge::DeviceStatus &device : report.devices)
        spdlog::info("{}: {}{}{}", device.name, edge::mode_name(device.mode), device.why.empty() ? "" : ": ",
                     device.why);
    for (const std::string &warning : report.warnings)
        spdlog::warn("{}", warning);
}

void log_report(const host::UpReport &report, const std::string &file) {
    if (report.edge)
        log_edge(*report.edge, file);
    if (report.edge_down)
        spdlog::info("the edge is down: {} has none", file);
    if (report.guests) {
        spdlog::info("guests are up from {}: {}", file, summary(*report.guests));
        for (const std::string &warning : report.guests->warnings)
            spdlog::warn("{}", warning);
    }
    if (report.guests_down)
        spdlog::info("the guests are down: {} has none", file);
    if (report.local)
        spdlog::info("[local] is up from {}{}", file, report.local->changed ? "" : ": no change");
    if (report.local_down)
        spdlog::info("[local] is down: {} has none", file);
}

/// Settings that were made at the start and stay.
void log_unchangeable(const config::Config &now, const config::Config &file) {
    const auto say = [](const char *what) { spdlog::warn("{} changed in the file: takes a restart", what); };
    if (now.pins != file.pins)
        say("pins");
    if (now.control.socket != file.control.socket || now.control.group != file.control.group)
        say("control");
    if (now.metrics.address != file.metrics.address || now.metrics.port != file.metrics.port)
        say("metrics");
}

} // namespace

Result<config::Config> load_logged(const std::string &file) {
    auto [config, diagnostics] = config::load(file);
    std::size_t errors = 0;
    for (const rules::Diagnostic &diagnostic : diagnostics) {
        const bool error = diagnostic.severity == rules::Severity::error;
        errors += error ? 1 : 0;
        spdlog::log(error ? spdlog::level::err : spdlog::level::warn, "{}", diagnostic.one_line());
    }
    if (!config)
        return fail(Kind::config, 0, fmt::format("{}: {} error{}", file, errors, errors == 1 ? "" : "s"),
                    "beeline check " + file + " shows them");
    BL_CHECK(host::Host::check(*config));
    return *std::move(config);
}

Result<host::UpReport> Service::reload(std::optional<std::chrono::seconds> confirm) {
    const std::scoped_lock lock(mutex_);
    auto report = reload_locked(confirm);
    counts_.last_reload_good = report.has_value();
    ++(report ? counts_.reloads : counts_.failed_reloads);
    if (!report)
        spdlog::error("reload: {}; what was live stays", report.error().message());
    return report;
}

Result<host::UpReport> Service::reload_locked(std::optional<std::chrono::seconds> confirm) {
    BL_TRY(config::Config config, load_logged(config_.file));
    log_unchangeable(config_, config);
    if (confirm && !config.edge)
        return fail(Kind::usage, 0, "a confirmation is for the edge, and " + config.file + " has no [edge]",
                    "the other parts have no rollback");
    BL_TRY(host::UpReport report, host_.up(config, {.file = config.file, .confirm = confirm}));
    pending_.reset();
    if (confirm)
        pending_ = Pending{report.edge->generation, steady_clock::now() + *confirm};
    log_report(report, config.file);
    return report;
}

Result<host::Status> Service::status() {
    const std::scoped_lock lock(mutex_);
    return host_.status();
}

Result<Service::Snapshot> Service::snapshot() {
    const std::scoped_lock lock(mutex_);
    BL_TRY(host::Status status, host_.status());
    if (status.edge && (status.edge->generation != verdicts_generation_ || verdicts_.empty())) {
        BL_TRY(const edge::Edge::Live live, edge().live());
        BL_TRY(verdicts_, edge::rule_verdicts(live.program, live.texts.size()));
        verdicts_generation_ = live.generation;
    }
    Snapshot snapshot{.status = std::move(status.edge),
                      .verdicts = verdicts_,
                      .counts = counts_,
                      .guests = std::move(status.guests),
                      .local = std::move(status.local)};
    snapshot.counts.events = events_.total();
    return snapshot;
}

Result<host::Plan> Service::plan() {
    const std::scoped_lock lock(mutex_);
    BL_TRY(const config::Config config, load_logged(config_.file));
    return host_.plan(config);
}

Result<> Service::confirm() {
    const std::scoped_lock lock(mutex_);
    BL_CHECK(host_.edge().confirm());
    pending_.reset();
    spdlog::info("confirmed");
    return {};
}

Result<> Service::set_add(const std::string &set, const std::string &entry,
                          std::optional<std::chrono::seconds> lifetime) {
    const std::scoped_lock lock(mutex_);
    return host_.set_add(set, entry, lifetime);
}

Result<bool> Service::set_del(const std::string &set, const std::string &entry) {
    const std::scoped_lock lock(mutex_);
    return host_.set_del(set, entry);
}

Result<std::vector<edge::SetEntry>> Service::set_list(const std::string &set) {
    const std::scoped_lock lock(mutex_);
    return host_.set_list(set);
}

Result<> Service::roll_back() {
    if (ticks_++ % kStatusTicks == 0) {
        BL_TRY(const edge::Status status, host_.edge().status());
        pending_.reset(); // the pins know best: somebody else may have confirmed
        if (status.rollback_in)
            pending_ = Pending{status.generation, steady_clock::now() + *status.rollback_in};
    }
    if (!pending_ || steady_clock::now() < pending_->until)
        return {};
    BL_TRY(const bool done, host_.edge().rollback(pending_->generation));
    if (done)
        spdlog::warn("generation {} was not confirmed: rolled back", pending_->generation);
    pending_.reset();
    return {};
}

Result<> Service::tick() {
    const std::scoped_lock lock(mutex_);
    BL_TRY(const bool up, host_.edge().is_up());
    if (!up)
        return {};
    BL_TRY(const std::uint64_t swept, host_.edge().sweep());
    counts_.swept += swept;
    return roll_back();
}

Result<> Service::maintain() {
    const std::scoped_lock lock(mutex_);
    BL_TRY(const guest::Maintained done, host_.guests().maintain());
    counts_.guests_gone += done.gone.size();
    for (const std::string &name : done.gone)
        spdlog::warn("guest {}: its device or namespace is gone; cleaned away", name);
    if (!done.uplinks.empty())
        spdlog::info("uplinks changed: {}", list(done.uplinks));
    if (done.warnings != maintain_warnings_) // told when they begin, not every second
        for (const std::string &warning : done.warnings)
            spdlog::warn("{}", warning);
    maintain_warnings_ = done.warnings;
    return {};
}

} // namespace beeline::daemon
