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
    return Host(std::move(edge), std::move(guests));
}

Result<> Host::check(const config::Config &config) {
    if (config.local) // checked, but nobody here would carry it out
        return fail(Kind::unsupported, 0, config.file + " has [local], which this version only checks", "leave it out");
    if (config.edge || config.has_guests)
        return {};
    return fail(Kind::config, 0, config.file + " has no [edge] and no guests",
                "there is nothing to do without [edge], [guests] or [[guest]]");
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

Result<UpReport> Host::up(const config::Config &config, const UpOptions &options) {
    BL_CHECK(check(config));
    if (!config.edge)
        BL_CHECK(check_no_trial(edge_));
    const bool with_guests = config.has_guests || guests_.is_up().value_or(false);
    UpReport report;
    if (config.edge) {
        const auto trial = with_guests ? std::optional(options.confirm.value_or(kTrial)) : options.confirm;
        BL_TRY(report.edge, edge_.up(*config.edge, {.file = options.file, .confirm = trial}));
    }
    if (with_guests) {
        if (auto done = change_guests(config, options.file, report); !done) {
            const auto back = report.edge ? edge_.rollback(report.edge->generation) : Result<bool>(true);
            if (back)
                return std::unexpected(std::move(done).error());
            return fail(Kind::host, back.error().code,
                        done.error().message() + "; and the edge was not rolled back: " + back.error().message(),
                        "beeline down, then beeline up with the file before");
        }
        if (report.edge && !options.confirm)
            BL_CHECK(edge_.confirm());
    }
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
    if (!edge)
        return std::unexpected(edge.error());
    if (!guests)
        return std::unexpected(guests.error());
    return Down{.edge = *edge, .guests = *guests};
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
    return status;
}

} // namespace beeline::host
