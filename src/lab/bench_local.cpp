// SPDX-License-Identifier: Apache-2.0
//
// Takes the turns of `bench local`.
#include "lab/bench_local.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "lab/connected.hpp"
#include "lab/host.hpp"
#include "lab/paths.hpp"
#include "lab/running_local.hpp"
#include "lab/socket.hpp"

namespace beeline::lab {
namespace {

// Nobody else of this host talks to this address and port: the rule chooses no connection but ours.
constexpr const char *kAddress = "127.66.76.77";
constexpr std::uint16_t kChosenPort = 7777, kOtherPort = 7778;
constexpr unsigned kConnections = 300; // of one run
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::chrono::seconds kPatience(10);

bool loaded(Carrier carrier) {
    return carrier == Carrier::short_cut || carrier == Carrier::not_chosen;
}

/// us of a connection: made, accepted and closed by one thread.
Result<double> time_connections(std::uint16_t port) {
    BL_TRY(const auto address, SocketAddress::make(kAddress, port));
    BL_TRY(const auto listener, open_server(address, Transport::tcp, kPatience));
    const double began = wall_seconds();
    for (unsigned i = 0; i < kConnections; ++i) {
        kernel::UniqueFd client(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!client.valid() || ::connect(client.get(), address.get(), address.length) != 0)
            return fail_errno(errno, "connect");
        const kernel::UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!server.valid())
            return fail_errno(errno, "accept");
        client = {};
    }
    return (wall_seconds() - began) / kConnections * 1e6;
}

class Turns {
public:
    Turns(const Node &node, std::filesystem::path pins, local::Policy policy, std::array<int, 2> cpus,
          const BenchOptions &options, BenchOutcome &outcome)
        : node_(&node), pins_(std::move(pins)), policy_(std::move(policy)), cpus_(cpus), options_(&options),
          outcome_(&outcome) {}

    /// Once what is to be measured without Beeline, once what is with it; which comes first changes.
    Result<> take(LocalCase &one, bool loaded_first) {
        for (const bool with : {loaded_first, !loaded_first}) {
            std::optional<RunningLocal> running;
            if (std::ranges::none_of(one.carriers, [with](Carrier carrier) { return loaded(carrier) == with; }))
                continue;
            if (with) {
                BL_TRY(auto up, RunningLocal::up(pins_, policy_));
                running.emplace(std::move(up));
            }
            for (const Carrier carrier : one.carriers)
                if (loaded(carrier) == with)
                    BL_CHECK(run(one, carrier, running));
            if (running)
                BL_CHECK(running->down());
        }
        return {};
    }

private:
    Result<> run(LocalCase &one, Carrier carrier, const std::optional<RunningLocal> &running) {
        ++outcome_->runs;
        const std::uint16_t port = carrier == Carrier::not_chosen ? kOtherPort : kChosenPort;
        if (one.connects) {
            BL_TRY(const auto pinned, PinnedToCpu::pin(cpus_[0]));
            BL_TRY(one.runs[carrier].emplace_back(), node_->within([port] { return time_connections(port); }));
            return {};
        }
        Connected connected;
        if (carrier == Carrier::unix_socket) {
            BL_TRY(connected, connect_unix());
        } else {
            BL_TRY(connected, connect_tcp(*node_, *node_, kAddress, port));
        }
        BL_TRY(const double figure, talk(one, carrier, std::move(connected), running));
        one.runs[carrier].push_back(figure);
        return {};
    }

    Result<double> talk(LocalCase &one, Carrier carrier, Connected connected,
                        const std::optional<RunningLocal> &running) {
        Talk talk = one.talk;
        talk.cpus = {cpus_[0], one.cpus == 1 ? cpus_[0] : cpus_[1]};
        BL_TRY(auto ends, TwoEnds::start(std::move(connected.fds), talk));
        const bool wanted = carrier == Carrier::short_cut;
        std::uint64_t before = 0;
        BL_CHECK(ends.warm_up([&]() -> Result<bool> {
            if (!wanted)
                return true;
            BL_TRY(const auto found, running->find(connected.client_port));
            before = short_bytes(found);
            return found && found->state == local::State::on;
        }));
        BL_TRY(const Heard heard, ends.talk());
        double figure = heard.figure;
        if (wanted) {
            BL_TRY(const auto found, running->find(connected.client_port));
            const double share =
                std::min(1.0, static_cast<double>(short_bytes(found) - before) / static_cast<double>(heard.bytes));
            one.share.push_back(share);
            if (share < one.least_share) {
                ++outcome_->discarded;
                figure = kNothing;
                fmt::print(options_->notes, "!! {}: {:.0f} % of the bytes went by the short cut{}; {}\n", one.label,
                           share * 100, found ? fmt::format(", state {} {}", name(found->state), found->reason) : "",
                           running->reasons());
            }
        }
        BL_CHECK(ends.check());
        return figure;
    }

    static std::uint64_t short_bytes(const std::optional<local::Connection> &found) {
        return found ? found->ends[0].short_bytes + found->ends[1].short_bytes : 0;
    }

    const Node *node_;
    std::filesystem::path pins_;
    local::Policy policy_;
    std::array<int, 2> cpus_;
    const BenchOptions *options_;
    BenchOutcome *outcome_;
};

std::string in_words(std::size_t bytes) {
    return bytes < 1024 ? fmt::format("{} B", bytes) : fmt::format("{} KiB", bytes / 1024);
}
std::string in_slug(std::size_t bytes) {
    return bytes < 1024 ? fmt::format("{}B", bytes) : fmt::format("{}KiB", bytes / 1024);
}

void add_talks(std::vector<LocalCase> &cases, unsigned cpus, std::chrono::milliseconds time) {
    const std::vector<Carrier> three = {Carrier::tcp, Carrier::unix_socket, Carrier::short_cut};
    cases.push_back({.name = "rr-64B",
                     .title = cpus == 1 ? "one CPU, us" : "a CPU each, us",
                     .label = "64 B and back",
                     .unit = "us",
                     .talk = {.time = time},
                     .cpus = cpus,
                     .carriers = three,
                     .least_share = 0.99,
                     .digits = 2,
                     .goal_of_tcp = 0.70,
                     .goal_of_unix = 1.0});
    for (const std::size_t bytes : {64U, 256U, 1024U, 4096U, 16384U, 65536U})
        cases.push_back({.name = "stream-" + in_slug(bytes),
                         .title = cpus == 1 ? "one CPU, MB/s" : "a CPU each, MB/s",
                         .label = "writes of " + in_words(bytes),
                         .unit = "MB/s",
                         .lower_is_better = false,
                         .talk = {.kind = Talk::Kind::stream, .bytes = bytes, .time = time},
                         .cpus = cpus,
                         .carriers = three,
                         .least_share = bytes < 16384 ? 0.0 : 0.3,
                         .goal_of_tcp = cpus != 1       ? 0
                                        : bytes < 4096  ? 0.98
                                        : bytes == 4096 ? 1.05
                                                        : 2.2});
}

std::vector<LocalCase> all_cases(const BenchOptions &options, bool two_cpus) {
    const std::chrono::milliseconds time(options.quick ? 20 : 200);
    std::vector<LocalCase> cases;
    add_talks(cases, 1, time);
    for (const std::size_t bytes : {1024U, 4096U, 16384U, 65536U, 262144U})
        cases.push_back({.name = "unread-" + in_slug(bytes),
                         .title = "unread, KiB",
                         .label = "writes of " + in_words(bytes),
                         .unit = "KiB",
                         .talk = {.kind = Talk::Kind::flood, .bytes = bytes},
                         .carriers = {Carrier::tcp, Carrier::short_cut},
                         .goal_of_tcp = 1.1});
    cases.push_back({.name = "rr-64B-not-chosen",
                     .title = "not chosen, us",
                     .label = "64 B and back",
                     .unit = "us",
                     .talk = {.time = time / 2},
                     .carriers = {Carrier::tcp, Carrier::not_chosen},
                     .repeats = options.quick ? 1U : 6U,
                     .digits = 2,
                     .goal_of_tcp = 1.01});
    cases.push_back({.name = "connection",
                     .title = "connecting, us",
                     .label = "a connection",
                     .unit = "us",
                     .connects = true,
                     .carriers = {Carrier::tcp, Carrier::not_chosen, Carrier::short_cut},
                     .repeats = options.quick ? 1U : 3U,
                     .digits = 1});
    if (two_cpus)
        add_talks(cases, 2, time);
    return cases;
}

} // namespace

Result<BenchOutcome> bench_local(const BenchOptions &options, int cpu) {
    const bool two_cpus = ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
    BL_TRY(const local::Policy policy,
           local_policy({fmt::format("dst {} dport {} -> accelerate", kAddress, kChosenPort)}));
    std::vector<LocalCase> cases = all_cases(options, two_cpus);
    BenchOutcome outcome;
    BL_TRY(Lab lab, Lab::create("bench"));
    {
        BL_TRY(const Path path, loopback(lab));
        Turns turns(*path.client, lab.bpffs() / "beeline", policy, {cpu, cpu == 0 ? 1 : 0}, options, outcome);
        unsigned turn = 0;
        for (unsigned round = 0; round < options.rounds; ++round) {
            if (options.wait_quiet)
                (void)wait_quiet();
            for (LocalCase &one : cases)
                for (unsigned i = 0; i < one.repeats; ++i)
                    BL_CHECK(turns.take(one, turn++ % 2 != 0));
        }
    }
    report_local(cases, options, cpu, outcome);
    BL_CHECK(lab.remove());
    return outcome;
}

} // namespace beeline::lab
