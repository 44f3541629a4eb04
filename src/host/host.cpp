// SPDX-License-Identifier: Apache-2.0
#include <beeline/host/host.hpp>

#include <algorithm>

namespace beeline::host {
namespace {

/// How long the edge may be rolled back while guests are made: they may be hundreds. When this process is killed
/// meanwhile, the daemon rolls the edge back after it.
constexpr std::chrono::seconds kTrial{600};

/// What live guests share, for a file that says nothing about them.
guest::HostSettings settings_of(const guest::Status &status) {
    guest::HostSettings settings{
        .uplinks = {}, .masquerade_ports = status.masquerade_ports, .flows = status.flows_most};
    if (!status.uplinks_auto)
        for (const guest::UplinkStatus &uplink : status.uplinks)
            settings.uplinks.push_back(uplink.name);
    return settings;
}

/// The settings to keep for guests that came at run time when the file has none; nothing: there are none of these.
Result<std::optional<guest::HostSettings>> kept_settings(const guest::Guests &guests) {
    BL_TRY(const guest::Status status, guests.status());
    if (std::ranges::count(status.guests, true, &guest::GuestStatus::runtime) == 0)
        return std::nullopt;
    return settings_of(status);
}

/// An edge on trial is not to be taken away under whoever waits for the confirmation.
Result<> check_no_trial(const edge::Edge &edge) {
    const auto up = edge.is_up();
    if (!up || !*up)
        return {};
    const auto status = edge.status(); // damaged or of another version: down() is the remedy
    if (!status || !status->rollback_in)
        return {};
    return fail(Kind::conflict, 0, "generation " + std::to_string(status->generation) + " waits to be confirmed",
                "beeline confirm, or wait for the rollback");
}

} // namespace

Result<Host> Host::open(const std::filesystem::path &pins) {
    BL_TRY(edge::Edge edge, edge::Edge::open(pins));
    BL_TRY(guest::Guests guests, guest::Guests::open(pins));
    BL_TRY(local::Local local, local::Local::open(pins));
    return Host(std::move(edge), std::move(guests), std::move(local));
}

Result<> Host::check(const config::Config &config) {
    if (config.edge || config.has_guests || config.local)
        return {};
    return fail(Kind::config, 0, config.file + " has no [edge], no guests and no [local]",
                "there is nothing to do without [edge], [guests], [[guest]] or [local]");
}

Result<> Host::change_guests(const config::Config &config, const std::string &file, UpReport &report) {
    guest::HostSettings settings = config.guest_settings;
    if (!config.has_guests) {
        BL_TRY(const auto kept, kept_settings(guests_));
        if (!kept) {
            BL_TRY(report.guests_down, guests_.down());
            return {};
        }
        settings = *kept;
    }
    BL_TRY(report.guests, guests_.up(settings, config.guests, {.file = file}));
    return {};
}

/// All that comes after the edge.
Result<> Host::change_others(const config::Config &config, const std::string &file, UpReport &report) {
    if (config.has_guests || guests_.is_up().value_or(false))
        BL_CHECK(change_guests(config, file, report));
    if (config.local) {
        BL_TRY(report.local, local_.up(*config.local, {.file = file}));
    } else {
        BL_TRY(report.local_down, local_.down());
    }
    return {};
}

Result<UpReport> Host::up(const config::Config &config, const UpOptions &options) {
    BL_CHECK(check(config));
    if (!config.edge)
        BL_CHECK(check_no_trial(edge_));
    if (config.local) {
        BL_TRY([[maybe_unused]] const local::Plan possible, local_.plan(*config.local));
    }
    UpReport report;
    if (config.edge) {
        const bool alone =
            !config.has_guests && !config.local && !guests_.is_up().value_or(false) && !local_.is_up().value_or(false);
        const auto trial = alone ? options.confirm : std::optional(options.confirm.value_or(kTrial));
        BL_TRY(report.edge, edge_.up(*config.edge, {.file = options.file, .confirm = trial}));
        if (alone)
            return report;
    }
    if (auto done = change_others(config, options.file, report); !done) {
        const auto back = report.edge ? edge_.rollback(report.edge->generation) : Result<bool>(true);
        if (back)
            return std::unexpected(std::move(done).error());
        return fail(Kind::host, back.error().code,
                    done.error().message() + "; and the edge was not rolled back: " + back.error().message(),
                    "beeline down, then beeline up with the file before");
    }
    if (report.edge && !options.confirm)
        BL_CHECK(edge_.confirm());
    if (!config.edge) {
        BL_TRY(report.edge_down, edge_.down());
    }
    return report;
}

Result<Plan> Host::plan(const config::Config &config) const {
    BL_CHECK(check(config));
    Plan plan;
    if (config.edge) {
        BL_TRY(plan.edge, edge_.plan(*config.edge));
    } else {
        BL_TRY(plan.edge_down, edge_.is_up());
    }
    if (config.local) {
        BL_TRY(plan.local, local_.plan(*config.local));
    } else {
        BL_TRY(plan.local_down, local_.is_up());
    }
    if (config.has_guests) {
        BL_TRY(plan.guests, guests_.plan(config.guest_settings, config.guests));
        return plan;
    }
    BL_TRY(const bool up, guests_.is_up());
    if (!up)
        return plan;
    BL_TRY(const auto kept, kept_settings(guests_));
    plan.guests_down = !kept;
    if (kept) {
        BL_TRY(plan.guests, guests_.plan(*kept, {}));
    }
    return plan;
}

Result<Down> Host::down() {
    const auto edge = edge_.down();
    const auto guests = guests_.down();
    const auto local = local_.down();
    for (const auto *part : {&edge, &guests, &local})
        if (!*part)
            return std::unexpected(part->error());
    return Down{.edge = *edge, .guests = *guests, .local = *local};
}

Result<Status> Host::status() const {
    Status status;
    BL_TRY(const bool edge_up, edge_.is_up());
    if (edge_up) {
        BL_TRY(status.edge, edge_.status());
    }
    BL_TRY(const bool guests_up, guests_.is_up());
    if (guests_up) {
        BL_TRY(status.guests, guests_.status());
    }
    BL_TRY(const bool local_up, local_.is_up());
    if (local_up) {
        BL_TRY(status.local, local_.status());
    }
    return status;
}

} // namespace beeline::host
