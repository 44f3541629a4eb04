// SPDX-License-Identifier: Apache-2.0
//
// Scene: two processes of one host, in one network namespace and in two, by TCP and by the short cut.
#include <filesystem>

#include <fmt/format.h>

#include <beeline/local/local.hpp>

#include "lab/connected.hpp"
#include "lab/demo.hpp"
#include "lab/running_local.hpp"
#include "lab/two_ends.hpp"

namespace beeline::lab {
namespace {

constexpr std::uint16_t kPort = 7800;
constexpr const char *kServer = "10.77.0.2";

/// A client and a server, and what lies between them as far as TCP knows.
struct Way {
    const Node *client, *server;
    std::string address;
    std::string name; ///< "over lo".
};

struct Spoke {
    double round_trip_us = 0;
    double stream = 0; ///< MB/s
};

/// One conversation; every byte of its last step is compared. `down`: Beeline goes while it lives.
Result<double> converse(Stage &stage, const Way &way, Talk::Kind kind, std::size_t bytes,
                        std::optional<RunningLocal> running, bool down) {
    BL_TRY(auto connected, connect_tcp(*way.client, *way.server, way.address, kPort));
    const Talk talk{.kind = kind,
                    .bytes = bytes,
                    .time = std::chrono::milliseconds(stage.quick ? 50 : 300),
                    .cpus = {stage.cpu, stage.cpu}};
    const std::uint16_t port = connected.client_port;
    BL_TRY(auto ends, TwoEnds::start(std::move(connected.fds), talk));
    std::optional<local::Connection> seen;
    BL_CHECK(ends.warm_up([&]() -> Result<bool> {
        if (!running)
            return true;
        BL_TRY(seen, running->find(port));
        return seen && seen->state == local::State::on;
    }));
    BL_TRY(const Heard heard, ends.talk());
    Report &report = stage.report;
    if (running) {
        BL_TRY(seen, running->find(port));
        const std::uint64_t taken = seen ? seen->ends[0].short_bytes + seen->ends[1].short_bytes : 0;
        report.check(taken >= heard.bytes / 2,
                     fmt::format("{}, messages of {} B: {} MB took the short cut", way.name, bytes, taken / 1'000'000),
                     seen ? fmt::format("state {} {}; {}", name(seen->state), seen->reason, running->reasons())
                          : "the connection is not known");
    }
    if (down)
        BL_CHECK(running->down());
    const auto right = ends.check();
    report.check(right.has_value(),
                 down ? "down meanwhile: the talk goes on by TCP, every byte compared"
                      : fmt::format("{}, {}: every byte compared", way.name, running ? "short cut" : "TCP"),
                 right ? "" : right.error().message());
    return heard.figure;
}

Result<Spoke> speak(Stage &stage, const Way &way, const std::filesystem::path *pins, bool down_in_between) {
    Spoke spoke;
    const auto up = [&]() -> Result<std::optional<RunningLocal>> {
        if (!pins)
            return std::nullopt;
        BL_TRY(const local::Policy policy, local_policy({fmt::format("dport {} -> accelerate", kPort)}));
        BL_TRY(auto running, RunningLocal::up(*pins, policy));
        BL_CHECK(stage.objects.note(*pins));
        return std::optional(std::move(running));
    };
    BL_TRY(auto first, up());
    BL_TRY(spoke.round_trip_us, converse(stage, way, Talk::Kind::ping_pong, 64, std::move(first), false));
    BL_TRY(auto second, up());
    BL_TRY(spoke.stream, converse(stage, way, Talk::Kind::stream, 65536, std::move(second), pins && down_in_between));
    return spoke;
}

void compare(Report &report, const Way &way, const Spoke &stock, const Spoke &beeline) {
    report.compare({.what = fmt::format("sockets {}, 64 B RTT, us", way.name),
                    .stock = fmt::format("{:.1f}", stock.round_trip_us),
                    .beeline = fmt::format("{:.1f}", beeline.round_trip_us),
                    .gain = fmt::format("{:.2f}x", stock.round_trip_us / beeline.round_trip_us)});
    report.compare({.what = fmt::format("sockets {}, 64 KiB, MB/s", way.name),
                    .stock = fmt::format("{:.0f}", stock.stream),
                    .beeline = fmt::format("{:.0f}", beeline.stream),
                    .gain = fmt::format("{:.2f}x", beeline.stream / stock.stream)});
}

} // namespace

Result<> demo_local(Stage &stage) {
    stage.report.scene("Local: two processes of one host, by TCP and past it");
    const std::filesystem::path pins = stage.lab.bpffs() / "local";
    if (const auto possible = local::possible(pins); !possible) {
        stage.report.skip("sockets of one host", possible.error().message());
        return {};
    }
    stage.report.quote(fmt::format("dport {} -> accelerate", kPort));
    BL_TRY(const Node *client, stage.lab.add("psql"));
    BL_TRY(const Node *server, stage.lab.add("db"));
    BL_CHECK(stage.lab.cable({client, "eth0", {"10.77.0.1/24"}}, {server, "eth0", {std::string(kServer) + "/24"}}));
    const Way ways[] = {{server, server, "127.0.0.1", "over lo"}, {client, server, kServer, "across netns"}};
    for (const Way &way : ways) {
        BL_TRY(const Spoke stock, speak(stage, way, nullptr, false));
        BL_TRY(const Spoke beeline, speak(stage, way, &pins, &way == &ways[1]));
        compare(stage.report, way, stock, beeline);
    }
    stage.report.check(!std::filesystem::exists(pins), "down: no pin of it is left");
    return {};
}

} // namespace beeline::lab
