// SPDX-License-Identifier: Apache-2.0
#include "lab/running_local.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include <beeline/kernel/cgroup.hpp>
#include <beeline/local/parse.hpp>

namespace beeline::lab {
namespace {

constexpr int kTickMs = 10;

/// What the daemon does: as soon as there is something to do, and a while later when a socket was not read empty.
void look_after(const std::stop_token &stop, local::Tender tender) {
    while (!stop.stop_requested()) {
        pollfd ready{.fd = tender.fd(), .events = POLLIN, .revents = 0};
        (void)::poll(&ready, 1, kTickMs);
        (void)tender.tend(); // what it does not do is missed by those who wait for the short cut
    }
}

} // namespace

Result<local::Policy> local_policy(const std::vector<std::string> &rules) {
    BL_TRY(const auto mount, kernel::cgroup2_mount());
    BL_TRY(const auto own, kernel::Cgroup::of_process(::getpid()));
    const std::string below = own.directory().lexically_relative(mount).string();
    local::Policy policy;
    policy.cgroup = below == "." ? "/" : "/" + below;
    std::error_code error;
    policy.trusted.push_back(std::filesystem::read_symlink("/proc/self/exe", error).string());
    rules::Diagnostics diagnostics;
    std::vector<rules::SourceString> sources;
    for (const std::string &rule : rules)
        sources.emplace_back(rule);
    policy::ParsedRules parsed = local::parse_rules(sources, {}, diagnostics);
    if (!diagnostics.empty())
        return fail(Kind::config, 0, diagnostics.front().one_line());
    policy.rules = std::move(parsed.rules);
    policy.sets = std::move(parsed.sets);
    return policy;
}

struct RunningLocal::State {
    local::Local live;
    std::jthread daemon;
};

Result<RunningLocal> RunningLocal::up(const std::filesystem::path &pins, const local::Policy &policy) {
    BL_TRY(local::Local live, local::Local::open(pins));
    BL_TRY([[maybe_unused]] const auto report, live.up(policy));
    RunningLocal running(std::make_unique<State>(std::move(live)));
    BL_TRY(auto tender, local::Tender::open(pins));
    running.state_->daemon = std::jthread(
        [tender = std::move(tender)](const std::stop_token &stop) mutable { look_after(stop, std::move(tender)); });
    return running;
}

RunningLocal::RunningLocal(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunningLocal::RunningLocal(RunningLocal &&) noexcept = default;

RunningLocal::~RunningLocal() {
    (void)down();
}

Result<std::optional<local::Connection>> RunningLocal::find(std::uint16_t client_port) const {
    BL_TRY(const local::Status status, state_->live.status());
    for (const local::Connection &connection : status.connections)
        if (std::ranges::any_of(connection.ends, [client_port](const local::End &end) {
                return end.here && end.active && end.local_port == client_port;
            }))
            return connection;
    return std::nullopt;
}

std::string RunningLocal::reasons() const {
    std::string text;
    if (const auto status = state_->live.status())
        for (const auto &[name, count] : status->reasons)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
    return text;
}

Result<> RunningLocal::down() {
    const auto state = std::exchange(state_, nullptr);
    if (!state)
        return {};
    if (state->daemon.joinable()) {
        state->daemon.request_stop();
        state->daemon.join();
    }
    BL_TRY([[maybe_unused]] const bool was_up, state->live.down(std::chrono::seconds(2)));
    return {};
}

} // namespace beeline::lab
